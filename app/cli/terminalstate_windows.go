package cli

import "os"

// saveTerminal does nothing: a console has no foreground process group.
func saveTerminal(*os.File) (restore func()) { return func() {} }
