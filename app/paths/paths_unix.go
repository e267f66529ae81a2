//go:build unix

package paths

import (
	"os"
	"path/filepath"
	"strconv"
)

// userRuntime returns a folder in the temporary folder whose name contains the
// user id: other users share the temporary folder.
func userRuntime() string {
	return filepath.Join(os.TempDir(), folder+"-"+strconv.Itoa(os.Getuid()))
}
