package settings

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"porthole/monitor"
)

// maxSyntaxLines limits the lines of files in which the line of a mistake is
// searched for.
const maxSyntaxLines = 2000

// yamlLine is the line in an error of package yaml.
var yamlLine = regexp.MustCompile(`line \d+: `)

// syntaxError returns err, of package yaml, as one sentence with the line of the
// mistake. The line in err is where the parser gave up: for a missing bracket or
// quote that is some lines later. The mistake is in the first line after which
// no continuation can be valid.
func (f *File) syntaxError(text string, err error) error {
	reason := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", " ")
	if i := yamlLine.FindStringIndex(reason); i != nil {
		reason = reason[i[1]:]
	}
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > maxSyntaxLines {
		return Problem{Path: f.path, Sentence: monitor.NewSentence(textSyntax, "Why", strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", " "))}
	}
	valid := len(lines) - 1 // the number of lines at the beginning that are valid YAML
	for valid > 0 && !isYAML(strings.Join(lines[:valid], "")) {
		valid--
	}
	line := lines[valid]
	for strings.TrimSpace(line) == "" && valid+1 < len(lines) {
		valid++
		line = lines[valid]
	}
	sentence := monitor.NewSentence(textSyntax, "Why", reason)
	for _, bracket := range []string{"[]", "{}"} {
		if strings.Count(line, bracket[:1]) > strings.Count(line, bracket[1:]) {
			sentence = monitor.NewSentence(textBracket, "Open", bracket[:1], "Close", bracket[1:])
		}
	}
	return Problem{Path: f.path, Line: valid + 1, Sentence: sentence}
}

func isYAML(text string) bool {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		if err := decoder.Decode(&doc); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
