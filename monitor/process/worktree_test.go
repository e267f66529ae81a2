package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/internal/gitrepo"
)

// A repository, its worktrees and a submodule, as git itself makes them.
func TestWorktreesOfGit(t *testing.T) {
	top := gitrepo.TempDir(t)
	shop, bare := filepath.Join(top, "shop"), filepath.Join(top, "lib.git")
	gitrepo.New(t, shop)
	gitrepo.Run(t, shop, "worktree", "add", "-q", "-b", "login", "../shop-login")
	gitrepo.Run(t, shop, "worktree", "add", "-q", "--detach", "../shop-old")
	gitrepo.Run(t, top, "clone", "-q", "--bare", "shop", bare)
	gitrepo.Run(t, bare, "worktree", "add", "-q", "-b", "fix", "../lib-fix")
	gitrepo.Run(t, shop, "submodule", "--quiet", "add", bare, "vendor/lib")
	if err := os.Symlink(shop, filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	gitrepo.Run(t, filepath.Join(top, "link"), "worktree", "add", "-q", "-b", "linked", filepath.Join(top, "by-link"))
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

// BenchmarkLocate500 finds the projects and branches of 500 folders, one after another.
func BenchmarkLocate500(b *testing.B) {
	all := gitrepo.FiveHundred(b, gitrepo.TempDir(b))
	for b.Loop() {
		for _, folder := range all {
			if p := Locate(folder); p.Branch == "" || p.Project == "" {
				b.Fatalf("Locate(%s) = %+v", folder, p)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/500")
}
