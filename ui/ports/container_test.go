package ports

import (
	"slices"
	"testing"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// What docker-proxy holds is told as its container, everywhere.
func TestAContainerIsToldByItsName(t *testing.T) {
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
		t.Errorf("without an engine: %q", row.service)
	}
	c.Name, c.Image = "web", "acme/web:1"
	row = show(c)
	side := d.ports.details.model
	if want := "container web (image acme/web:1)"; row.service != want || side.about != want {
		t.Errorf("the row says %q, the side pane %q; want %q", row.service, side.about, want)
	}
	if fact := [2]string{"Container", "web (acme/web:1) · 0123456789ab · 172.17.0.2:80"}; !slices.Contains(side.facts, fact) {
		t.Errorf("the side pane's facts are %q; want %q among them", side.facts, fact)
	}
	d.ports.setFilter("acme/web")
	d.Want("found by its image", d.rows(), []string{"8080 changed"})
}
