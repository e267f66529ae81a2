package process

import (
	"os"
	"path/filepath"
	"strings"
)

// maxHead limits how much of a git file is read: it has one short line.
const maxHead = 4 << 10

// Branch returns the git branch checked out in folder, or in the nearest parent
// folder that is a checkout; "" if there is no checkout, or no branch. Only regular
// files are read, and links are not followed, because any user may own the folder.
// It costs one lstat per folder and one or two short reads. Branch is safe for
// concurrent use.
func Branch(folder string) string {
	for dir := folder; filepath.IsAbs(dir) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		git := filepath.Join(dir, ".git")
		info, err := os.Lstat(git)
		switch {
		case err != nil:
			continue
		case info.IsDir():
			return readHead(git)
		case info.Mode().IsRegular():
			return readHead(linkedGit(dir, git))
		}
		return ""
	}
	return ""
}

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
	for _, kind := range []string{"/worktrees/", "/modules/"} {
		if strings.Contains(filepath.ToSlash(path), ".git"+kind) { // for a bare repository it is shop.git
			return path
		}
	}
	return ""
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
