package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBranch(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		in    string
		want  string
	}{
		{"a checkout", map[string]string{".git/HEAD": "ref: refs/heads/main\n"}, "", "main"},
		{"a folder below", map[string]string{".git/HEAD": "ref: refs/heads/feature/x\n", "web/src/": ""}, "web/src", "feature/x"},
		{"a commit", map[string]string{".git/HEAD": "0123456789abcdef0123456789abcdef01234567\n"}, "", ""},
		{"no HEAD", map[string]string{".git/": ""}, "", ""},
		{"the nearest", map[string]string{".git/HEAD": "ref: refs/heads/main\n", "sub/.git/HEAD": "ref: refs/heads/dev\n"}, "sub", "dev"},
		{"a worktree", map[string]string{"main/.git/worktrees/w/HEAD": "ref: refs/heads/wt\n", "w/.git": "gitdir: ../main/.git/worktrees/w\n"}, "w", "wt"},
		{"a worktree of a bare repository", map[string]string{"shop.git/worktrees/w/HEAD": "ref: refs/heads/wt\n", "w/.git": "gitdir: ../shop.git/worktrees/w\n"}, "w", "wt"},
		{"a submodule", map[string]string{".git/modules/lib/HEAD": "ref: refs/heads/lib\n", "lib/.git": "gitdir: ../.git/modules/lib\n"}, "lib", "lib"},
		{"a gitdir that is none of git's", map[string]string{"other/HEAD": "ref: refs/heads/secret\n", "w/.git": "gitdir: ../other\n"}, "w", ""},
		{"a .git file of something else", map[string]string{".git": "hello\n"}, "", ""},
		{"a huge HEAD", map[string]string{".git/HEAD": strings.Repeat("x", 8<<20)}, "", ""},
		{"HEAD is a folder", map[string]string{".git/HEAD/": ""}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Locate(filepath.Join(folders(t, test.files), test.in)).Branch; got != test.want {
				t.Errorf("Branch = %q, want %q", got, test.want)
			}
		})
	}
	for _, folder := range []string{"", "/", "relative", "."} {
		if got := Locate(folder).Branch; got != "" {
			t.Errorf("Branch(%q) = %q, want none", folder, got)
		}
	}
}

func TestBranchDoesNotFollowLinks(t *testing.T) {
	top := folders(t, map[string]string{"a/.git/HEAD": "ref: refs/heads/secret\n", "b/": "", "c/.git/": ""})
	for from, to := range map[string]string{"b/.git": "a/.git", "c/.git/HEAD": "a/.git/HEAD"} {
		if err := os.Symlink(filepath.Join(top, to), filepath.Join(top, from)); err != nil {
			t.Skipf("no symbolic links on this system: %v", err)
		}
	}
	for _, folder := range []string{"b", "c"} {
		if got := Locate(filepath.Join(top, folder)).Branch; got != "" {
			t.Errorf("Branch(%s) = %q, want none: it is a link", folder, got)
		}
	}
}
