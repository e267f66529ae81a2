package cli

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
)

// checkout is a part of a list grouped by project: the listeners of one checkout of one
// project, or those without a project.
type checkout struct {
	project   string // "" without a project
	listeners []*monitor.Listener
}

// checkouts groups listeners by project, and each project by checkout: by name, those
// without a project last. The listeners keep their order.
func checkouts(listeners []*monitor.Listener) (all []checkout) {
	type key struct{ project, checkout string }
	index := map[key]int{}
	projects := map[string][]*monitor.Listener{}
	for _, l := range listeners {
		var k key
		k.project, k.checkout = l.ProjectGroup()
		i, known := index[k]
		if !known {
			i = len(all)
			index[k] = i
			all = append(all, checkout{project: k.project})
		}
		all[i].listeners = append(all[i].listeners, l)
		projects[k.project] = append(projects[k.project], l)
	}
	names := map[string]string{}
	for project, of := range projects {
		if project != "" {
			names[project] = monitor.ProjectTitle(of)
		}
	}
	slices.SortStableFunc(all, func(a, b checkout) int {
		return cmp.Or(compareEmptyLast(a.project, b.project), cmp.Compare(strings.ToLower(names[a.project]), strings.ToLower(names[b.project])),
			cmp.Compare(a.project, b.project), cmp.Compare(worktreeOf(a), worktreeOf(b)))
	})
	for i, c := range all {
		all[i].project = monitor.Clean(names[c.project], 60)
	}
	return all
}

func compareEmptyLast(a, b string) int {
	switch {
	case (a == "") == (b == ""):
		return 0
	case a == "":
		return 1
	}
	return -1
}

// worktreeOf returns the folder of a checkout; "" for the main one, which is sorted first.
func worktreeOf(c checkout) string {
	o, _ := c.listeners[0].Principal()
	if o.Worktree == o.Repository {
		return ""
	}
	return o.Worktree
}

// head describes a checkout on one line: "shop, branch login, worktree /src/shop-login".
func (c checkout) head() string {
	if c.project == "" {
		return "no project"
	}
	o, _ := c.listeners[0].Principal()
	branch, _ := c.listeners[0].CheckoutTitle()
	parts := []string{c.project}
	if branch != "" {
		parts = append(parts, "branch "+monitor.Clean(branch, 80))
	}
	folder := cmp.Or(o.Worktree, o.ProjectFolder)
	if worktreeOf(c) != "" {
		parts = append(parts, "worktree "+monitor.Clean(folder, 200))
	} else if folder != "" {
		parts = append(parts, monitor.Clean(filepath.Clean(folder), 200))
	}
	return strings.Join(parts, ", ")
}

// groupByProject returns listeners in the order of their checkouts, and the heads of a
// table of them.
func groupByProject(listeners []*monitor.Listener) (sorted []*monitor.Listener, heads map[int]string) {
	heads = map[int]string{}
	for _, c := range checkouts(listeners) {
		heads[1+len(sorted)] = c.head() // row 0 is the header
		sorted = append(sorted, c.listeners...)
	}
	return sorted, heads
}

// projectsJSON is the output of list --by project --json.
type projectsJSON struct {
	TakenAt  time.Time      `json:"taken_at"`
	Projects []checkoutJSON `json:"projects"`
	Hidden   int            `json:"hidden_listeners,omitempty"` // how many the user has hidden, which are not in Projects
}

// checkoutJSON is a checkout of a project. Project is absent for the listeners without a
// project.
type checkoutJSON struct {
	Project    string         `json:"project,omitempty"`
	Folder     string         `json:"folder,omitempty"`     // of the checkout, or of the manifest
	Repository string         `json:"repository,omitempty"` // main folder of the repository, or the folder of a bare one
	Branch     string         `json:"branch,omitempty"`
	Listeners  []listenerJSON `json:"listeners"`
}

func (q query) projectsJSON(s monitor.Snapshot, hidden int) projectsJSON {
	out := projectsJSON{TakenAt: s.TakenAt.UTC(), Projects: []checkoutJSON{}, Hidden: hidden}
	for _, c := range checkouts(s.Listeners) {
		one := checkoutJSON{Project: c.project}
		if c.project != "" {
			o, _ := c.listeners[0].Principal()
			one.Folder, one.Repository, one.Branch = cmp.Or(o.Worktree, o.ProjectFolder), o.Repository, o.Branch
		}
		for _, l := range c.listeners {
			one.Listeners = append(one.Listeners, q.listenerJSON(l))
		}
		out.Projects = append(out.Projects, one)
	}
	return out
}

// gitText describes the checkout of l behind its folder: " (git branch main)"; "" if there is
// none.
func gitText(l *monitor.Listener) string {
	branch, worktree := l.CheckoutTitle()
	var parts []string
	if branch != "" {
		parts = append(parts, "git branch "+monitor.Clean(branch, 80))
	}
	if worktree != "" {
		o, _ := l.Principal()
		parts = append(parts, "worktree of "+monitor.Clean(o.Repository, 200))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
