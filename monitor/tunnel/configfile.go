package tunnel

import (
	"io"
	"os"
	"path/filepath"
)

// configFile is a file that a command line names.
type configFile struct{ path string }

// newConfigFile returns the file that process pid calls path. A relative path begins at the
// folder of the process, which may not be readable: then there is no such file.
func newConfigFile(pid int, path string) configFile {
	if !filepath.IsAbs(path) {
		path = filepath.Join(folderOf(pid), path)
	}
	return configFile{path}
}

// readFile returns the text of a regular file that this user may read; "" if it is none, or
// longer than maxAnswer.
func readFile(f configFile) string {
	if info, err := os.Stat(f.path); err != nil || !info.Mode().IsRegular() || info.Size() > maxAnswer {
		return ""
	}
	file, err := os.Open(f.path)
	if err != nil {
		return ""
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxAnswer+1))
	if err != nil || len(text) > maxAnswer {
		return ""
	}
	return string(text)
}
