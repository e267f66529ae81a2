package process

import (
	"os"
	"path/filepath"
	"strings"
)

// maxHead bounds what is read of a file of git's: it has one short line.
const maxHead = 4 << 10

// Branch names the git branch that is checked out in folder, or in the nearest
// folder above it that is a checkout; "" where there is none, or no branch is.
// What is not a regular file is not read, and links are not followed: a folder
// may be anyone's. It costs an lstat a folder and one or two short reads, and may
// be called from any goroutine.
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

// linkedGit is where a worktree or a submodule has its HEAD: its .git is a file
// that says so. Only a folder of git's own kind is believed.
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
		if strings.Contains(filepath.ToSlash(path), ".git"+kind) { // of a bare repository it is shop.git
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
		return "" // a commit is checked out, no branch
	}
	return branch
}

// firstLine is the first line of a regular file.
func firstLine(path string) string {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	b := readStart(path)
	line, _, _ := strings.Cut(string(b[:min(len(b), maxHead)]), "\n")
	return strings.TrimSpace(line)
}
