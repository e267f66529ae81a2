package agent

import (
	"net"
	"os"
	"strings"
	"testing"

	"porthole/app/ipc"
	"porthole/app/settings"
	"porthole/internal/await"
	"porthole/monitor"
	"porthole/monitor/label"
	"porthole/monitor/watch"
)

// The agent writes labels and hiding rules to the file, and applies them to listeners that
// it already knows.
func TestChangeLabels(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r := runAgent(t)
	port := uint16(ln.Addr().(*net.TCPAddr).Port)
	on := watch.Rule{Ports: monitor.Ports{{First: port, Last: port}}}
	change := label.Rules{Labels: []label.Label{{On: on, Name: "shop\x1b front"}}, Hidden: []label.Hidden{{On: on}}}
	described := func(what, name string, hidden bool) {
		t.Helper()
		await.Until(t, what, func() bool {
			answer, err := ipc.Request(r.dir, ipc.Message{Kind: ipc.Lookup, Port: port})
			return err == nil && len(answer.Listeners) == 1 && answer.Listeners[0].Label == name && answer.Listeners[0].Hidden == hidden
		})
	}
	r.send(ipc.Message{Kind: ipc.ChangeLabels, Added: change})
	described("the label", "shop front", true)
	if b, err := os.ReadFile(settings.Path()); err != nil || !strings.Contains(string(b), "name: shop front\n") || !strings.Contains(string(b), "hidden:\n") {
		t.Errorf("error %v, got the file\n%s", err, b)
	}
	change.Labels[0] = change.Labels[0].Cleaned()
	r.send(ipc.Message{Kind: ipc.ChangeLabels, Removed: change})
	described("no label", "", false)
	r.send(ipc.Message{Kind: ipc.ChangeLabels, Added: label.Rules{Hidden: []label.Hidden{{}}}})
	m := r.waitFor("the refusal", func(m ipc.Message) bool { return m.Kind == ipc.Result && m.Key == ipc.KeyLabels && m.Problem != "" })
	if !strings.Contains(m.Problem, "would hide everything") {
		t.Errorf("got the problem %q", m.Problem)
	}
}
