// Porthole shows which processes listen on this machine's ports and notifies when a
// watched port changes.
package main

import (
	"os"

	"porthole/app"
)

func main() { os.Exit(app.Main(os.Args[1:])) }
