package main

import (
	"context"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// notRun are the commands of README and docs that this test cannot run, by how
// they begin, each with the reason.
var notRun = map[string]string{
	"python3 -m http.server": "a server of another program, and it would take the port that people watch",
	"sudo apt ":              "changes the machine",
	"sudo porthole ":         "needs root; porthole list runs here",
	"make ":                  "see TestEveryTargetInTheDocsIsThere; CI runs make test and make test-long",
	"go test ":               "make test runs those packages",
	"CGO_ENABLED=0 go build": "TestEveryCommandInTheDocsRuns begins with it",
	"CGO_ENABLED=0 go test":  "make test runs those packages",
}

// blanks are words that stand for something in the text of a command.
var blanks = strings.NewReplacer("PORT", "62893", "NAME", "shop", "ADDRESS", "127.0.0.1")

// inline is a command in the text, between backquotes.
var inline = regexp.MustCompile("`(porthole [^`]+|make [a-z-]+[^`]*)`")

// commands are all commands in README and docs: each line of a block without a
// language or in sh, and what stands between backquotes in the text.
func commands(t *testing.T) (found []string) {
	t.Helper()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
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

func unrun(command string) (reason string, ok bool) {
	for begin, reason := range notRun {
		if strings.HasPrefix(command, begin) {
			return reason, true
		}
	}
	return "", false
}

// build builds the program without the window.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "porthole")
	c := exec.Command("go", "build", "-o", program, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("CGO_ENABLED=0 go build: %v\n%s", err, out)
	}
	return program
}

// Without C the program runs on a machine that has no OpenGL, no X and not even
// a C library: it needs none of their files.
func TestTheProgramWithoutTheWindowNeedsNoLibrary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("ELF is Linux's here")
	}
	f, err := elf.Open(build(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it needs %q, %v; want nothing", libraries, err)
	}
}

// Every command runs as it is written, in a home of its own without a desktop,
// and is understood: its exit status is not that of bad input.
func TestEveryCommandInTheDocsRuns(t *testing.T) {
	program := build(t)
	home := t.TempDir()
	env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + home,
		"XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_CACHE_HOME=" + home}
	ran := 0
	for _, command := range commands(t) {
		if reason, ok := unrun(command); ok {
			t.Logf("not run: %s (%s)", command, reason)
			continue
		}
		arguments, ok := strings.CutPrefix(blanks.Replace(command), "porthole")
		if !ok {
			t.Errorf("%q is not run by a test", command)
			continue
		}
		ran++
		words := strings.Fields(strings.ReplaceAll(arguments, `"`, ""))
		switch {
		case slices.Contains(words, "stop"):
			words = append(words, "--help") // it would end what this machine runs
		case slices.Contains(words, "wait"):
			words = append(words, "--timeout", "100ms")
		}
		if status := exitStatus(t, program, env, words); !slices.Contains([]int{0, 1, 3}, status) {
			t.Errorf("%q: exit status %d", command, status)
		}
	}
	if ran < 12 {
		t.Errorf("%d commands of porthole were run; the pages have more", ran)
	}
}

// exitStatus runs the program, and ends it after a second, which is no failure:
// porthole events goes on for ever.
func exitStatus(t *testing.T, program string, env, words []string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, program, words...)
	c.Env, c.WaitDelay = env, 5*time.Second
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		if exit.ExitCode() == 2 {
			t.Logf("%q says %s", words, out)
		}
		return exit.ExitCode()
	case err != nil && ctx.Err() == nil:
		t.Errorf("%q: %v", words, err)
	}
	return 0
}

// Targets that README and docs name are in the Makefile, and help lists all.
func TestEveryTargetInTheDocsIsThere(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range commands(t) {
		if target, ok := strings.CutPrefix(command, "make "); ok {
			target, _, _ = strings.Cut(target, " ")
			if !regexp.MustCompile(`(?m)^` + target + `:.*## `).Match(makefile) {
				t.Errorf("make %s is in the docs and not in what make help lists", target)
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
