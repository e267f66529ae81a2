package process

import (
	"os"
	"path/filepath"
	"strings"
)

// maxHead limits how much of a git file is read: it has one short line.
const maxHead = 4 << 10

// Checkout is a checked-out folder of a git repository.
type Checkout struct {
	Worktree   string // the folder
	Repository string // the main folder of its repository, or the folder of a bare one; Worktree if it is not linked
	Branch     string // "" if a commit is checked out, or it cannot be read
}

// checkoutIn returns the checkout whose top folder is dir; false if dir has no .git. The
// .git of a linked worktree or a submodule is a file that names another folder
// (gitrepository-layout(5)); that folder need not exist any more.
func checkoutIn(dir string) (Checkout, bool) {
	c := Checkout{Worktree: dir, Repository: dir}
	git := filepath.Join(dir, ".git")
	info, err := os.Lstat(git)
	switch {
	case err != nil:
		return Checkout{}, false
	case info.IsDir():
		c.Branch = readHead(git)
	case info.Mode().IsRegular():
		linked := linkedGit(dir, git)
		c.Branch = readHead(linked)
		if main := mainFolder(linked); main != "" {
			c.Repository = main
		}
	}
	return c, true
}

// gitFolders are what the folder of a repository's own files ends in; the second is a
// convention for bare repositories beside their worktrees.
var gitFolders = []string{".git", "/.bare"}

// linkedGit returns the folder with the HEAD of a worktree or a submodule, which
// its .git file names. Only folders with a path as git creates them are accepted.
func linkedGit(dir, file string) string {
	path, ok := strings.CutPrefix(firstLine(file), "gitdir: ")
	if !ok {
		return ""
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	path = filepath.Clean(path)
	for _, git := range gitFolders { // for a bare repository it is shop.git
		for _, kind := range []string{"/worktrees/", "/modules/"} {
			if strings.Contains(filepath.ToSlash(path), git+kind) {
				return path
			}
		}
	}
	return ""
}

// mainFolder returns the main folder of the repository whose linked worktree has its
// files in the folder git: /src/shop for /src/shop/.git/worktrees/login. It returns "" for
// a submodule, which is a repository of its own.
func mainFolder(git string) string {
	path := filepath.ToSlash(git)
	i := strings.LastIndex(path, "/worktrees/")
	if i < 0 || i < strings.LastIndex(path, "/modules/") {
		return ""
	}
	main := git[:i]
	if filepath.Base(main) == ".git" {
		main = filepath.Dir(main)
	}
	if real, err := filepath.EvalSymlinks(main); err == nil { // as /proc shows the folders of processes
		return real
	}
	return main // it is gone, or its links lead in a circle
}

func readHead(git string) string {
	if git == "" {
		return ""
	}
	if info, err := os.Lstat(git); err != nil || !info.IsDir() {
		return ""
	}
	branch, ok := strings.CutPrefix(firstLine(filepath.Join(git, "HEAD")), "ref: refs/heads/")
	if !ok {
		return "" // a commit is checked out, not a branch
	}
	return branch
}

// firstLine returns the first line of a regular file.
func firstLine(path string) string {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	b := readStart(path)
	line, _, _ := strings.Cut(string(b[:min(len(b), maxHead)]), "\n")
	return strings.TrimSpace(line)
}
