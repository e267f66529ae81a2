package paths

import (
	"os"
	"path/filepath"
)

// userRuntime returns a folder in %LocalAppData%, "" if that is not set.
func userRuntime() string {
	local, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(local, folder)
}
