package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"porthole/internal/freeport"
)

// free runs the command and returns its ports and what it printed on stderr.
func free(t *testing.T, o freeOptions, args ...string) (ports []int, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	o.Stdout, o.Stderr = &out, &errOut
	if o.Count == 0 {
		o.Count = 1
	}
	err = runFree(t.Context(), args, o)
	for field := range strings.FieldsSeq(out.String()) {
		port, problem := strconv.Atoi(field)
		if problem != nil {
			t.Fatalf("got %q, want ports", out.String())
		}
		ports = append(ports, port)
	}
	return ports, errOut.String(), err
}

func TestFreeSkipsTakenPorts(t *testing.T) {
	_, taken := listen(t, "127.0.0.1:0")
	from, _ := strconv.Atoi(taken)
	got, stderr, err := free(t, freeOptions{Count: 2}, taken)
	if err != nil || len(got) != 2 || got[0] <= from || got[1] <= got[0] {
		t.Fatalf("free %s: got %v, %v, want two higher ports", taken, got, err)
	}
	if !strings.Contains(stderr, taken) || !strings.Contains(stderr, "listens on") {
		t.Errorf("free %s: got %q on stderr, want the reason", taken, stderr)
	}
	for _, port := range got {
		listen(t, "0.0.0.0:"+strconv.Itoa(port)) // fails the test if it cannot be bound
	}
}

func TestFreeJSON(t *testing.T) {
	_, taken := listen(t, "127.0.0.1:0")
	var out bytes.Buffer
	err := runFree(t.Context(), []string{taken}, freeOptions{Options: Options{JSON: true, Stdout: &out, Stderr: &out}, Count: 1})
	var got freeJSON
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if err != nil || got.Taken == nil || strconv.Itoa(int(got.Taken.Port)) != taken || got.Taken.Reason == "" || !slices.Equal(got.Ports, []uint16{got.Port}) {
		t.Errorf("got %s, %v", out.String(), err)
	}
}

func TestFreeBadInput(t *testing.T) {
	for _, arg := range []string{"0", "70000", "4000-3000", "node"} {
		if _, _, err := free(t, freeOptions{}, arg); Status(err) != 2 {
			t.Errorf("free %s: got %v, want a UsageError", arg, err)
		}
	}
	for _, o := range []freeOptions{{Count: -1}, {Count: maxFreePorts + 1}, {Reserve: -1}, {Reserve: 2 * maxReserveTime}} {
		if _, _, err := free(t, o); Status(err) != 2 {
			t.Errorf("%+v: got %v, want a UsageError", o, err)
		}
	}
	for _, args := range [][]string{{"--run"}, {"--run", "3000"}, {"3000", "--", "true"}, {"--run", "--json", "--", "true"}, {"1", "2"}} {
		c := newFree()
		c.SetArgs(args)
		c.SilenceErrors, c.SilenceUsage = true, true
		if err := c.Execute(); Status(err) != 2 {
			t.Errorf("free %v: got %v, want a UsageError", args, err)
		}
	}
}

func TestFreeRange(t *testing.T) {
	_, taken := listen(t, "127.0.0.1:0")
	from, _ := strconv.Atoi(taken)
	if got, _, err := free(t, freeOptions{}, fmt.Sprintf("%d-%d", from, from+9)); err != nil || got[0] <= from || got[0] > from+9 {
		t.Errorf("free %d-%d: got %v, %v", from, from+9, got, err)
	}
	free1 := freeport.Get(t)
	r := strconv.Itoa(free1) + "-" + strconv.Itoa(free1+1)
	if _, _, err := free(t, freeOptions{Count: 5}, r); err == nil || Status(err) != 1 {
		t.Errorf("free -n 5 %s: got %v, want an error", r, err)
	}
}

// A port of another project is left out: one with a watch of its own.
func TestFreeLeavesOutWatchedPorts(t *testing.T) {
	port := freeport.Get(t)
	for text, left := range map[string]bool{
		"": false,
		fmt.Sprintf("watches:\n  - ports: %d\n", port):                true,
		fmt.Sprintf("watches:\n  - ports: %d-%d\n", port, port+5):     false, // a range claims no port
		fmt.Sprintf("watches:\n  - ports: %d\n    off: true\n", port): false,
	} {
		setSettings(t, text)
		got, stderr, err := free(t, freeOptions{}, strconv.Itoa(port))
		if err != nil || (got[0] != port) != left {
			t.Errorf("%q: got %v, %v, %q; left out %t", text, got, err, stderr, left)
		}
		if left && !strings.Contains(stderr, "a watch covers it") {
			t.Errorf("got %q, want the reason", stderr)
		}
	}
}
