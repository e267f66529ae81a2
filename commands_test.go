package main

import (
	"bufio"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"porthole/internal/freeport"
	"porthole/monitor/process/child"
)

// notRun are the commands in README and docs that the test cannot run, by
// command prefix, each with the reason.
var notRun = map[string]string{
	"python3 -m http.server":  "it is another program, and its port may be in use",
	"sudo apt ":               "it changes the machine",
	"sudo dnf ":               "it changes the machine",
	"sudo pacman ":            "it changes the machine",
	"sudo porthole ":          "it needs root; porthole list is run",
	"porthole terminal ":      "it would raise a window of whoever runs the test; e2e runs it",
	"porthole --host ":        "it needs another machine; TestHostList runs it with a stand-in for ssh",
	"porthole restart ":       "it would stop the test's server; TestRestart runs it",
	"porthole stop --orphans": "it might stop servers of whoever runs the test; TestStopOrphans runs it",
	"porthole free --run":     "its command is an example; the tests of the command line run others",
	"porthole capture ":       "it needs privileges; the tests of monitor/traffic/capture capture in a network of their own",
	"porthole traffic FILE":   "it needs a file; the tests of app/cli print several",
	"make ":                   "see TestDocumentedTargetsExist; CI runs make test and make test-long",
	"go test ":                "make test tests those packages",
	"CGO_ENABLED=0 go build":  "TestDocumentedCommands begins with it",
	"CGO_ENABLED=0 go test":   "make test tests those packages",
}

// answer is the expected output and exit status of a documented command.
type answer struct {
	status int
	want   []string // regular expressions, in which {open}, {pid} and {free} stand for numbers
	json   bool     // each line is a JSON value
}

// answers are the expected answers of the documented commands, by command prefix. The
// longest prefix counts. The commands run without a desktop and while Porthole is not
// running. The test replaces 62893 with a port that is open, whose owner has the PID
// {pid}, and 5432 with a free port.
var answers = map[string]answer{
	"porthole":                          {status: 3, want: []string{`(?i)no display`}},
	"porthole --hidden":                 {status: 3, want: []string{`(?i)no session bus`}},
	"porthole show ":                    {status: 3, want: []string{`(?i)no display`}},
	"porthole quit":                     {status: 1, want: []string{`not running`}},
	"porthole list":                     {want: []string{`(?m)^PORT +ADDRESS +PROCESS`, `(?m)^{open}\b.* {pid} `}},
	"porthole list --json":              {json: true, want: []string{`^\{"taken_at":"`, `"listeners":\[`, `"port":{open},"addresses":\["127\.0\.0\.1"\]`, `"pid":{pid},`}},
	"porthole list --by":                {want: []string{`(?m)^PORT +ADDRESS +PROCESS`, `(?m)^{open}\b.* {pid} `}},
	"porthole list --by project --json": {json: true, want: []string{`"projects":\[`, `"port":{open},`}},
	"porthole list --hidden":            {want: []string{`^Nothing listens on loopback`}},
	"porthole who":                      {status: 2, want: []string{`usage: porthole who`}},
	"porthole who shop-api":             {status: 1, want: []string{`nothing with the name "shop-api" listens`}},
	"porthole list --all":               {want: []string{`sock_diag|/proc/net`, `(?m)^{open}\b.* {pid} `}},
	"porthole list 62893":               {want: []string{`(?m)^{open}\b.* {pid} `}},
	"porthole list 3000":                {want: []string{`(?m)^PORT +ADDRESS|^Nothing listens .*3000-3999`}},
	"porthole free":                     {want: []string{`^[0-9]+\n$`}},
	"porthole free 5432 -n":             {want: []string{`^[0-9]+\n[0-9]+\n$`}},
	"porthole free 8000":                {want: []string{`^(8[0-9]{3}\n){3}$`}},
	"porthole orphans":                  {want: []string{`^PORT +PROCESS|^No server is orphaned`}},
	"porthole watch add 3000 --health":  {want: []string{`^Watching 3000, health /health`}},
	"porthole watch list":               {want: []string{`62893|{open}`}},
	"porthole pause":                    {status: 1, want: []string{`not running`}},
	"porthole resume":                   {status: 1, want: []string{`not running`}},
	"porthole list 5432":                {want: []string{`^{free} is free|^Nothing listens .*{free}`}},
	"porthole events":                   {want: []string{`\d+ listening`}},
	"porthole events --json":            {json: true, want: []string{`"kind":"ready"`, `"listeners":[1-9]`}},
	"porthole wait 5432":                {status: 1, want: []string{`{free} did not open`}},
	"porthole wait 5432 3000":           {status: 1, want: []string{`{free}, 3000 did not open`}},
	"porthole wait --any":               {status: 1, want: []string{`{free}, 3000 did not open`}},
	"porthole wait postgres":            {status: 1, want: []string{`shop-api did not open`}},
	"porthole list by:":                 {want: []string{`^PORT +ADDRESS|^Nothing that matches`}},
	"porthole wait 62893":               {want: []string{`^$`}},
	"porthole who 62893":                {want: []string{`^{open} is used by .*\({pid}\)`, `(?m)^ +why `, `(?m)^ +address +127\.0\.0\.1`}},
	"porthole who 5432":                 {status: 1, want: []string{`^{free} is free`}},
	"porthole explain 127":              {want: []string{`^127\.0\.0\.1 is the loopback address`, `\b{open}\b`, `\b{pid}\b`}},
	"porthole stop":                     {status: 2, want: []string{`porthole stop: .*port`}},
	"porthole stop 62893":               {status: 2, want: []string{`^{open} is used by`, `\({pid}\)`, `without a terminal.*--yes`}},
	"porthole history":                  {want: []string{`^No recorded events`}},
	"porthole forget 5432":              {status: 2, want: []string{`without a terminal.*--yes`}},
	"porthole mcp":                      {want: []string{`^$`}},
	"porthole mcp --install":            {want: []string{`claude mcp add porthole -- `, `"mcpServers"`}},
	"porthole tap ":                     {want: []string{`tap of \d+ on 127\.0\.0\.1:\d+`}},
	"porthole doctor":                   {status: 1, want: []string{`(?m)^ok +Listening ports`, `(?m)^ERROR +Session bus`}},
}

