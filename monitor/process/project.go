package process

import (
	"encoding/json"
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
	{"pyproject.toml", func(b []byte) string { return firstMatch(tomlName, b) }},
	{"Cargo.toml", func(b []byte) string { return firstMatch(tomlName, b) }},
	{"composer.json", packageName},
	{"pom.xml", func(b []byte) string { return firstMatch(artifactID, b) }},
	{"Gemfile", nil},
	{".git", nil},
}

var (
	goModule   = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)
	tomlName   = regexp.MustCompile(`(?m)^name\s*=\s*["']([^"'\n]+)["']`)
	artifactID = regexp.MustCompile(`<artifactId>\s*([^<\s]+)`)
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

func packageName(b []byte) string {
	var manifest struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(b, &manifest) != nil {
		return ""
	}
	return manifest.Name
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
