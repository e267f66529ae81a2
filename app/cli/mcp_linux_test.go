package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"porthole/internal/freeport"
	"porthole/monitor/process/child"
)

// connectMCP returns a session of the SDK's own client with a server in this process.
func connectMCP(t testing.TB, readOnly bool) *mcp.ClientSession {
	t.Helper()
	ours, theirs := mcp.NewInMemoryTransports()
	ended := make(chan error, 1)
	go func() { ended <- serveMCP(t.Context(), ours, "test", readOnly, io.Discard) }()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = session.Close()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v, want nil", err)
		}
	})
	return session
}

// call calls a tool and returns its object, or the text of its error.
func call(t testing.TB, s *mcp.ClientSession, name string, arguments map[string]any) (map[string]any, string) {
	t.Helper()
	result, err := s.CallTool(context.Background(), &mcp.CallToolParams{Name: name, Arguments: arguments})
	if err != nil {
		return nil, err.Error()
	}
	if result.IsError {
		return nil, result.Content[0].(*mcp.TextContent).Text
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(result.Content[0].(*mcp.TextContent).Text), &answer); err != nil {
		t.Fatalf("%s: got %v, want an object", name, err)
	}
	return answer, ""
}

func TestMCPTools(t *testing.T) {
	setSettings(t, "")
	s := connectMCP(t, false)
	server := child.ServeVictim(t, "listen", withoutSettings, child.With("--password", "hunter2hunter2"))
	port := strconv.Itoa(server.Port)
	free := freeport.Get(t)
	for _, test := range []struct {
		tool      string
		arguments map[string]any
		want      []string // parts of the JSON
	}{
		{"list_ports", map[string]any{"filter": []string{port}}, []string{`"port":` + port, fmt.Sprintf(`"pid":%d`, server.PID)}},
		{"who_owns", map[string]any{"target": "127.0.0.1:" + port}, []string{fmt.Sprintf(`"pid":%d`, server.PID), `"why":`}},
		{"who_owns", map[string]any{"target": strconv.Itoa(free)}, []string{`"listeners":[]`}},
		{"explain", map[string]any{"text": "Error: listen EADDRINUSE: address already in use 127.0.0.1:" + port}, []string{`"text":"127.0.0.1 is`, fmt.Sprintf(`"pid":%d`, server.PID)}},
		{"why_not_free", map[string]any{"port": server.Port}, []string{`"free":false`, fmt.Sprintf(`"pid":%d`, server.PID)}},
		{"why_not_free", map[string]any{"port": free}, []string{`"free":true`}},
		{"wait_for_port", map[string]any{"target": port}, []string{`"state":"open"`}},
		{"wait_for_port", map[string]any{"target": strconv.Itoa(free), "closed": true}, []string{`"state":"closed"`}},
		{"free_port", map[string]any{"from": free}, []string{`"port":`}},
		{"free_port", map[string]any{"from": server.Port, "count": 2}, []string{`"ports":[`, `"taken":`}},
		{"wait_for_port", map[string]any{"target": port + "," + strconv.Itoa(free), "any": true}, []string{`"ready":"` + port + `"`}},
		{"orphans", nil, []string{`"orphans":[`}},
		{"history", nil, []string{`"events":[]`}},
		{"warnings", nil, []string{`"listeners":[`}},
	} {
		answer, problem := call(t, s, test.tool, test.arguments)
		got, err := json.Marshal(answer)
		if problem != "" || err != nil {
			t.Errorf("%s %v: %s %v", test.tool, test.arguments, problem, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(string(got), want) {
				t.Errorf("%s %v: got %s, want %s in it", test.tool, test.arguments, got, want)
			}
		}
		if strings.Contains(string(got), "hunter2") {
			t.Errorf("%s %v: got %s, want the password masked", test.tool, test.arguments, got)
		}
	}
}

func TestMCPBadInput(t *testing.T) {
	s := connectMCP(t, false)
	for _, test := range []struct {
		tool      string
		arguments map[string]any
		want      string
	}{
		{"who_owns", map[string]any{"target": "99999"}, "99999"},
		{"who_owns", map[string]any{}, "target"},
		{"why_not_free", map[string]any{"port": 0}, "port 0"},
		{"why_not_free", map[string]any{"port": 70000}, "port"},
		{"wait_for_port", map[string]any{"target": "1", "timeout_seconds": 9999}, "between"},
		{"wait_for_port", map[string]any{"target": "1", "timeout_seconds": 0.05}, "did not open"},
		{"history", map[string]any{"limit": -1}, "limit"},
		{"history", map[string]any{"since": "yesterday week"}, "since"},
		{"confirm_stop", map[string]any{"token": "made up"}, "unknown token"},
		{"plan_stop", map[string]any{"target": strconv.Itoa(freeport.Get(t))}, "nothing to stop"},
		{"no_such_tool", nil, "unknown tool"},
	} {
		if answer, problem := call(t, s, test.tool, test.arguments); !strings.Contains(problem, test.want) {
			t.Errorf("%s %v: got %v %q, want an error with %q", test.tool, test.arguments, answer, problem, test.want)
		}
	}
}

func TestMCPReadOnly(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		tools, err := connectMCP(t, readOnly).ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		stops := 0
		for _, tool := range tools.Tools {
			if strings.HasSuffix(tool.Name, "_stop") {
				stops++
			}
		}
		if want := map[bool]int{false: 2, true: 0}[readOnly]; stops != want {
			t.Errorf("read-only %t: got %d tools that stop, want %d", readOnly, stops, want)
		}
	}
}

