// Package gitrepo makes git repositories for tests, with the program git.
package gitrepo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Run runs git in folder, without the user's configuration.
func Run(t testing.TB, folder string, args ...string) {
	t.Helper()
	c := exec.Command("git", append([]string{"-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always"}, args...)...)
	c.Dir, c.Env = folder, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// New creates a repository in folder with one commit on the branch main.
func New(t testing.TB, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	Run(t, folder, "init", "-q", "-b", "main")
	Run(t, folder, "commit", "-q", "--allow-empty", "-m", "begin")
}

// AddWorktree adds a linked worktree with a new branch to the repository in folder.
func AddWorktree(t testing.TB, folder, worktree, branch string) {
	t.Helper()
	Run(t, folder, "worktree", "add", "-q", "-b", branch, worktree)
}

// TempDir is t.TempDir without symbolic links, as the system shows the folders of
// processes.
func TempDir(t testing.TB) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// FiveHundred creates 50 repositories in top with 4 linked worktrees each, and two
// packages, api and web, in each of the 250 checkouts. It returns the folders of the
// packages.
func FiveHundred(t testing.TB, top string) (packages []string) {
	t.Helper()
	for i := range 50 {
		shop := filepath.Join(top, "shop"+string(rune('A'+i/10))+string(rune('0'+i%10)))
		New(t, shop)
		checkouts := []string{shop}
		for _, branch := range []string{"a", "b", "c", "d"} {
			AddWorktree(t, shop, shop+"-"+branch, branch)
			checkouts = append(checkouts, shop+"-"+branch)
		}
		for _, checkout := range checkouts {
			for _, name := range []string{"api", "web"} {
				folder := filepath.Join(checkout, "services", name)
				if err := os.MkdirAll(folder, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name": "`+name+`"}`), 0o600); err != nil {
					t.Fatal(err)
				}
				packages = append(packages, folder)
			}
		}
	}
	return packages
}
