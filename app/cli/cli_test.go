package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"porthole/app/doctor"
)

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("failed"), 1},
		{ErrFree, 1},
		{UsageError{"invalid"}, 2},
		{fmt.Errorf("list: %w", UsageError{"invalid"}), 2},
	} {
		if got := Status(test.err); got != test.want {
			t.Errorf("Status(%v) = %d, want %d", test.err, got, test.want)
		}
	}
}

// Every command checks the number of its arguments and returns a UsageError of
// one line.
func TestWrongNumberOfArguments(t *testing.T) {
	for name, args := range map[string][]string{
		"wait": {}, "who": {}, "explain": {}, "stop": {"80", "81"}, "forget": {"80", "81"}, "doctor": {"80"}, "watch": {"80"},
	} {
		if err := execute(t, append([]string{name}, args...)...); Status(err) != 2 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %q: error = %v, want a UsageError of one line", name, args, err)
		}
	}
}

// execute runs a command as the program does.
func execute(t *testing.T, args ...string) error {
	t.Helper()
	root := &cobra.Command{Use: "porthole", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Commands(doctor.Options{})...)
	root.SetArgs(args)
	return root.ExecuteContext(t.Context())
}

func TestParsePort(t *testing.T) {
	if port, err := ParsePort("5432"); port != 5432 || err != nil {
		t.Errorf("ParsePort(5432) = %d, %v, want 5432", port, err)
	}
	for _, text := range []string{"0", "70000", "http", "3000-3999", "80,81", ""} {
		if _, err := ParsePort(text); Status(err) != 2 {
			t.Errorf("ParsePort(%q): error = %v, want a UsageError", text, err)
		}
	}
}

func TestBrokenSettingsAreReportedOnce(t *testing.T) {
	setSettings(t, "watches:\n  - ports: 70000\n")
	var out, stderr bytes.Buffer
	if err := runList(t.Context(), []string{"62893"}, Options{JSON: true, Stdout: &out, Stderr: &stderr}); err != nil {
		t.Fatal(err)
	}
	if got := stderr.String(); !strings.Contains(got, "line 2") || !strings.HasSuffix(got, "; using the default settings\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("stderr = %q, want one line with the line number and what applies instead", got)
	}
	decode(t, out.Bytes())
	if q, _ := newQuery(nil, Options{Stderr: &stderr}); !q.rules.WatchesPort(62893) {
		t.Errorf("rules = %+v, want the default watch", q.rules)
	}
}

// /dev/null is a character device like a terminal, but it cannot answer a question.
func TestNullDeviceIsNotATerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	before := os.Stdin
	defer func() { os.Stdin = before }()
	os.Stdin = null
	if terminalInput() != nil {
		t.Errorf("terminalInput() returned %s, want nil", os.DevNull)
	}
}
