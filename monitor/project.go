package monitor

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ProjectGroup returns keys by which listeners are grouped: of the project that the
// principal owner works in, and within it of the checkout. The project is a git
// repository with all its worktrees, or else the folder of a manifest. Both are "" if the
// project is unknown.
func (l *Listener) ProjectGroup() (project, checkout string) {
	o, _ := l.Principal()
	if o.Repository == "" {
		return o.ProjectFolder, o.ProjectFolder
	}
	return o.Repository, o.Worktree
}

// ProjectTitle returns the name of the project that listeners of one ProjectGroup belong
// to: the one that they all have, or else that of their repository. It is not cleaned.
func ProjectTitle(listeners []*Listener) string {
	if len(listeners) == 0 {
		return ""
	}
	first := listeners[0].Project
	if first != "" && !slices.ContainsFunc(listeners, func(l *Listener) bool { return l.Project != first }) {
		return first
	}
	o, _ := listeners[0].Principal()
	if o.Repository == "" {
		return first
	}
	return RepositoryName(o.Repository)
}

// CheckoutTitle describes the checkout of l: its branch, and the folder of a linked
// worktree. Both are "" if they are unknown or say nothing. They are not cleaned.
func (l *Listener) CheckoutTitle() (branch, worktree string) {
	o, _ := l.Principal()
	if o.Worktree != o.Repository {
		worktree = path.Base(filepath.ToSlash(o.Worktree))
	}
	return o.Branch, worktree
}

// RepositoryName returns the name of a git repository by its folder: shop for /src/shop
// and /srv/shop.git, and for /src/shop/.bare, which is the folder of a bare repository
// beside its worktrees.
func RepositoryName(folder string) string {
	folder = filepath.ToSlash(folder)
	name := strings.TrimSuffix(path.Base(folder), ".git")
	if name == "" || strings.HasPrefix(name, ".") {
		return path.Base(path.Dir(folder))
	}
	return name
}
