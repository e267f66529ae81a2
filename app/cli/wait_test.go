package cli

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	var out bytes.Buffer
	o := Options{Stdout: &out, Stderr: &out}
	if err := runWait(t.Context(), []string{port}, false, 10*time.Second, o); err != nil {
		t.Errorf("open port: %v", err)
	}
	err := runWait(t.Context(), []string{port}, true, 300*time.Millisecond, o)
	if err == nil || Status(err) != 1 || !strings.Contains(err.Error(), port+" did not close within 300ms") {
		t.Errorf("port that stays open: error = %v (status %d), want a timeout with status 1", err, Status(err))
	}
	closing := make(chan error, 1)
	go func() { closing <- runWait(t.Context(), []string{port}, true, 10*time.Second, o) }()
	_ = ln.Close() // before or after the first poll: both must work
	if err := <-closing; err != nil {
		t.Errorf("port that closes: %v", err)
	}
	opening := make(chan error, 1)
	go func() { opening <- runWait(t.Context(), []string{port}, false, 10*time.Second, o) }()
	again, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := <-opening; err != nil {
		t.Errorf("port that opens: %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("output = %q, want none", out.String())
	}
}

func TestWaitRefusesInvalidInput(t *testing.T) {
	for _, test := range []struct {
		port    string
		timeout time.Duration
		want    string
	}{
		{"70000", time.Second, `"70000": a port is a number from 1 to 65535`},
		{"1-5", time.Second, `"1-5": expected a single port`},
		{"", time.Second, `"": a port is a number from 1 to 65535`},
		{"80", -time.Second, "-1s: the timeout must be positive"},
	} {
		var out bytes.Buffer
		if err := runWait(t.Context(), []string{test.port}, false, test.timeout, Options{Stdout: &out, Stderr: &out}); err == nil || err.Error() != test.want || Status(err) != 2 {
			t.Errorf("runWait(%q, %v): error = %v, want %s", test.port, test.timeout, err, test.want)
		}
	}
}
