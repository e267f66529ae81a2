package cli

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
)

func TestFreeSkipsTakenPorts(t *testing.T) {
	_, taken := listen(t, "127.0.0.1:0")
	var out bytes.Buffer
	if err := runFree(t.Context(), []string{taken}, Options{Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	from, _ := strconv.Atoi(taken)
	got, err := strconv.Atoi(strings.TrimSpace(out.String()))
	if err != nil || got <= from {
		t.Fatalf("free %s: got %q, %v, want a higher port", taken, out.String(), err)
	}
	listen(t, "0.0.0.0:"+strconv.Itoa(got)) // fails the test if it cannot be bound
	for _, arg := range []string{"0", "70000", "3000-4000", "node"} {
		if err := runFree(t.Context(), []string{arg}, Options{Stdout: &out}); Status(err) != 2 {
			t.Errorf("free %s: got %v, want a UsageError", arg, err)
		}
	}
}
