package settings

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
)

// The sentences about the settings file. The user interface looks them up in its translations.
const (
	textCannotRead         = "cannot read the file: {{.Why}}"
	textCannotWrite        = "cannot write the file: {{.Why}}"
	textCannotCreate       = "cannot create the file: {{.Why}}"
	textCannotCreateFolder = "cannot create the folder of the file: {{.Why}}"
	textNewer              = "a newer Porthole wrote the file; this version does not change it"
	textNotASetting        = "\"{{.Key}}\" is not a setting"
	textNotEditable        = "Porthole can't change {{.Key}} without changing other lines; change it by hand"

	textSyntax         = "{{.Why}}"
	textBracket        = "\"{{.Open}}\" without \"{{.Close}}\""
	textSecondDocument = "\"---\" begins a second document; settings are a single one"
	textNotMapping     = "settings must be keys with values, such as \"watches:\""
	textUnknownKey     = "unknown key \"{{.Key}}\" is ignored"
	textMisspeltKey    = "unknown key \"{{.Key}}\" (did you mean {{.Near}}?) is ignored"

	textVersion  = "version must be a number, {{.Number}} for this Porthole"
	textDuration = "{{.Key}} must be a time from {{.Min}} to {{.Max}}, such as {{.Example}}"
	textBool     = "{{.Key}} must be true or false"
	textNumber   = "{{.Key}} must be a number from {{.Min}} to {{.Max}}"
	textHours    = "quiet_hours must be two times of day, such as 22:00-07:00"
	textTheme    = "theme must be system, light or dark"
	textTrayIcon = "tray_icon must be automatic, outlined, light or dark"
	textExpiry   = "expiry must be desktop, never or a time from {{.Min}} to {{.Max}}, such as 10s"
	textTerminal = "terminal must be automatic, none or a command without quotes, such as kitty -e"
	textLanguage = "language must be system or a language code such as en"

	textList       = "{{.Key}} must be a list of entries such as \"{{.Example}}\""
	textEntry      = "an entry of {{.Key}} must have keys, such as \"{{.Example}}\""
	textMisspelt   = "unknown key \"{{.Key}}\": did you mean {{.Near}}?"
	textText       = "{{.Key}} must be text"
	textName       = "{{.Key}} must be a name"
	textLabelPorts = "a label needs ports, such as \"ports: 5432\", or a match, such as \"match: vite shop\""
	textLabelName  = "a label needs a name, such as \"name: main database\""

	textWatches       = "watches must be a list of entries such as \"- ports: 62893\""
	textWatch         = "a watch must have keys, such as \"- ports: 62893\""
	textPorts         = "ports must be text such as 62893 or \"3000-3999, 8080\""
	textMatch         = "match: {{.Why}}"
	textNoPorts       = "a watch needs ports, such as \"ports: 62893\" or \"ports: 3000-3999, 8080\", or a match, such as \"match: vite shop\""
	textMisspeltPorts = "a watch needs ports, such as \"ports: 62893\" or \"ports: 3000-3999, 8080\", or a match, such as \"match: vite shop\"; \"{{.Key}}\": did you mean {{.Near}}?"
	textNotifyOn      = "\"{{.Word}}\": notify_on must be a list of any of {{.Names}}"
	textNoEvents      = "notify_on must be a list of any of {{.Names}}; to disable the watch, use \"off: true\""
	textUrgency       = "{{.Key}} must be low, normal or critical"
	textSound         = "sound must be none or the name of a sound, such as bell"
	textRunWord       = "run must be a list of words"
	textRun           = "run must be a list of a program and its arguments, such as [notify-send, hello]; no shell reads it"
	textHealth        = "health: {{.Why}}"
	textNoHealth      = "it must be a path, such as /health"
	textPost          = "post must be a URL that begins with http:// or https://"
)

// Texts returns the texts of all problems, for translators.
func Texts() []string {
	return []string{textCannotRead, textCannotWrite, textCannotCreate, textCannotCreateFolder, textNewer, textNotASetting, textNotEditable,
		textSyntax, textBracket, textSecondDocument, textNotMapping, textUnknownKey, textMisspeltKey,
		textVersion, textDuration, textBool, textNumber, textHours, textTheme, textTrayIcon, textExpiry, textTerminal, textLanguage,
		textList, textEntry, textMisspelt, textText, textName, textLabelPorts, textLabelName,
		textWatches, textWatch, textPorts, textMatch, textNoPorts, textMisspeltPorts, textNotifyOn, textNoEvents,
		textUrgency, textSound, textRunWord, textRun, textHealth, textNoHealth, textPost}
}

// Problem is what is wrong with the settings file, as an error or as a warning. It wraps the error of
// the system, if there is one.
type Problem struct {
	Path     string
	Line     int // 0 if it is about no line
	Sentence monitor.Sentence
	Err      error
}

// Error implements error. It returns the path, the line and the sentence in English.
func (p Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %v", p.Path, p.Sentence)
	}
	return fmt.Sprintf("%s: line %d: %v", p.Path, p.Line, p.Sentence)
}

// Unwrap returns the error of the system; nil if there is none.
func (p Problem) Unwrap() error { return p.Err }

// problemAt returns a problem at the line of node. The text has values as pairs of names and values.
func (f *File) problemAt(node *yaml.Node, text string, pairs ...any) Problem {
	return Problem{Path: f.path, Line: node.Line, Sentence: monitor.NewSentence(text, pairs...)} // a node that is not in the file yet has no line
}

// systemError returns a problem with the whole file, which the system reported.
func (f *File) systemError(text string, err error) error {
	err = withoutPath(err)
	return Problem{Path: f.path, Sentence: monitor.NewSentence(text, "Why", err.Error()), Err: err}
}

// reason returns the sentence of a monitor.SentenceError, or else the text of err.
func reason(err error) any {
	var e monitor.SentenceError
	if errors.As(err, &e) {
		return e.Sentence
	}
	return err.Error()
}
