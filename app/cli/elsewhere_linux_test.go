package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/internal/namespaces"
	"porthole/internal/rawsocket"
)

// A server listens on one address of the network only. Who pastes the error of a
// server that wanted all addresses learns which process it is.
func TestPastedErrorNamesAListenerOnANetworkAddress(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and ip(8)")
	}
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	if out, err := exec.Command("ip", "addr", "add", "192.168.7.2/24", "dev", "lo").CombinedOutput(); err != nil { // some kernels lack dummy devices
		t.Fatalf("add an address: %v\n%s", err, out)
	}
	setSettings(t, "")
	s := rawsocket.Bind(t, unix.SOCK_STREAM, "192.168.7.2", 0).Listen(t)
	me, at := fmt.Sprint(os.Getpid()), fmt.Sprintf("192.168.7.2:%d", s.Port)
	for _, line := range []string{fmt.Sprintf("Error: listen EADDRINUSE: address already in use 0.0.0.0:%d", s.Port), fmt.Sprint(s.Port)} {
		who, _ := whoOutput(t, line, false)
		var list, stderr bytes.Buffer
		err := runList(t.Context(), []string{line}, Options{Stdout: &list, Stderr: &stderr})
		for name, out := range map[string]string{"who": who, "list": list.String()} {
			if strings.Contains(out, "is free") || !strings.Contains(out, me) || !strings.Contains(out, "192.168.7.2") {
				t.Errorf("%s %q: got %q (%v, %q); want the process %s at %s", name, line, out, err, stderr.String(), me, at)
			}
		}
	}
}