// placeholders replaces the placeholders in the text of a command.
var placeholders = strings.NewReplacer("PORT", "62893", "NAME", "shop", "ADDRESS", "127.0.0.1")

// inline is a command in the text, between backquotes.
var inline = regexp.MustCompile("`(porthole [^`]+|make [a-z-]+[^`]*)`")

// commands returns all commands in README and docs: each line of a block without a
// language or in sh, and those between backquotes in the text.
func commands(t *testing.T) (found []string) {
	t.Helper()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("got %d pages, %v; want some", len(pages), err)
	}
	for _, path := range append(pages, "README.md") {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, commandsOf(string(page))...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func commandsOf(page string) (found []string) {
	block, inBlock := "", false
	for line := range strings.Lines(page) {
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		command, _, _ := strings.Cut(line, " #") // a comment
		command = strings.TrimSpace(command)
		switch {
		case fence:
			block, inBlock = language, !inBlock
		case inBlock && (block == "" || block == "sh") && command != "":
			found = append(found, command)
		case !inBlock:
			for _, span := range inline.FindAllStringSubmatch(line, -1) {
				found = append(found, span[1])
			}
		}
	}
	return found
}

// longestPrefix returns the longest key of a map that a command begins with.
func longestPrefix[T any](m map[string]T, command string) (longest string, ok bool) {
	for key := range m {
		if strings.HasPrefix(command, key) && len(key) >= len(longest) {
			longest, ok = key, true
		}
	}
	return longest, ok
}

// programWithoutC is the program built without C. The tests share it, and TestMain
// removes it.
var programWithoutC = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "porthole-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "porthole")
	c := exec.Command("go", "build", "-o", program, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return program, fmt.Errorf("CGO_ENABLED=0 go build: %w: %s", err, out)
	}
	return program, nil
})

var built bool

