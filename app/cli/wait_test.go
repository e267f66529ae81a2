package cli

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	var said bytes.Buffer
	o := Options{Stdout: &said, Stderr: &said}
	if err := Wait(t.Context(), port, false, 10*time.Second, o); err != nil {
		t.Errorf("an open port: %v", err)
	}
	err = Wait(t.Context(), port, true, 300*time.Millisecond, o)
	if err == nil || Status(err) != 1 || !strings.Contains(err.Error(), port+" did not close within 300ms") {
		t.Errorf("a port that stays open: %v, status %d", err, Status(err))
	}
	closing := make(chan error, 1)
	go func() { closing <- Wait(t.Context(), port, true, 10*time.Second, o) }()
	time.Sleep(50 * time.Millisecond) // it waits, or begins to: both are right
	_ = ln.Close()
	if err := <-closing; err != nil {
		t.Errorf("a port that closes: %v", err)
	}
	opening := make(chan error, 1)
	go func() { opening <- Wait(t.Context(), port, false, 10*time.Second, o) }()
	again, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := <-opening; err != nil {
		t.Errorf("a port that opens: %v", err)
	}
	if said.Len() > 0 {
		t.Errorf("it said %q", said.String())
	}
}

func TestWaitTakesOnePortAndATime(t *testing.T) {
	var said bytes.Buffer
	for port, want := range map[string]string{
		"70000": `"70000": a port is a number from 1 to 65535`,
		"1-5":   `"1-5": wait takes one port`,
		"":      `"": a port is a number from 1 to 65535`,
	} {
		if err := Wait(t.Context(), port, false, time.Second, Options{Stdout: &said, Stderr: &said}); err == nil || err.Error() != want || Status(err) != 2 {
			t.Errorf("%q: %v; want %s", port, err, want)
		}
	}
	if err := Wait(t.Context(), "80", false, -time.Second, Options{Stdout: &said, Stderr: &said}); Status(err) != 2 {
		t.Errorf("a negative timeout: %v", err)
	}
}
