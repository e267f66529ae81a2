package codingagent

import (
	"strings"
	"testing"
)

func TestTitle(t *testing.T) {
	for command, want := range map[string]string{
		"claude": "Claude Code", "/home/a/.local/share/claude/versions/2.0.30 --resume": "Claude Code", "node /opt/claude": "Claude Code",
		"node --inspect /x/@openai/codex/bin/codex.js": "Codex", "codex-linux-sandbox --sandbox-policy x": "Codex",
		"bun /usr/local/bin/opencode": "OpenCode", "python3 -m aider": "aider", "/usr/bin/python3.11 /home/a/bin/aider": "aider",
		"goose": "Goose", "goose session": "Goose", "goose up": "", "goose -dir migrations up": "",
		"node server.js --agent codex": "", "bash -c claude": "", "cat claude": "", "python3 claude_test.py": "", "node": "", "python3 -m": "",
		"claude-desktop": "", "node /srv/claude-proxy/server.js": "",
	} {
		words := strings.Fields(command)
		if got := Title(words[0], words); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
	if got := Title("codex-linux-san", nil); got != "Codex" {
		t.Errorf("without a command line: got %q", got)
	}
}

func TestOf(t *testing.T) {
	for _, test := range []struct {
		variables map[string]string
		want      string
	}{
		{nil, ""}, {map[string]string{"CLAUDECODE": "1"}, "Claude Code"}, {map[string]string{"CLAUDECODE": ""}, ""},
		{map[string]string{"AGENT": "amp", "CLAUDECODE": "1"}, "Amp"}, {map[string]string{"AGENT": "007"}, ""},
	} {
		if got := Of(test.variables); got != test.want {
			t.Errorf("%v: got %q, want %q", test.variables, got, test.want)
		}
	}
}
