package ports

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// inCheckout returns a listener whose owner works in a checkout of a repository.
func inCheckout(port uint16, name string, pid int, project, repository, worktree, branch string) *monitor.Listener {
	l := uitest.Listening(port, name, pid)
	o := &l.Owners[0]
	l.Project, o.Project = project, project
	o.Repository, o.Worktree, o.Branch, o.ProjectFolder = repository, worktree, branch, worktree
	return l
}

// twoWorktrees returns servers of two worktrees of one repository, of a project without a repository, and
// of none.
func twoWorktrees() []*monitor.Listener {
	folder := inCheckout(8000, "python3", 30, "notes", "", "", "")
	folder.Owners[0].ProjectFolder = "/src/notes"
	also := inCheckout(8001, "python3", 31, "notes", "", "", "")
	also.Owners[0].ProjectFolder = "/src/notes"
	return []*monitor.Listener{
		inCheckout(3000, "node", 10, "web", "/src/shop", "/src/shop", "main"),
		inCheckout(3001, "node", 11, "web", "/src/shop", "/src/shop-login", "login"),
		uitest.Listening(3306, "mariadbd", 40),
		inCheckout(4000, "api", 12, "api", "/src/shop", "/src/shop", "main"),
		inCheckout(4001, "api", 13, "api", "/src/shop", "/src/shop-login", "login"),
		uitest.Listening(5432, "postgres", 41),
		folder, also,
	}
}

// Worktrees of one repository stay together, whatever is sorted between them.
func TestGroupByProject(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(1600, 900))
	d.see(twoWorktrees()...)
	d.ports.group(byProject)
	d.Want("rows", d.rows(), []string{"3000", "4000", "3001", "4001", "3306", "5432", "8000", "8001"})
	var texts []string
	for _, text := range uitest.Texts(d.ports.table) {
		if text.Visible() && slices.Contains([]string{"shop", "notes", "main · node 3000; api 4000", "login · worktree shop-login · node 3001; api 4001", "python3 8000, 8001"}, text.Text) {
			texts = append(texts, text.Text)
		}
	}
	for _, want := range []string{"shop", "main · node 3000; api 4000", "login · worktree shop-login · node 3001; api 4001", "notes", "python3 8000, 8001"} {
		if !slices.Contains(texts, want) {
			t.Errorf("the heads lack %q: got %q", want, texts)
		}
	}
	state := d.ports.State()
	if state.Group != byProject {
		t.Errorf("got state %+v, want the grouping in it", state)
	}
	next := newDesk(t)
	next.ports.Restore(state)
	next.see(twoWorktrees()...)
	next.Want("rows after a restart", next.rows(), []string{"3000", "4000", "3001", "4001", "3306", "5432", "8000", "8001"})
	for _, want := range [][]string{{"3000", "3001", "3306", "4000", "4001", "5432", "8000", "8001"}, {"3000", "3001", "3306", "4000", "4001", "5432", "8000", "8001"}} {
		uitest.Shortcut(d.Window, GroupKeys.Shortcut()) // not, by process
		d.Want("rows", d.rows(), want)
	}
	uitest.Shortcut(d.Window, GroupKeys.Shortcut())
	d.Want("rows by project again", d.rows(), []string{"3000", "4000", "3001", "4001", "3306", "5432", "8000", "8001"})
}

// A server that moves to another branch or worktree moves to another group.
func TestProjectChanges(t *testing.T) {
	d := newDesk(t)
	d.see(twoWorktrees()...)
	d.ports.group(byProject)
	before := d.Last.Listeners[1] // 3001
	after := *before
	after.Owners = slices.Clone(before.Owners)
	after.Owners[0].Worktree, after.Owners[0].Branch = "/src/shop", "main"
	d.Last.Listeners = slices.Clone(d.Last.Listeners)
	d.Last.Listeners[1] = &after
	d.Update(monitor.Update{Snapshot: d.Last, Events: []monitor.Event{{Kind: monitor.Updated, Listener: &after, Before: before}}, Ready: true})
	d.Want("rows", d.rows(), []string{"3000", "3001 changed", "4000", "4001", "3306", "5432", "8000", "8001"})
}

func TestStopAll(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(1600, 900))
	d.see(twoWorktrees()...)
	d.ports.group(byProject)
	d.ports.table.Focus()
	d.ports.table.Select("\x00/src/shop")
	d.ports.menu(d.ports.table.Rows()[0], fyne.NewPos(300, 200))
	d.Choose("Stop all…   (" + StopKeys.String() + ")")
	d.Want("requests", d.Asked, []string{"stop all [tcp-3000-10 tcp-4000-12]"})
	d.Asked = nil
	d.ports.menu(d.ports.table.Rows()[0], fyne.NewPos(300, 200))
	d.Choose("Stop all of shop in every worktree…")
	d.Want("requests for all worktrees", d.Asked, []string{"stop all [tcp-3000-10 tcp-3001-11 tcp-4000-12 tcp-4001-13]"})
	d.Asked = nil
	d.ports.StopSelected()
	d.Want("requests by Delete", d.Asked, []string{"stop all [tcp-3000-10 tcp-4000-12]"})
}

func TestGroupMenu(t *testing.T) {
	d := newDesk(t)
	d.see(twoWorktrees()...)
	d.ports.showGroupMenu()
	d.Choose("Group by project")
	if d.ports.groupedBy != byProject || d.ports.grouped.Text.Text != "By project" || !d.ports.grouped.Chosen {
		t.Errorf("got %q, shown as %q", d.ports.groupedBy, d.ports.grouped.Text.Text)
	}
	d.ports.showGroupMenu()
	d.Choose("Don't group")
	if d.ports.groupedBy != "" || d.ports.grouped.Text.Text != "Group" || d.ports.grouped.Chosen {
		t.Errorf("got %q, shown as %q", d.ports.groupedBy, d.ports.grouped.Text.Text)
	}
}
