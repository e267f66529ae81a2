package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"porthole/app/settings"
	"porthole/internal/gitrepo"
	"porthole/internal/testhome"
	"porthole/monitor/process/child"
)

// in starts a child in a folder.
func in(folder string) func(*exec.Cmd) { return func(c *exec.Cmd) { c.Dir = folder } }

// writeSettings makes text the settings of the test.
func writeSettings(t *testing.T, text string) {
	t.Helper()
	testhome.New(t)
	if err := os.MkdirAll(filepath.Dir(settings.Path()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings.Path(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a command with options and returns what it prints.
func run(command func(Options) error, o Options) (out, notes string, err error) {
	var stdout, stderr bytes.Buffer
	o.Stdout, o.Stderr = &stdout, &stderr
	err = command(o)
	return stdout.String(), stderr.String(), err
}

// worktrees starts a server in a repository, one in a linked worktree of it and one in
// neither, and returns their ports.
func worktrees(t *testing.T) (top string, main, login, none string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	top = gitrepo.TempDir(t)
	shop := filepath.Join(top, "shop-"+filepath.Base(t.TempDir()))
	gitrepo.New(t, shop)
	gitrepo.AddWorktree(t, shop, filepath.Join(top, "login"), "feature/login")
	ports := make([]string, 3)
	for i, folder := range []string{shop, filepath.Join(top, "login"), "/"} {
		ports[i] = strconv.Itoa(child.ServeVictim(t, "listen", in(folder), withoutSettings, child.At("127.0.0.1:0")).Port)
	}
	return shop, ports[0], ports[1], ports[2]
}

func TestListByProject(t *testing.T) {
	shop, main, login, none := worktrees(t)
	name := filepath.Base(shop)
	list := func(o Options) (string, string, error) {
		o.By = byProject
		return run(func(o Options) error { return runList(t.Context(), []string{main, login, none}, o) }, o)
	}
	out, _, err := list(Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for _, want := range []string{"\n" + name + ", branch main, " + shop + "\n" + main, "\n" + name + ", branch feature/login, worktree " + filepath.Join(filepath.Dir(shop), "login") + "\n" + login, "\nno project\n" + none} {
		i := strings.Index(out, want)
		if i <= at {
			t.Errorf("got\n%s\nwant %q, after what is before it", out, want)
		}
		at = i
	}
	encoded, _, err := list(Options{JSON: true})
	var got projectsJSON
	if err := json.Unmarshal([]byte(encoded), &got); err != nil || len(got.Projects) != 3 {
		t.Fatalf("error %v, got %s", err, encoded)
	}
	for i, want := range []checkoutJSON{{Project: name, Folder: shop, Repository: shop, Branch: "main"}, {Project: name, Folder: filepath.Join(filepath.Dir(shop), "login"), Repository: shop, Branch: "feature/login"}, {}} {
		p := got.Projects[i]
		if p.Project != want.Project || p.Folder != want.Folder || p.Repository != want.Repository || p.Branch != want.Branch || len(p.Listeners) != 1 {
			t.Errorf("project %d: got %+v, want %+v", i, p, want)
		}
	}
	if err != nil {
		t.Error(err)
	}
	_, _, err = run(func(o Options) error { return runList(t.Context(), nil, o) }, Options{By: "user"})
	if Status(err) != 2 {
		t.Errorf("--by user: got %v, status %d, want status 2", err, Status(err))
	}
}

// The name of a project takes the place of a port. If it has several servers, they are
// listed.
func TestNamesInPlaceOfPorts(t *testing.T) {
	shop, main, login, none := worktrees(t)
	name := filepath.Base(shop)
	writeSettings(t, "labels:\n  - ports: "+login+"\n    name: the login\n    note: ask Ann\n  - ports: "+main+", "+none+"\n    name: two ports\n")
	who := func(text string) (string, string, error) {
		return run(func(o Options) error { return runWhoAll(t.Context(), []string{text}, o) }, Options{})
	}
	for _, text := range []string{"the login", "THE LOGIN", login} {
		out, _, err := who(text)
		if err != nil || !strings.HasPrefix(out, login+" is used by ") || !strings.Contains(out, "the login") || !strings.Contains(out, "ask Ann") || !strings.Contains(out, "(git branch feature/login, worktree of "+shop+")") {
			t.Errorf("who %q: error %v, got\n%s", text, err, out)
		}
	}
	for _, text := range []string{name, "two ports"} {
		_, _, err := who(text)
		if Status(err) != 2 || !strings.Contains(err.Error(), "is ambiguous") || !strings.Contains(err.Error(), main+" (") {
			t.Errorf("who %q: got %v, status %d, want the candidates and status 2", text, err, Status(err))
		}
	}
	if _, _, err := who(name); !strings.Contains(err.Error(), login+" (") || !strings.Contains(err.Error(), "branch feature/login, worktree login") {
		t.Errorf("got %v, want branch and worktree", err)
	}
	_, _, err := who("no-such-name-" + login)
	if Status(err) != 1 || !strings.Contains(err.Error(), "nothing with the name") {
		t.Errorf("an unknown name: got %v, status %d, want status 1", err, Status(err))
	}
	err = runStop(t.Context(), "two ports", stopOptions{Options: Options{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}, Yes: true})
	if Status(err) != 2 || !strings.Contains(err.Error(), "is ambiguous") {
		t.Errorf("stop of an ambiguous name: got %v, status %d", err, Status(err))
	}
	out, _, err := run(func(o Options) error { return runList(t.Context(), []string{"the", "login"}, o) }, Options{})
	if err != nil || !strings.Contains(out, "LABEL") || !strings.Contains(out, "the login") || strings.Contains(out, main) {
		t.Errorf("list: error %v, got\n%s", err, out)
	}
	if err := runStop(t.Context(), "the login", stopOptions{Options: Options{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}, Yes: true}); err != nil {
		t.Errorf("stop: %v", err)
	}
	if out, _, err := who("the login"); err != ErrFree && !strings.Contains(out, login+" is free") {
		t.Errorf("a label of a free port: error %v, got %q, want that %s is free", err, out, login)
	}
}

// Hidden listeners are left out of a list, which says so.
func TestListHidden(t *testing.T) {
	_, one, _ := server(t, "127.0.0.1:0")
	_, two, _ := server(t, "127.0.0.1:0")
	hidden, shown := strconv.Itoa(one), strconv.Itoa(two)
	writeSettings(t, "hidden:\n  - ports: "+hidden+"\n")
	list := func(o Options, args ...string) string {
		t.Helper()
		out, notes, err := run(func(o Options) error { return runList(t.Context(), args, o) }, o)
		if err != nil {
			t.Fatal(err)
		}
		return out + notes
	}
	has := func(out string, port string) bool { return strings.Contains(out, "\n"+port+" ") }
	if out := list(Options{}); has(out, hidden) || !has(out, shown) || !strings.Contains(out, "+1 hidden") {
		t.Errorf("list: got\n%s", out)
	}
	if out := list(Options{Hidden: true}); !has(out, hidden) || has(out, shown) || strings.Contains(out, "+1 hidden") {
		t.Errorf("list --hidden: got\n%s", out)
	}
	if out := list(Options{All: true}); !has(out, hidden) || !has(out, shown) {
		t.Errorf("list --all: got\n%s", out)
	}
	if out := list(Options{}, hidden); !has(out, hidden) {
		t.Errorf("list PORT: got\n%s", out)
	}
	var got snapshotJSON
	if err := json.Unmarshal([]byte(list(Options{JSON: true}, "cli.test")), &got); err != nil || got.Hidden != 1 {
		t.Errorf("error %v, got %d hidden listeners, want 1", err, got.Hidden)
	}
	out, _, err := run(func(o Options) error { return runWhoAll(t.Context(), []string{hidden}, o) }, Options{})
	if err != nil || !strings.Contains(out, "by a rule of the settings: ports "+hidden) {
		t.Errorf("who: error %v, got\n%s", err, out)
	}
}
