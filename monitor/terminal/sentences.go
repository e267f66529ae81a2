package terminal

import (
	"cmp"
	"errors"

	"porthole/monitor"
)

// The sentences about a terminal, without a full stop. The user interface looks them up in its
// translations.
const (
	textWindow      = "Went to the window of {{.Program}}"
	textTmux        = "Selected its pane in the tmux session {{.Session}} and went to the window of {{.Program}}"
	textTmuxOnly    = "Selected its pane in the tmux session {{.Session}}. {{.Problem}}"
	textNoTerminal  = "It was not started in a terminal or editor on this desktop, or that has closed"
	textNoAccess    = "This desktop (Wayland) does not let programs raise the windows of others"
	textNoWindow    = "No window of {{.Program}} was found on this desktop"
	textNotRaised   = "Can't raise the window of {{.Program}}"
	textForeignTmux = "Its tmux belongs to another user"
	textNoSocket    = "The socket of its tmux is unknown"
	textNoTmux      = "tmux is not installed or does not answer"
	textNoPane      = "tmux has no pane with its terminal any more"
	textDetached    = "The tmux session {{.Session}} is detached. Attach it with: {{.Command}}"
)

// Texts returns the Text of every sentence, for translators.
func Texts() []string {
	return []string{textWindow, textTmux, textTmuxOnly, textNoTerminal, textNoAccess, textNoWindow, textNotRaised, textForeignTmux, textNoSocket, textNoTmux, textNoPane, textDetached}
}

// Problem is the reason why a terminal was not brought to the front. It wraps the error of the
// system, if there is one.
type Problem struct {
	Sentence monitor.Sentence
	Err      error
}

// Error implements error. It returns the English sentence.
func (p Problem) Error() string { return p.Sentence.String() }

// Unwrap returns the error of the system; nil if there is none.
func (p Problem) Unwrap() error { return p.Err }

func problem(text string, values map[string]any, err error) error {
	return Problem{monitor.Sentence{Text: text, Data: values}, err}
}

// data returns the values of one placeholder.
func data(name string, value any) map[string]any { return map[string]any{name: value} }

// Sentence says what was brought to the front.
func (r Result) Sentence() monitor.Sentence {
	values := map[string]any{"Program": cmp.Or(r.Program, "tmux"), "Session": r.Session}
	switch {
	case r.Session == "":
		return monitor.Sentence{Text: textWindow, Data: values}
	case r.NotRaised != nil:
		values["Problem"] = SentenceOf(r.NotRaised)
		return monitor.Sentence{Text: textTmuxOnly, Data: values}
	}
	return monitor.Sentence{Text: textTmux, Data: values}
}

// SentenceOf returns the sentence of an error of [Go].
func SentenceOf(err error) monitor.Sentence {
	if p, ok := errors.AsType[Problem](err); ok {
		return p.Sentence
	}
	return monitor.Sentence{Text: textNoTerminal}
}
