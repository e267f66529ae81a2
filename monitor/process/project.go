package process

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"porthole/monitor"
)

// maxManifest limits how much of a manifest is read: it may be a gigabyte long, and
// only the name is needed.
const maxManifest = 64 << 10

// maxLevels limits how many parent folders are examined.
const maxLevels = 64

// manifests are the files that make a folder a project, in the order in which they
// are tried, before .git. name extracts the declared name; it is nil if the file has none.
var manifests = []struct {
	file string
	name func([]byte) string
}{
	{"go.mod", func(b []byte) string { return lastElement(firstMatch(goModule, b)) }},
	{"package.json", packageName},
	{"pyproject.toml", tomlName},
	{"Cargo.toml", tomlName},
	{"composer.json", packageName},
	{"pom.xml", artifactID},
	{"Gemfile", nil},
}

var (
	goModule  = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)
	tomlTable = regexp.MustCompile(`^\s*\[\s*([^\]\s]+)\s*\]`)
	tomlEntry = regexp.MustCompile(`^\s*name\s*=\s*["']([^"'\n]+)["']`)
)

// Place is where a folder belongs. Unknown parts are "".
type Place struct {
	Project       string // name of the project
	ProjectFolder string
	Checkout
}

// Locate returns the project and the git checkout that folder belongs to. The project is
// the nearest folder with a manifest, named as the manifest declares or else as the
// folder; or the checkout, named as its repository. The home folder, / and what is above
// them are neither. Only regular files are read, and their links are not followed,
// because any user may own the folder. Locate costs a few lstat calls per folder and
// three short reads. It is safe for concurrent use.
func Locate(folder string) (p Place) {
	home, _ := os.UserHomeDir() // without a home folder there is nothing to exclude
	dir := folder
	for level := 0; level < maxLevels && filepath.IsAbs(dir) && dir != home && dir != filepath.Dir(dir); level++ {
		if p.Project == "" {
			if p.Project = projectIn(dir); p.Project != "" {
				p.ProjectFolder = dir
			}
		}
		if checkout, ok := checkoutIn(dir); ok {
			p.Checkout = checkout
			if p.Project == "" {
				p.Project, p.ProjectFolder = monitor.RepositoryName(checkout.Repository), dir
			}
			break
		}
		dir = filepath.Dir(dir)
	}
	return p
}

// projectIn returns the name of the project whose manifest is in dir; "" if there is
// none.
func projectIn(dir string) string {
	for _, m := range manifests {
		info, err := os.Lstat(filepath.Join(dir, m.file))
		if err != nil || (m.name != nil && !info.Mode().IsRegular()) {
			continue
		}
		if m.name != nil {
			if name := m.name(readStart(filepath.Join(dir, m.file))); name != "" {
				return name
			}
		}
		return filepath.Base(dir)
	}
	return ""
}

// rackServers are the programs whose titles hide which framework they serve.
var rackServers = []string{"puma", "unicorn", "unicorn_rails", "thin", "falcon", "ruby"}

// HidesFramework reports whether the command is that of a server whose framework only
// the files in its folder show: Puma.
func HidesFramework(command []string) bool {
	title, _, _ := strings.Cut(first(command), " ")
	server := strings.TrimRight(strings.TrimSuffix(filepath.Base(title), ":"), "0123456789.")
	return slices.Contains(rackServers, server)
}

// Framework returns the framework that the files in folder show: "Rails", or "". It is
// meant for servers that hide it: see HidesFramework.
func Framework(folder string) string {
	if !filepath.IsAbs(folder) {
		return ""
	}
	if info, err := os.Lstat(filepath.Join(folder, "config", "application.rb")); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	if _, err := os.Lstat(filepath.Join(folder, "bin", "rails")); err != nil {
		return ""
	}
	return "Rails"
}

// readStart returns the first bytes of a regular file, none if it cannot be read.
// O_NONBLOCK avoids waiting for a FIFO that replaced the file meanwhile.
func readStart(path string) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(f, maxManifest)) // a partial result may contain the name
	return b
}

// packageName returns the name in a package.json or composer.json, which may be
// truncated after the name.
func packageName(b []byte) string {
	d := json.NewDecoder(bytes.NewReader(b))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return ""
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return ""
		}
		if key == "name" {
			value, _ := d.Token() // nil if there is none
			name, _ := value.(string)
			return name
		}
		var other json.RawMessage
		if d.Decode(&other) != nil {
			return ""
		}
	}
	return ""
}

// tomlName returns the name in the project's table; other tables have names too.
func tomlName(b []byte) string {
	table := ""
	for line := range bytes.Lines(b) {
		if m := tomlTable.FindSubmatch(line); m != nil {
			table = string(m[1])
		}
		switch table {
		case "project", "package", "tool.poetry":
			if m := tomlEntry.FindSubmatch(line); m != nil {
				return string(m[1])
			}
		}
	}
	return ""
}

// artifactID returns the name of a Maven project: that of the root element, not of
// its parent or its dependencies.
func artifactID(b []byte) string {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // names are ASCII
	for depth, here := 0, false; ; {
		token, err := d.Token()
		if err != nil {
			return ""
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			here = depth == 2 && token.Name.Local == "artifactId"
		case xml.EndElement:
			depth--
			here = false
		case xml.CharData:
			if name := strings.TrimSpace(string(token)); here && name != "" {
				return name
			}
		}
	}
}

func firstMatch(re *regexp.Regexp, b []byte) string {
	if m := re.FindSubmatch(b); m != nil {
		return string(m[1])
	}
	return ""
}

// lastElement returns the name of a Go module: the last element of its path,
// without a major version.
func lastElement(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	if strings.HasPrefix(base, "v") && strings.Trim(base[1:], "0123456789") == "" && base != path {
		return lastElement(strings.TrimSuffix(path, "/"+base))
	}
	return base
}
