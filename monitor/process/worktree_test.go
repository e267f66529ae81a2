package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// git runs git in folder, without the user's configuration.
func git(t testing.TB, folder string, args ...string) {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = folder
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=ann", "GIT_AUTHOR_EMAIL=ann@example.org",
		"GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.org", "GIT_ALLOW_PROTOCOL=file")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// newRepository creates a repository with one commit on the branch main.
func newRepository(t testing.TB, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	git(t, folder, "init", "-q", "-b", "main")
	git(t, folder, "commit", "-q", "--allow-empty", "-m", "begin")
}

// realTemp is t.TempDir without symbolic links, as /proc shows folders.
func realTemp(t testing.TB) string {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// A repository, its worktrees and a submodule, as git itself makes them.
func TestWorktreesOfGit(t *testing.T) {
	top := realTemp(t)
	shop, bare := filepath.Join(top, "shop"), filepath.Join(top, "lib.git")
	newRepository(t, shop)
	git(t, shop, "worktree", "add", "-q", "-b", "login", "../shop-login")
	git(t, shop, "worktree", "add", "-q", "--detach", "../shop-old")
	git(t, top, "clone", "-q", "--bare", "shop", bare)
	git(t, bare, "worktree", "add", "-q", "-b", "fix", "../lib-fix")
	git(t, shop, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", bare, "vendor/lib")
	if err := os.Symlink(shop, filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	git(t, filepath.Join(top, "link"), "worktree", "add", "-q", "-b", "linked", filepath.Join(top, "by-link"))
	in := func(name string) string { return filepath.Join(top, name) }
	for _, test := range []struct {
		folder string
		want   Place
	}{
		{"shop", Place{"shop", shop, Checkout{shop, shop, "main"}}},
		{"shop-login", Place{"shop", in("shop-login"), Checkout{in("shop-login"), shop, "login"}}},
		{"shop-old", Place{"shop", in("shop-old"), Checkout{in("shop-old"), shop, ""}}},
		{"by-link", Place{"shop", in("by-link"), Checkout{in("by-link"), shop, "linked"}}},
		{"lib-fix", Place{"lib", in("lib-fix"), Checkout{in("lib-fix"), bare, "fix"}}},
		{"shop/vendor/lib", Place{"lib", in("shop/vendor/lib"), Checkout{in("shop/vendor/lib"), in("shop/vendor/lib"), "main"}}},
	} {
		if got := Locate(in(test.folder)); got != test.want {
			t.Errorf("Locate(%s) = %+v\nwant %+v", test.folder, got, test.want)
		}
	}
	if err := os.RemoveAll(shop); err != nil {
		t.Fatal(err)
	}
	want := Place{"shop", in("shop-login"), Checkout{in("shop-login"), shop, ""}}
	if got := Locate(in("shop-login")); got != want {
		t.Errorf("without the main folder: Locate = %+v\nwant %+v", got, want)
	}
}

func TestDamagedCheckouts(t *testing.T) {
	top := folders(t, map[string]string{
		"text/.git":        "hello\n",
		"empty/.git":       "",
		"binary/.git":      "\x00\xff\xfe\n",
		"nowhere/.git":     "gitdir: ../gone/.git/worktrees/w\n",
		"itself/.git":      "gitdir: .git/worktrees/w\n",
		"circle/.git":      "gitdir: ../a/.git/worktrees/w\n",
		"sheds/.git":       "gitdir: ../.bare/worktrees/w\n",
		".bare/worktrees/": "",
		"long/.git":        "gitdir: " + strings.Repeat("x", 1<<20),
		"folder/sub/":      "",
		"sibling/.git":     "gitdir: ../../../etc\n",
	})
	for from, to := range map[string]string{"a": "b", "b": "a", "folder/.git": "../folder"} {
		if err := os.Symlink(to, filepath.Join(top, from)); err != nil {
			t.Skipf("no symbolic links on this system: %v", err)
		}
	}
	in := func(name string) string { return filepath.Join(top, name) }
	for folder, want := range map[string]Checkout{
		"text":       {in("text"), in("text"), ""},
		"empty":      {in("empty"), in("empty"), ""},
		"binary":     {in("binary"), in("binary"), ""},
		"nowhere":    {in("nowhere"), in("gone"), ""},
		"itself":     {in("itself"), in("itself"), ""},
		"circle":     {in("circle"), in("a"), ""},
		"sheds":      {in("sheds"), in(".bare"), ""},
		"long":       {in("long"), in("long"), ""},
		"folder/sub": {in("folder"), in("folder"), ""},
		"sibling":    {in("sibling"), in("sibling"), ""},
	} {
		if got := Locate(in(folder)); got.Checkout != want {
			t.Errorf("Locate(%s) = %+v, want %+v", folder, got.Checkout, want)
		}
	}
}

// A deep folder costs a bounded number of reads.
func TestDeepFolder(t *testing.T) {
	top := folders(t, map[string]string{"go.mod": "module shop\n"})
	if got := Locate(top + strings.Repeat("/x", maxLevels-1)).Project; got != "shop" {
		t.Errorf("in %d levels: got %q, want shop", maxLevels, got)
	}
	if got := Locate(top + strings.Repeat("/x", maxLevels)).Project; got != "" {
		t.Errorf("in more levels: got %q, want none", got)
	}
}

// TestHomeIsNoCheckout: a home folder with its settings under git makes no project of
// everything in it.
func TestHomeIsNoCheckout(t *testing.T) {
	home := folders(t, map[string]string{".git/HEAD": "ref: refs/heads/main\n", "notes/": ""})
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	if got := Locate(filepath.Join(home, "notes")); got != (Place{}) {
		t.Errorf("Locate(~/notes) = %+v, want nothing", got)
	}
}

// The folders of 500 processes: 50 repositories with 4 worktrees each, and two packages
// deep in each checkout.
func BenchmarkLocate500(b *testing.B) {
	var all []string
	top := realTemp(b)
	for i := range 50 {
		shop := filepath.Join(top, fmt.Sprint("shop", i))
		newRepository(b, shop)
		for j := range 4 {
			git(b, shop, "worktree", "add", "-q", "-b", fmt.Sprint("work", j), fmt.Sprintf("../shop%d-%d", i, j))
		}
		for _, checkout := range []string{"", "-0", "-1", "-2", "-3"} {
			for _, name := range []string{"services/api", "services/web"} {
				folder := filepath.Join(shop+checkout, name)
				if err := os.MkdirAll(filepath.Join(folder, "src"), 0o700); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name": "`+filepath.Base(name)+`"}`), 0o600); err != nil {
					b.Fatal(err)
				}
				all = append(all, filepath.Join(folder, "src"))
			}
		}
	}
	for b.Loop() {
		for _, folder := range all {
			if p := Locate(folder); p.Branch == "" || p.Project == "" {
				b.Fatalf("Locate(%s) = %+v", folder, p)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/500")
}
