// Porthole watches what listens on this machine's loopback.
package main

import (
	"os"

	"porthole/app"
)

func main() { os.Exit(app.Main(os.Args[1:])) }