func TestMCPStopsInTwoSteps(t *testing.T) {
	s := connectMCP(t, false)
	server := child.ServeVictim(t, "listen", withoutSettings)
	plan, problem := call(t, s, "plan_stop", map[string]any{"target": strconv.Itoa(server.Port)})
	if problem != "" {
		t.Fatal(problem)
	}
	if text := fmt.Sprint(plan["plan"]); !strings.Contains(text, strconv.Itoa(server.PID)) {
		t.Errorf("got the plan %q, want the process in it", text)
	}
	if !accepts(server.Port) {
		t.Fatal("the plan stopped the process")
	}
	result, problem := call(t, s, "confirm_stop", map[string]any{"token": plan["token"]})
	if problem != "" || !strings.Contains(fmt.Sprint(result["result"]), "exited") {
		t.Errorf("got %v %q, want that the process exited", result, problem)
	}
	if accepts(server.Port) {
		t.Error("the server still listens")
	}
	if _, problem = call(t, s, "confirm_stop", map[string]any{"token": plan["token"]}); !strings.Contains(problem, "unknown token") {
		t.Errorf("the same token again: got %q, want it refused", problem)
	}
}

// A process that takes the port after the plan is not stopped.
func TestMCPRefusesAnotherProcess(t *testing.T) {
	s := connectMCP(t, false)
	first := child.ServeVictim(t, "listen", withoutSettings)
	plan, problem := call(t, s, "plan_stop", map[string]any{"target": strconv.Itoa(first.Port)})
	if problem != "" {
		t.Fatal(problem)
	}
	first.End()
	second := child.ServeVictim(t, "listen", withoutSettings, child.At(fmt.Sprintf("127.0.0.1:%d", first.Port)))
	if _, problem = call(t, s, "confirm_stop", map[string]any{"token": plan["token"]}); !strings.Contains(problem, "nothing was stopped") {
		t.Errorf("got %q, want that nothing was stopped", problem)
	}
	if !accepts(second.Port) {
		t.Error("the second process was stopped")
	}
}

