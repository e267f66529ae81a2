// Package codingagent recognises coding agents among the processes, by a table of their
// programs, command lines and environment variables. It is pure.
package codingagent

import (
	"slices"
	"strings"

	"porthole/monitor"
)

// agent is one coding agent. To add one, add a row to all.
type agent struct {
	title string
	// programs are lower-case file names: of the program, or of the script that an
	// interpreter runs.
	programs []string
	// folders are parts of the path of its program or script, where the file name says
	// little: ".../node_modules/@openai/codex/bin/codex.js".
	folders []string
	// words are the first arguments with which a program of that name is the agent; nil
	// for any. Without an argument it always is.
	words []string
	// variables are what it sets in the environment of the commands that it runs:
	// NAME, set to anything, or NAME=value.
	variables []string
}

// all are the known coding agents. If one sets the variable of another, it comes
// first. The sources are the packages that install them, and what they put into the
// environment according to their own code, or to programs that detect them (vercel/vercel
// packages/detect-agent, aws/aws-cdk-cli detect-agent.ts, cli/cli internal/agents).
var all = []agent{
	// npm @sourcegraph/amp, command amp; sets AGENT=amp and CLAUDECODE=1.
	{title: "Amp", programs: []string{"amp"}, folders: []string{"/@sourcegraph/amp/"}, variables: []string{"AGENT=amp"}},
	// npm @anthropic-ai/claude-code and a native program in ~/.local/share/claude/versions, both
	// with the title claude; sets CLAUDECODE=1 and CLAUDE_CODE_ENTRYPOINT.
	{title: "Claude Code", programs: []string{"claude"}, folders: []string{"/@anthropic-ai/claude-code/", "/.local/share/claude/versions/"}, variables: []string{"CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT"}},
	// npm @openai/codex, which starts a native codex; on Linux it runs commands through
	// codex-linux-sandbox (codex-rs/linux-sandbox). codex-rs/core/src/spawn.rs sets CODEX_SANDBOX
	// and CODEX_SANDBOX_NETWORK_DISABLED; later versions CODEX_THREAD_ID and CODEX_CI.
	{title: "Codex", programs: []string{"codex", "codex-linux-sandbox", "codex-linux-san"}, folders: []string{"/@openai/codex/"},
		variables: []string{"CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_THREAD_ID", "CODEX_CI"}},
	// cursor.com/install: ~/.local/share/cursor-agent/versions/*/{node,index.js}, command
	// cursor-agent; sets CURSOR_AGENT=1. The editor is an IDE (see knownPrograms).
	{title: "Cursor CLI", programs: []string{"cursor-agent"}, folders: []string{"/cursor-agent/versions/"}, variables: []string{"CURSOR_AGENT"}},
	// npm @github/copilot, command copilot; sets COPILOT_CLI=1.
	{title: "Copilot CLI", programs: []string{"copilot"}, folders: []string{"/@github/copilot/"}, variables: []string{"COPILOT_CLI"}},
	// npm @google/gemini-cli, command gemini; packages/core/src/services/shellExecutionService.ts
	// sets GEMINI_CLI=1.
	{title: "Gemini CLI", programs: []string{"gemini"}, folders: []string{"/@google/gemini-cli/"}, variables: []string{"GEMINI_CLI"}},
	// PyPI aider-chat, command aider, or python -m aider. It sets no variable of its own.
	{title: "aider", programs: []string{"aider"}, folders: []string{"/aider-chat/"}},
	// npm opencode-ai, which starts a native opencode; sets OPENCODE=1.
	{title: "OpenCode", programs: []string{"opencode"}, folders: []string{"/opencode-ai/"}, variables: []string{"OPENCODE"}},
	// block/goose, command goose, as the migration tool of pressly/goose has it: crates/goose-cli
	// has these subcommands. It sets GOOSE_TERMINAL=1.
	{title: "Goose", programs: []string{"goose", "goosed"}, words: []string{"session", "s", "run", "web", "acp", "mcp", "agent", "schedule", "term"}, variables: []string{"GOOSE_TERMINAL"}},
}

// Variables are the environment variables that Of needs.
func Variables() (names []string) {
	for _, a := range all {
		for _, v := range a.variables {
			name, _, _ := strings.Cut(v, "=")
			names = append(names, name)
		}
	}
	return names
}

// Of returns the title of the coding agent whose variables are set; "" if there is
// none. An agent sets them for the commands that it runs, and their children inherit them.
func Of(variables map[string]string) string {
	for _, a := range all {
		for _, v := range a.variables {
			name, want, exact := strings.Cut(v, "=")
			if value, ok := variables[name]; ok && value != "" && (!exact || value == want) {
				return a.title
			}
		}
	}
	return ""
}

// Title returns the title of the coding agent that a process is, from its name and
// its command line; "" if it is none.
func Title(name string, command []string) string {
	names, path, rest := namesOf(name, command)
	for _, a := range all {
		switch {
		case slices.ContainsFunc(a.folders, func(f string) bool { return strings.Contains(path, f) }):
			return a.title
		case !slices.ContainsFunc(names, func(n string) bool { return slices.Contains(a.programs, n) }):
		case a.words == nil, len(rest) == 0, slices.Contains(a.words, rest[0]):
			return a.title
		}
	}
	return ""
}

// maxFlags limits how many flags of an interpreter are skipped.
const maxFlags = 8

// namesOf returns the names by which all may know a process, the path of its
// program or script, and the arguments after it.
func namesOf(name string, command []string) (names []string, path string, rest []string) {
	if len(command) == 0 {
		return []string{monitor.ProgramFile(name)}, "", nil
	}
	path, rest = monitor.Bound(command[0]), command[1:]
	names = []string{monitor.ProgramFile(path)}
	if !monitor.IsInterpreter(path) && names[0] != "bun" {
		return append(names, monitor.ProgramFile(name)), path, rest
	}
	for i, arg := range rest[:min(len(rest), maxFlags)] {
		arg = monitor.Bound(arg)
		if arg == "-m" && i+1 < len(rest) { // python -m aider
			return []string{monitor.ProgramFile(rest[i+1])}, "", rest[i+2:]
		}
		if !strings.HasPrefix(arg, "-") {
			return append(names, strings.TrimSuffix(monitor.ProgramFile(arg), ".js")), arg, rest[i+1:]
		}
	}
	return append(names, monitor.ProgramFile(name)), path, nil
}
