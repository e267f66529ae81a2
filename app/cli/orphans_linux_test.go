package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/monitor/codingagent"
	"porthole/monitor/orphan"
	"porthole/monitor/process"
	"porthole/monitor/process/child"
)

func init() { roles["agent"] = playAgent }

// playAgent is a coding agent that starts a server in a session of its own, as agents do
// with commands in the background, reports it and waits. The server reads the same input,
// which the agent gets as a file.
func playAgent() {
	server := child.Command("listen")
	server.Stdin, server.SysProcAttr = os.NewFile(3, "input of the server"), &syscall.SysProcAttr{Setsid: true}
	server.Env = append(server.Env, strings.Fields(os.Getenv("TEST_AGENT_VARIABLES"))...)
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		child.Fail(err)
	}
	var listening child.Listening
	if err := json.NewDecoder(out).Decode(&listening); err != nil {
		child.Fail(err)
	}
	listening.Workers = []int{server.Process.Pid}
	child.Report(listening)
	child.Wait()
}

// startCodingAgent starts a coding agent with this command line, which starts a server with
// these variables. end kills the agent; the server ends with the test.
func startCodingAgent(t *testing.T, command []string, variables string) (server child.Server, agent int, end func()) {
	t.Helper()
	input, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := child.Command("agent")
	c.Env = slices.DeleteFunc(c.Env, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(codingagent.Variables(), name)
	})
	withoutSettings(c)
	c.Args, c.ExtraFiles, c.Dir = command, []*os.File{input}, projectFolder(t)
	c.Env = append(c.Env, "TEST_AGENT_VARIABLES="+variables)
	server.Child = child.StartVictim(t, c)
	_ = input.Close()
	t.Cleanup(func() { _ = keep.Close() })
	if err := server.ReadReport(&server.Listening); err != nil {
		t.Fatal(err)
	}
	agent, server.PID = server.PID, server.Workers[0]
	return server, agent, server.End
}