// accepts reports whether something accepts connections on port.
func accepts(port int) bool {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func TestMCPLimitsPlans(t *testing.T) {
	s := connectMCP(t, false)
	server := child.ServeVictim(t, "listen", withoutSettings)
	problem := ""
	for range maxPlans + 1 {
		_, problem = call(t, s, "plan_stop", map[string]any{"target": strconv.Itoa(server.Port)})
	}
	if !strings.Contains(problem, "plans wait") {
		t.Errorf("after %d plans: got %q, want that there are too many", maxPlans+1, problem)
	}
}

// A client that asks for a thousand things at once gets a thousand answers.
func TestMCPThousandCallsAtOnce(t *testing.T) {
	s := connectMCP(t, true)
	_, port := listen(t, "127.0.0.1:0")
	var calls sync.WaitGroup
	problems := make(chan string, 1000)
	for range cap(problems) {
		calls.Go(func() {
			_, problem := call(t, s, "list_ports", map[string]any{"filter": []string{port}})
			problems <- problem
		})
	}
	calls.Wait()
	close(problems)
	for problem := range problems {
		if problem != "" {
			t.Fatal(problem)
		}
	}
}

// The command serves the SDK's client over its standard input and output, and ends when
// the client does, also in the middle of a call.
func TestMCPCommand(t *testing.T) {
	command := child.Command("mcp")
	withoutSettings(command)
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), &mcp.CommandTransport{Command: command}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, problem := call(t, session, "list_ports", nil); problem != "" || answer["listeners"] == nil {
		t.Errorf("got %v %q, want the listeners", answer, problem)
	}
	go func() { // it is interrupted
		_, _ = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "wait_for_port", Arguments: map[string]any{"target": "1", "timeout_seconds": 250}})
	}()
	if err := session.Close(); err != nil {
		t.Errorf("got %v, want the command to end by itself", err)
	}
}

// Garbage on standard input ends the command without a crash.
func TestMCPGarbage(t *testing.T) {
	for _, garbage := range []string{"hello\n", "{}\n", "[1,2]\n", "\x00\xff\n", `{"jsonrpc":"2.0","id":1,"method":"nonsense"}` + "\n", `{"jsonrpc":`} {
		command := child.Command("mcp")
		withoutSettings(command)
		var out bytes.Buffer
		command.Stdin, command.Stdout, command.Stderr = strings.NewReader(garbage), &out, &out
		done := make(chan error, 1)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { done <- command.Wait() }()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			_ = command.Process.Kill()
			t.Fatalf("%q: the command did not end", garbage)
		}
		if text := out.String(); strings.Contains(text, "panic") || strings.Contains(text, "goroutine ") {
			t.Errorf("%q: got %s", garbage, text)
		}
	}
}

func TestMCPEntries(t *testing.T) {
	var out strings.Builder
	if err := printMCPEntries(&out, true); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"claude mcp add porthole -- ", `"mcpServers"`, `"servers"`, "[mcp_servers.porthole]", program, "--read-only"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %s, want %s in it", out.String(), want)
		}
	}
}

// BenchmarkMCPList calls list_ports with a hundred listeners, and lsof, in turn. It reports
// the medians. What lsof takes depends on the number of processes and their descriptors, so the
// benchmark is run beside the processes that are there and beside as many as a desktop has.
func BenchmarkMCPList(b *testing.B) {
	b.Run("processes=few", benchmarkMCPList)
	b.Run("processes=300", func(b *testing.B) {
		beside(b, 300, 40)
		benchmarkMCPList(b)
	})
}

// beside starts processes that have this many descriptors each, and waits until they do.
func beside(b *testing.B, processes, descriptors int) {
	b.Helper()
	script := strings.Repeat("exec {fd}</dev/null; ", descriptors) + "echo ready; read"
	for range processes {
		cmd := exec.Command("bash", "-c", script)
		c, err := child.Launch(cmd)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.In.Close(); _ = cmd.Wait() }) // read fails at the end of its input
		if _, err := c.Out.ReadString('\n'); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkMCPList(b *testing.B) {
	if _, err := exec.LookPath("lsof"); err != nil {
		b.Skip("lsof is not installed")
	}
	for range 100 {
		listen(b, "127.0.0.1:0")
	}
	s := connectMCP(b, true)
	call(b, s, "list_ports", nil) // from then on the server follows the ports
	var ours, theirs []time.Duration
	measure := func(times *[]time.Duration, do func()) {
		start := time.Now()
		do()
		*times = append(*times, time.Since(start))
	}
	for b.Loop() {
		measure(&ours, func() { call(b, s, "list_ports", nil) })
		measure(&theirs, func() { _ = exec.Command("lsof", "-nP", "-iTCP", "-sTCP:LISTEN").Run() }) // 1 if a file is not accessible
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2]) / float64(time.Millisecond)
	}
	b.ReportMetric(median(ours), "ms/list_ports")
	b.ReportMetric(median(theirs), "ms/lsof")
	b.ReportMetric(median(theirs)/median(ours), "times-faster")
}
