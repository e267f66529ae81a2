package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"porthole/e2e/desktop"
	"porthole/internal/freeport"
	"porthole/monitor/procevents"
)

// perlServer is a web server that fails on a request for /fail: it exits with status 1.
// Unlike a Go program, perl leaves SIGSEGV to the kernel.
const perlServer = `use IO::Socket::INET;
chdir "/"; # no project
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die $@;
while (my $client = $server->accept) {
	my $request = <$client>;
	exit 1 if $request =~ m{^GET /fail };
	print $client "HTTP/1.0 200 OK\r\n\r\nfine\n";
	close $client;
}`

// needProcessEvents skips the test if the kernel sends no process events to this process.
func needProcessEvents(t *testing.T) {
	t.Helper()
	s := procevents.Open()
	defer s.Close()
	if s.State() != procevents.Available {
		t.Skipf("the kernel's process events are %s: %s", s.State(), s.Reason())
	}
}

// A server that crashes is notified with how it ended, without the delay for restarts. The
// history keeps it.
func TestCrashNotification(t *testing.T) {
	needProcessEvents(t)
	d := startDesk(t, desktop.DefaultOptions())
	ports := []int{freeport.Get(t), freeport.Get(t)}
	d.writeSettings(fmt.Sprintf("grace_period: 1m\nwatches:\n  - ports: %d\n  - ports: %d\n", ports[0], ports[1]))
	d.item(d.start())
	window := d.mainWindow()
	d.steady(window)
	d.do("go to the history", window.Key("ctrl+2"))
	for i, crash := range []struct {
		how    string
		cause  func(*exec.Cmd, int) error
		stored historyEvent
	}{
		{"exited with status 1", func(_ *exec.Cmd, port int) error { return get(port, "/fail") }, historyEvent{Status: 1}},
		{"was killed by SIGSEGV", func(c *exec.Cmd, _ int) error { return c.Process.Signal(syscall.SIGSEGV) }, historyEvent{Signal: "SIGSEGV"}},
	} {
		port := strconv.Itoa(ports[i])
		server := d.run("perl", nil, "-e", perlServer, port)
		d.note(noteOpen(port, "perl"))
		d.waitHistory(port, eventOpened)
		before := d.steady(window)
		d.do("make the server crash", crash.cause(server.cmd, ports[i]))
		d.note(noteCrashed(port, "perl", crash.how))
		e := d.waitHistory(port, eventOpened, eventClosed)[1]
		if e.Status != crash.stored.Status || e.Signal != crash.stored.Signal || e.Owner.Name != "perl" {
			t.Errorf("got the event %+v; want that perl %s", e, crash.how)
		}
		p := d.start("history", port)
		d.wantStatus(p, 0)
		if !strings.Contains(p.out.String(), crash.how) {
			t.Errorf("porthole history printed no %q: %s", crash.how, p.out.String())
		}
		d.waitChanged("the History page shows the crash", window, before)
		d.steady(window)
		d.shot("crash-" + strconv.Itoa(i+1))
	}
}

// get sends a request to a server on this machine, and returns when it has closed the
// connection.
func get(port int, path string) error {
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.0\r\n\r\n", path); err != nil {
		return err
	}
	_, _ = c.Read(make([]byte, 1)) // the end
	return nil
}
