package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/rawsocket"
	"porthole/monitor/inuse"
)

// bind returns the port of a TCP socket that is bound to 127.0.0.1 and does not listen.
func bind(t *testing.T) string {
	t.Helper()
	s := rawsocket.Bind(t, unix.SOCK_STREAM, "127.0.0.1", 0)
	if inuse.Ask(t.Context(), s.Port).Uses == nil {
		t.Skip("this kernel does not report bound sockets: they need Linux 6.8")
	}
	return strconv.Itoa(int(s.Port))
}

// wait says why a server can't bind the port, after a timeout and when nothing listens.
func TestWaitSaysWhyThePortIsTaken(t *testing.T) {
	port := bind(t)
	want := "porthole: nothing listens on " + port + ", but it is not free. "
	for _, closed := range []bool{false, true} {
		var stderr bytes.Buffer
		err := runWait(t.Context(), []string{port}, waitOptions{Options: Options{Stdout: io.Discard, Stderr: &stderr}, Closed: closed, Timeout: 50 * time.Millisecond})
		if (err == nil) != closed || !strings.HasPrefix(stderr.String(), want) || !strings.Contains(stderr.String(), fmt.Sprintf("(PID %d) has bound 127.0.0.1:%s", os.Getpid(), port)) {
			t.Errorf("wait, closed %t: got %v and %q, want the reason", closed, err, stderr.String())
		}
	}
}

// Nothing listens on a port that is only bound, or the local end of a connection, but
// no command calls it free.
func TestPortThatNothingListensOnIsNotFree(t *testing.T) {
	setSettings(t, "")
	_, listening := listen(t, "127.0.0.1:0")
	conn, err := net.Dial("tcp", "127.0.0.1:"+listening)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := strconv.Itoa(conn.LocalAddr().(*net.TCPAddr).Port)
	me := fmt.Sprintf("(PID %d)", os.Getpid())
	for port, want := range map[string]string{
		bind(t): me + " has bound 127.0.0.1:",
		client:  "as the local end of a connection to 127.0.0.1:" + listening,
	} {
		who, err := whoOutput(t, port, false)
		if !errors.Is(err, ErrFree) || !strings.HasPrefix(who, "Nothing listens on "+port+", but the port is not free. ") || !strings.Contains(who, want) || !strings.Contains(who, me) {
			t.Errorf("who: got %q, %v", who, err)
		}
		var list, stderr bytes.Buffer
		if err := runList(t.Context(), []string{port}, Options{Stdout: &list, Stderr: &stderr}); err != nil || !strings.Contains(list.String(), want) || strings.Contains(list.String(), "is free") {
			t.Errorf("list: got %q, %v", list.String(), err)
		}
		list.Reset()
		if err := runList(t.Context(), []string{port}, Options{Stdout: &list, Stderr: &stderr, JSON: true}); err != nil {
			t.Fatal(err)
		}
		if uses := usesNow(t, list.Bytes()); len(uses) != 1 || uses[0]["local"] != "127.0.0.1:"+port {
			t.Errorf("list --json: got %s", list.String())
		}
		text, err := explainOutput(t, "127.0.0.1:"+port, false)
		if text = strings.Join(strings.Fields(text), " "); err != nil || !strings.Contains(text, want) {
			t.Errorf("explain: got %q, %v", text, err)
		}
		asJSON, _ := whoOutput(t, port, true)
		if uses := usesNow(t, []byte(asJSON)); len(uses) != 1 || uses[0]["local"] != "127.0.0.1:"+port {
			t.Errorf("who --json: got %s", asJSON)
		}
		if _, err := stopOutput(t, port, stopOptions{Yes: true}); Status(err) != 1 || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "is free") {
			t.Errorf("stop: got %v", err)
		}
		stderr.Reset()
		if err := runWait(t.Context(), []string{port}, waitOptions{Options: Options{Stdout: &list, Stderr: &stderr}, Closed: true, Timeout: 10 * time.Second}); err != nil || !strings.Contains(stderr.String(), want) {
			t.Errorf("wait --closed: stderr %q, %v", stderr.String(), err)
		}
	}
}

// usesNow returns the uses of a port in the output of a command, without those of connections that
// have ended: the kernel may have given the port to another test before.
func usesNow(t *testing.T, output []byte) (uses []map[string]any) {
	t.Helper()
	all, _ := decode(t, output)["in_use"].([]any)
	for _, u := range all {
		if u := u.(map[string]any); u["kind"] != "time_wait" {
			uses = append(uses, u)
		}
	}
	return uses
}
