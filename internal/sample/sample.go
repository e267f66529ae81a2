// Package sample makes the data of tests. Only tests import it.
package sample

import (
	"strings"

	"porthole/monitor"
)

// Parents returns the parents described by texts of the form "name|command line",
// nearest first. PIDs count down to 1. A no-break space in a command line is a space
// within an argument, as in a title.
func Parents(texts ...string) (parents []monitor.Parent) {
	for i, text := range texts {
		name, command, _ := strings.Cut(text, "|")
		parent := monitor.Parent{PID: len(texts) - i, Name: name}
		if command != "" {
			for argument := range strings.SplitSeq(command, " ") {
				parent.Command = append(parent.Command, strings.ReplaceAll(argument, "\u00a0", " "))
			}
		}
		parents = append(parents, parent)
	}
	return parents
}
