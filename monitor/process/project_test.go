package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folders creates a folder with these files and returns its path. A name that ends in a
// slash is a folder.
func folders(t *testing.T, files map[string]string) string {
	t.Helper()
	top := filepath.Join(t.TempDir(), "top")
	for name, text := range files {
		path := filepath.Join(top, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

func TestProject(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		in    string
		want  string
	}{
		{"go.mod", map[string]string{"go.mod": "// shop\nmodule example.org/team/shop\n\ngo 1.26\n"}, "", "shop"},
		{"go.mod of a major version", map[string]string{"go.mod": "module example.org/shop/v2\n"}, "", "shop"},
		{"go.mod in quotes", map[string]string{"go.mod": "module \"shop\"\n"}, "", "shop"},
		{"package.json", map[string]string{"package.json": `{"name": "acme-web", "version": "1"}`}, "", "acme-web"},
		{"package.json without a name", map[string]string{"package.json": `{}`}, "", "top"},
		{"package.json that is broken", map[string]string{"package.json": `{"name": "acme`}, "", "top"},
		{"package.json with a number for a name", map[string]string{"package.json": `{"name": 7}`}, "", "top"},
		{"pyproject.toml", map[string]string{"pyproject.toml": "[project]\nname = \"shop-api\"\n"}, "", "shop-api"},
		{"Cargo.toml", map[string]string{"Cargo.toml": "[package]\nname = 'rocket'\n"}, "", "rocket"},
		{"pom.xml", map[string]string{"pom.xml": "<project><artifactId> shop </artifactId></project>"}, "", "shop"},
		{"pom.xml with a parent", map[string]string{"pom.xml": "<?xml version='1.0'?><!-- shop --><project><parent><artifactId>spring-boot-starter-parent</artifactId></parent>" +
			"<dependencies><dependency><artifactId>junit</artifactId></dependency></dependencies><artifactId>shop</artifactId></project>"}, "", "shop"},
		{"pom.xml that is broken", map[string]string{"pom.xml": "<project><artifactId"}, "", "top"},
		{"another table's name", map[string]string{"pyproject.toml": "[tool.mypy]\nname = \"x\"\n[[authors]]\nname = \"Ada\"\n[ project ]\nversion = \"1\"\nname = \"shop\"\n"}, "", "shop"},
		{"poetry", map[string]string{"pyproject.toml": "[build-system]\nname = \"x\"\n[tool.poetry]\nname = \"shop\"\n"}, "", "shop"},
		{"a Cargo workspace", map[string]string{"Cargo.toml": "[workspace]\nmembers = []\n[[bin]]\nname = \"x\"\n"}, "", "top"},
		{"a name further down", map[string]string{"package.json": `{"author":{"name":"Ada"},"files":["name"],"name":"shop"}`}, "", "shop"},
		{"Gemfile", map[string]string{"Gemfile": "gem 'rails'"}, "", "top"},
		{"a git checkout", map[string]string{".git/": ""}, "", "top"},
		{"go.mod before package.json", map[string]string{"go.mod": "module a\n", "package.json": `{"name":"b"}`}, "", "a"},
		{"a folder below", map[string]string{"go.mod": "module shop\n", "cmd/server/": ""}, "cmd/server", "shop"},
		{"the nearest", map[string]string{"go.mod": "module shop\n", "web/package.json": `{"name":"web"}`}, "web", "web"},
		{"a folder named like a manifest", map[string]string{"package.json/": "", "sub/": ""}, "sub", ""},
		{"empty files", map[string]string{"go.mod": ""}, "", "top"},
		{"a huge file that names itself at once", map[string]string{"go.mod": "module shop\n" + strings.Repeat("x", 8<<20)}, "", "shop"},
		{"a huge package.json that names itself at once", map[string]string{"package.json": `{"name":"a","x":"` + strings.Repeat("x", 8<<20) + `"}`}, "", "a"},
		{"a huge file", map[string]string{"package.json": `{"x":"` + strings.Repeat("x", 8<<20) + `","name":"a"}`}, "", "top"},
		{"nothing", map[string]string{"sub/": ""}, "sub", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Locate(filepath.Join(folders(t, test.files), test.in)).Project; got != test.want {
				t.Errorf("Project = %q, want %q", got, test.want)
			}
		})
	}
}

func TestProjectWithoutFolder(t *testing.T) {
	for _, folder := range []string{"", "/", "relative/path", "."} {
		if got := Locate(folder).Project; got != "" {
			t.Errorf("Project(%q) = %q, want none", folder, got)
		}
	}
}

func TestHomeIsNotAProject(t *testing.T) {
	home := folders(t, map[string]string{"package.json": `{"name":"dotfiles"}`, "notes/": "", "shop/go.mod": "module shop\n"})
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	for folder, want := range map[string]string{"": "", "notes": "", "shop": "shop"} {
		if got := Locate(filepath.Join(home, folder)).Project; got != want {
			t.Errorf("Project(~/%s) = %q, want %q", folder, got, want)
		}
	}
}

func TestProjectDoesNotFollowLinks(t *testing.T) {
	top := folders(t, map[string]string{"elsewhere": "module secret\n", "sub/": ""})
	if err := os.Symlink(filepath.Join(top, "elsewhere"), filepath.Join(top, "sub", "go.mod")); err != nil {
		t.Skipf("no symbolic links on this system: %v", err)
	}
	if got := Locate(filepath.Join(top, "sub")).Project; got != "" {
		t.Errorf("Project = %q, want none: the manifest is a link", got)
	}
}

func TestFrameworkBehindPuma(t *testing.T) {
	rails, other := t.TempDir(), t.TempDir()
	for _, file := range []string{"config/application.rb", "bin/rails"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(rails, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(rails, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		folder  string
		command []string
		want    string
	}{
		{rails, []string{"puma 5.6.5 (tcp://localhost:3000) [shopr]"}, "Rails"},
		{rails, []string{"puma: cluster worker 0: 7 [shopr]"}, "Rails"},
		{rails, []string{"/usr/bin/ruby3.1", "bin/rails", "server"}, "Rails"},
		{rails, []string{"node", "server.js"}, ""},
		{other, []string{"puma 5.6.5 (tcp://localhost:3000) [shopr]"}, ""},
		{"", []string{"puma"}, ""},
		{rails, nil, ""},
	} {
		got := ""
		if HidesFramework(test.command) {
			got = Framework(test.folder)
		}
		if got != test.want {
			t.Errorf("framework of folder %q, command %q = %q, want %q", test.folder, test.command, got, test.want)
		}
	}
}
