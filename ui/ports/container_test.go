package ports

import (
	"slices"
	"testing"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// A port held by docker-proxy must be shown as its container everywhere.
func TestContainerName(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(8080, "docker-proxy", 10)
	c := monitor.Container{ID: "0123456789abcdef0123456789abcdef", Address: "172.17.0.2:80", Published: true}
	show := func(c monitor.Container) *portRow {
		next := *l
		next.Container, next.Service, next.ServiceBy = &c, c.Description(), monitor.ByProgram
		d.see(&next)
		d.ports.table.Select(next.ID)
		return d.ports.table.Rows()[0]
	}
	row := show(monitor.Container{Address: c.Address, Published: true})
	if row.service != "container at 172.17.0.2:80" {
		t.Errorf("without an engine: got service %q", row.service)
	}
	c.Name, c.Image = "web", "acme/web:1"
	row = show(c)
	pane := d.ports.details.model
	if want := "container web (image acme/web:1)"; row.service != want || pane.about != want {
		t.Errorf("got row %q and details %q, want %q", row.service, pane.about, want)
	}
	if fact := [2]string{"Container", "web (acme/web:1) · 0123456789ab · 172.17.0.2:80"}; !slices.Contains(pane.facts, fact) {
		t.Errorf("got facts %q, want %q among them", pane.facts, fact)
	}
	d.ports.setFilter("acme/web")
	d.Want("found by its image", d.rows(), []string{"8080 changed"})
}