// projectFolder returns a folder of the project shop.
func projectFolder(t *testing.T) string {
	folder := t.TempDir()
	if err := os.WriteFile(folder+"/package.json", []byte(`{"name": "shop"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// judged returns what orphans says about a process, one minute later.
func judged(t *testing.T, pid int) (orphanedProcess, bool) {
	t.Helper()
	var out bytes.Buffer
	_, found, err := findOrphans(t.Context(), Options{Stdout: &out, Stderr: &out}, time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found, func(f orphanedProcess) bool { return f.owner.PID == pid })
	if i < 0 {
		return orphanedProcess{}, false
	}
	return found[i], true
}

func TestAgentsAndTheirOrphans(t *testing.T) {
	for _, test := range []struct {
		title     string
		command   []string
		variables string
		want      orphan.Certainty // after the agent has ended, without a running Porthole
	}{
		{"Claude Code", []string{"claude", "--resume"}, "CLAUDECODE=1 CLAUDE_CODE_ENTRYPOINT=cli", orphan.Likely},
		{"Claude Code", []string{"node", "--max-old-space-size=8192", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"}, "CLAUDECODE=1", orphan.Likely},
		{"Codex", []string{"/home/a/.npm/lib/node_modules/@openai/codex/vendor/x86_64-unknown-linux-musl/codex/codex"}, "CODEX_SANDBOX_NETWORK_DISABLED=1", orphan.Likely},
		{"Codex", []string{"node", "/usr/local/bin/codex"}, "CODEX_THREAD_ID=1", orphan.Likely},
		{"Cursor CLI", []string{"/home/a/.local/share/cursor-agent/versions/2025.11/node", "--use-system-ca", "/home/a/.local/share/cursor-agent/versions/2025.11/index.js"}, "CURSOR_AGENT=1", orphan.Likely},
		{"Copilot CLI", []string{"node", "/usr/local/bin/copilot"}, "COPILOT_CLI=1", orphan.Likely},
		{"Gemini CLI", []string{"node", "--no-warnings=DEP0040", "/usr/local/bin/gemini"}, "GEMINI_CLI=1", orphan.Likely},
		{"aider", []string{"/usr/bin/python3", "/home/a/.local/bin/aider", "--model", "x"}, "", orphan.Possible},
		{"aider", []string{"python3", "-m", "aider"}, "", orphan.Possible},
		{"OpenCode", []string{"opencode"}, "OPENCODE=1", orphan.Likely},
		{"Goose", []string{"goose", "session"}, "GOOSE_TERMINAL=1", orphan.Likely},
		{"Amp", []string{"node", "/usr/local/bin/amp"}, "AGENT=amp CLAUDECODE=1", orphan.Likely},
	} {
		t.Run(strings.Join(test.command, " "), func(t *testing.T) {
			server, agent, end := startCodingAgent(t, test.command, test.variables)
			listener := listJSON(t, strconv.Itoa(server.Port))["listeners"].([]any)[0].(map[string]any)
			if listener["started_by"] != test.title {
				t.Errorf("list --json: got %v, want %s", listener["started_by"], test.title)
			}
			if f, ok := judged(t, server.PID); ok {
				t.Errorf("while the agent (%d) runs: got %s, %s; want no orphan", agent, f.Certainty, f.Evidence)
			}
			end()
			f, ok := judged(t, server.PID)
			if !ok || f.Certainty != test.want {
				t.Fatalf("after the agent has ended: got %q, %s, %v; want %s", f.Certainty, f.Evidence, ok, test.want)
			}
			if test.want == orphan.Likely && !strings.Contains(f.Evidence.String(), test.title) {
				t.Errorf("got the evidence %q, want %s in it", f.Evidence, test.title)
			}
		})
	}
}

// An agent of the same kind that is older may have started the server; a younger one has
// not.
func TestOrphanWhileAnotherAgentRuns(t *testing.T) {
	other := exec.Command("/proc/self/exe")
	child.SetRole(other, "wait")
	other.Args = []string{"opencode"}
	started := child.Start(t, other)
	server, _, end := startCodingAgent(t, []string{"opencode"}, "OPENCODE=1")
	end()
	await.Until(t, "a possible orphan, with the other agent as evidence", func() bool { // the list of agents may be some seconds old
		f, ok := judged(t, server.PID)
		return ok && f.Certainty == orphan.Possible && strings.Contains(f.Evidence.String(), strconv.Itoa(started.PID))
	})
	started.End()
	if f, ok := judged(t, server.PID); !ok || f.Certainty != orphan.Likely {
		t.Errorf("after the other has ended: got %q, %v; want a likely orphan", f.Certainty, ok)
	}
}

func TestStopOrphans(t *testing.T) {
	server, _, end := startCodingAgent(t, []string{"opencode"}, "OPENCODE=1")
	kept, _, endKept := startCodingAgent(t, []string{"aider"}, "")
	end()
	endKept()
	await.Until(t, "the orphan is old enough", func() bool {
		o, err := process.Info(server.PID)
		return err == nil && time.Since(o.StartedAt) > 6*time.Second
	})
	var out, errOut bytes.Buffer
	asked := ""
	o := stopOptions{Options: Options{Stdout: &out, Stderr: &errOut}, Confirm: func(_ context.Context, _ *stopping, question string) error {
		asked = question
		return errStopCanceled
	}}
	if err := stopOrphans(t.Context(), orphan.Likely, o); err != errStopCanceled {
		t.Fatalf("got %v, want that it was canceled; %s%s", err, out.String(), errOut.String())
	}
	if !strings.Contains(asked, fmt.Sprintf("(%d) on %d", server.PID, server.Port)) || strings.Contains(asked, strconv.Itoa(kept.PID)) {
		t.Errorf("got the question %q, want %d in it and not %d", asked, server.PID, kept.PID)
	}
	if !accepts(server.Port) {
		t.Fatal("it was stopped without an answer")
	}
	only := func(pid int) func(context.Context, *stopping, string) error {
		return func(_ context.Context, _ *stopping, question string) error {
			if strings.Count(question, " on ") != 1 || !strings.Contains(question, strconv.Itoa(pid)) {
				return fmt.Errorf("it would stop others, too: %s", question)
			}
			return nil
		}
	}
	o.Confirm = only(server.PID)
	if err := stopOrphans(t.Context(), orphan.Likely, o); err != nil {
		t.Fatalf("got %v; %s%s", err, out.String(), errOut.String())
	}
	if accepts(server.Port) || !accepts(kept.Port) {
		t.Errorf("got %d accepting: %t, %d accepting: %t; want only the second", server.Port, accepts(server.Port), kept.Port, accepts(kept.Port))
	}
}

func TestStopOrphansBadInput(t *testing.T) {
	for _, args := range [][]string{{"--orphans", "3000"}, {"--orphans=surely"}, {"--orphans", "--pid", "3"}, {"--orphans", "--manager"}, {}} {
		c := newStop()
		c.SetArgs(args)
		c.SilenceErrors, c.SilenceUsage = true, true
		if err := c.Execute(); Status(err) != 2 {
			t.Errorf("stop %v: got %v, want a UsageError", args, err)
		}
	}
}

// Without a running Porthole, the closed terminal of its output confirms an orphan, but not
// while what started it runs.
func TestOrphanOfAClosedTerminal(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("needs script (bsdutils), which opens a pseudo terminal")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	port := freeport.Get(t)
	c := exec.Command(script, "-q", "-c", `setsid "`+program+`" & wait`, os.DevNull)
	child.SetRole(c, "forever")
	withoutSettings(c)
	child.At(fmt.Sprintf("127.0.0.1:%d", port))(c)
	c.Dir = t.TempDir() // no project: nothing else makes it an orphan
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end := func() {
		if !ended {
			_ = c.Process.Kill() // it may have ended
			_ = c.Wait()
			ended = true
		}
	}
	t.Cleanup(end)
	await.Until(t, "the server listens", func() bool { return accepts(port) })
	list := listJSON(t, strconv.Itoa(port))["listeners"].([]any)[0].(map[string]any)["owners"].([]any)[0].(map[string]any)
	pid := int(list["pid"].(float64))
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	if f, ok := judged(t, pid); ok {
		t.Errorf("while the terminal is open: got %s, %s", f.Certainty, f.Evidence)
	}
	end()
	await.Until(t, "a confirmed orphan", func() bool {
		f, ok := judged(t, pid)
		return ok && f.Certainty == orphan.Confirmed && strings.Contains(f.Evidence.String(), "terminal")
	})
}
