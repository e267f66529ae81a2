//go:build !unix

package restart

import "os"

// markInUse does nothing: Windows does not remove a file that is open.
func markInUse(*os.File) error { return nil }

func inUse(string) bool { return false }
