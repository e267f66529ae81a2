package cli

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/monitor/freeports"
	"porthole/monitor/inuse"
)

// A reserved port can't be reserved again until a server has listened on it.
func TestFreeReserves(t *testing.T) {
	from := freeport.Get(t)
	reserve := func() int {
		out, err := command("porthole", "free", strconv.Itoa(from), "--reserve", "40s").Output()
		port, _ := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil || port < from {
			t.Fatalf("got %q, %v", out, err)
		}
		return port
	}
	first, second := reserve(), reserve()
	if first == second {
		t.Fatalf("got %d twice", first)
	}
	for _, port := range []int{first, second} {
		if freeports.Check(uint16(port)) == nil {
			t.Errorf("%d is not held", port)
		}
		ln, err := net.Listen("tcp", ":"+strconv.Itoa(port)) // Go sets SO_REUSEADDR
		if err != nil {
			t.Fatalf("a server can't bind the port that is held for it: %v", err)
		}
		await.Until(t, "the holder lets go", func() bool {
			uses := inuse.Ask(t.Context(), uint16(port)).Uses
			return !slices.ContainsFunc(uses, func(u inuse.Use) bool { return u.Kind == inuse.Bound })
		})
		_ = ln.Close()
	}
}

// The command gets the port, and holds it only while it runs.
func TestFreeRun(t *testing.T) {
	from := freeport.Get(t)
	c := command("porthole", "free", strconv.Itoa(from), "-n", "2", "--run", "--", "sh", "-c", `echo "$PORT $PORT2"; read wait; exit 7`)
	c.Env = append(c.Env, "PORT=1", "PORT2=2")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var ports [2]int
	if _, err := fmt.Fscan(out, &ports[0], &ports[1]); err != nil {
		t.Fatal(err)
	}
	for _, port := range ports {
		if port < from || freeports.Check(uint16(port)) == nil {
			t.Errorf("got PORT %d, want a port from %d on that is held", port, from)
		}
	}
	_ = in.Close()
	if err := c.Wait(); c.ProcessState.ExitCode() != 7 {
		t.Errorf("got %v, want the exit status of the command", err)
	}
	await.Until(t, "the holder ends with the command", func() bool {
		return freeports.Check(uint16(ports[0])) == nil && freeports.Check(uint16(ports[1])) == nil
	})
}

func TestFreeRunsNoCommand(t *testing.T) {
	c := command("porthole", "free", "--run", "--", "/nonexistent/program")
	c.Stderr = nil
	out, err := c.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 || !strings.Contains(string(out), "/nonexistent/program") {
		t.Errorf("got %v, %s", err, out)
	}
}
