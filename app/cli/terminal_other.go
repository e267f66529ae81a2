//go:build !unix

package cli

import "os"

// terminalWidth returns 0: the width of a terminal is unknown on this system.
func terminalWidth(*os.File) int { return 0 }