func build(t *testing.T) string {
	t.Helper()
	built = true
	program, err := programWithoutC()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func TestMain(m *testing.M) {
	child.Play(child.Servers)
	status := m.Run()
	if built {
		if program, _ := programWithoutC(); program != "" {
			_ = os.RemoveAll(filepath.Dir(program))
		}
	}
	os.Exit(status)
}

// The program without C runs on a machine without OpenGL, X and a C library: it is linked
// with none of their files.
func TestProgramWithoutCNeedsNoLibrary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the program is an ELF file only on Linux")
	}
	f, err := elf.Open(build(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("got the libraries %q, %v; want none", libraries, err)
	}
}

// Every documented command gives the expected answer in an empty home folder.
func TestDocumentedCommands(t *testing.T) {
	program := build(t)
	home := t.TempDir()
	env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + home,
		"XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_CACHE_HOME=" + home}
	server := child.Serve(t, "listen")
	port, pid := strconv.Itoa(server.Port), strconv.Itoa(server.PID)
	free := fmt.Sprint(freeport.Get(t))
	ports := strings.NewReplacer("62893", port, "5432", free)
	numbers := strings.NewReplacer("{open}", port, "{pid}", pid, "{free}", free)
	ran := 0
	for _, command := range commands(t) {
		if begin, ok := longestPrefix(notRun, command); ok {
			t.Logf("not run: %s (%s)", command, notRun[begin])
			continue
		}
		command = placeholders.Replace(command)
		begin, ok := longestPrefix(answers, command)
		if !ok {
			t.Errorf("%q: no answer is known; add it to answers", command)
			continue
		}
		ran++
		want := answers[begin]
		words := strings.Fields(strings.ReplaceAll(ports.Replace(strings.TrimPrefix(command, "porthole")), `"`, ""))
		if slices.Contains(words, "wait") {
			words = append(words, "--timeout", "100ms")
		}
		out, status := run(t, program, env, words)
		if status != want.status {
			t.Errorf("%q: got exit status %d, want %d; it printed %s", command, status, want.status, out)
		}
		for _, pattern := range want.want {
			if !regexp.MustCompile(numbers.Replace(pattern)).MatchString(out) {
				t.Errorf("%q: got %q, want a match of %q", command, out, numbers.Replace(pattern))
			}
		}
		for line := range strings.Lines(out) {
			if want.json && !json.Valid([]byte(line)) {
				t.Errorf("%q: got the line %q, want JSON", command, line)
			}
		}
	}
	if ran < 12 {
		t.Errorf("got %d commands of porthole in README and docs, want at least 12", ran)
	}
	if _, err := net.Dial("tcp", "127.0.0.1:"+port); err != nil {
		t.Errorf("after all commands: %v; want that none of them stopped the listener", err)
	}
}

// run runs the program and returns its output and exit status. It ends porthole events
// and tap after the first line, because they run until they are interrupted.
func run(t *testing.T, program string, env, words []string) (out string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, program, words...)
	c.Env = env
	r, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var b []byte
	if slices.Contains(words, "events") || slices.Contains(words, "tap") {
		lines := bufio.NewReader(r)
		b, err = lines.ReadBytes('\n')
		err = errors.Join(err, c.Process.Signal(syscall.SIGINT))
		_, _ = io.Copy(io.Discard, lines) // it may be blocked by a full pipe
	} else {
		b, err = io.ReadAll(r)
	}
	if err != nil {
		t.Errorf("%q: read the output: %v", words, err)
	}
	var exit *exec.ExitError
	if err := c.Wait(); err != nil && !errors.As(err, &exit) {
		t.Errorf("%q: %v", words, err)
	}
	return string(b), c.ProcessState.ExitCode()
}

// Targets in README and docs are in the Makefile, and make help lists all targets.
func TestDocumentedTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range commands(t) {
		if target, ok := strings.CutPrefix(command, "make "); ok {
			target, _, _ = strings.Cut(target, " ")
			if !regexp.MustCompile(`(?m)^` + target + `:.*## `).Match(makefile) {
				t.Errorf("make %s is in the docs and not in make help", target)
			}
		}
	}
	_, phony, _ := strings.Cut(string(makefile), ".PHONY: ")
	phony, _, _ = strings.Cut(phony, "\n")
	for target := range strings.FieldsSeq(phony) {
		if !strings.Contains(target, "prerequisites") && !regexp.MustCompile(`(?m)^`+target+`:.*## `).Match(makefile) {
			t.Errorf("make help does not list %s", target)
		}
	}
}
