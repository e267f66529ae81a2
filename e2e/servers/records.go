//go:build linux

package main

import (
	"bufio"
	"fmt"
	"strings"
)

// parseRecords parses the format that runs.txt and checks.txt share. A line begins a
// record, lines that begin with a tab are its fields: a key, a space and a value. Empty
// lines, and lines that begin with #, are comments. It calls begin for each line that does
// not begin with a tab; begin reports whether that line begins a record. It calls field
// for each field. Errors name file and the line.
func parseRecords(file, text string, begin func(line string) bool, field func(key, value string, line int) error) error {
	begun, number := false, 0
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		number++
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] != '\t' {
			begun = begin(line) || begun
			continue
		}
		if !begun {
			return fmt.Errorf("%s:%d: no record before %q", file, number, line)
		}
		key, value, _ := strings.Cut(line[1:], " ")
		if err := field(key, value, number); err != nil {
			return fmt.Errorf("%s:%d: %w", file, number, err)
		}
	}
	return nil
}
