package process

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// maxManifest bounds how much of a project's file is read: it may be a
// gigabyte long, and only its name is wanted.
const maxManifest = 64 << 10

// manifests are the files that make a folder a project, in the order in which
// they are asked, each with the way to its declared name; nil where it has none.
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
	{".git", nil},
}

var (
	goModule  = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)
	tomlTable = regexp.MustCompile(`^\s*\[\s*([^\]\s]+)\s*\]`)
	tomlEntry = regexp.MustCompile(`^\s*name\s*=\s*["']([^"'\n]+)["']`)
)

// Project names the project that folder belongs to: the nearest folder above
// it with a manifest, by the name that it declares, else by its own. It is ""
// where there is none; the home folder and / are no projects.
func Project(folder string) string {
	home, _ := os.UserHomeDir() // unknown home: nothing to leave out
	for dir := folder; filepath.IsAbs(dir) && dir != home && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
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
	}
	return ""
}

// readStart returns the first bytes of a regular file, none where it cannot be
// read. Another file may take its name at any time: none is waited for.
func readStart(path string) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(f, maxManifest)) // what was read so far may name it
	return b
}

// packageName is the name that a package.json or composer.json declares. What
// follows it may be missing: not all of the file is read.
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
			value, _ := d.Token() // nil where there is none
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

// tomlName is the name in the table that is the project's: others have names too.
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

// artifactID is the name of a Maven project: that of its root, not of its parent
// or of what it depends on.
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

// lastElement is the name of a Go module: its path's end, without a major version.
func lastElement(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	if strings.HasPrefix(base, "v") && strings.Trim(base[1:], "0123456789") == "" && base != path {
		return lastElement(strings.TrimSuffix(path, "/"+base))
	}
	return base
}
