package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"porthole/monitor"
)

// mcpClients are the usual clients, each with the file where it keeps its servers and the
// entry for a program with arguments.
var mcpClients = []struct {
	name, place string
	entry       func(program string, args []string) string
}{
	{"Claude Code", "run", func(program string, args []string) string {
		return monitor.ShellCommand(append([]string{"claude", "mcp", "add", "porthole", "--", program}, args...))
	}},
	{"Claude Desktop, Cursor (~/.cursor/mcp.json), Gemini CLI (~/.gemini/settings.json)", "add to the JSON", jsonEntry("mcpServers", false)},
	{"VS Code", "add to .vscode/mcp.json", jsonEntry("servers", true)},
	{"Codex", "add to ~/.codex/config.toml", func(program string, args []string) string {
		var quoted []string
		for _, a := range args {
			quoted = append(quoted, strconv.Quote(a))
		}
		return fmt.Sprintf("[mcp_servers.porthole]\ncommand = %s\nargs = [%s]", strconv.Quote(program), strings.Join(quoted, ", "))
	}},
}

// jsonEntry returns an entry below the key for the servers.
func jsonEntry(key string, withType bool) func(string, []string) string {
	return func(program string, args []string) string {
		type entry struct {
			Type    string   `json:"type,omitempty"`
			Command string   `json:"command"`
			Args    []string `json:"args"`
		}
		e := entry{Command: program, Args: args}
		if withType {
			e.Type = "stdio"
		}
		b, _ := json.MarshalIndent(map[string]any{key: map[string]any{"porthole": e}}, "", "  ") // strings never fail
		return string(b)
	}
}

// printMCPEntries prints what to add to the settings of the usual clients.
func printMCPEntries(w io.Writer, readOnly bool) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	args := []string{"mcp"}
	if readOnly {
		args = append(args, "--read-only")
	}
	for i, c := range mcpClients {
		space := "\n"
		if i == 0 {
			space = ""
		}
		if _, err := fmt.Fprintf(w, "%s%s: %s\n\n%s\n", space, c.name, c.place, c.entry(program, args)); err != nil {
			return fmt.Errorf("write the entries: %w", err)
		}
	}
	return nil
}
