// Command man writes what is made from Porthole's commands into a folder: man
// pages and shell completions (man1/*.1, bash, zsh and fish), and command-line.md,
// which is docs/command-line.md.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"porthole/app"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: man FOLDER")
		os.Exit(2)
	}
	if err := write(app.Command(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// write puts everything below folder. The pages' date is SOURCE_DATE_EPOCH, so
// that two builds have the same bytes.
func write(root *cobra.Command, folder string) error {
	pages := filepath.Join(folder, "man1")
	if err := os.MkdirAll(pages, 0o755); err != nil {
		return fmt.Errorf("make a folder for the man pages: %w", err)
	}
	date := time.Unix(0, 0)
	if epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		date = time.Unix(epoch, 0)
	}
	date = date.UTC()
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Title: "PORTHOLE", Section: "1", Source: "Porthole", Manual: "User Commands", Date: &date}
	if err := doc.GenManTree(root, header, pages); err != nil {
		return fmt.Errorf("write the man pages: %w", err)
	}
	for name, generate := range map[string]func(string) error{
		"bash": func(path string) error { return root.GenBashCompletionFileV2(path, true) },
		"zsh":  root.GenZshCompletionFile,
		"fish": func(path string) error { return root.GenFishCompletionFile(path, true) },
	} {
		if err := generate(filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("write the completion for %s: %w", name, err)
		}
	}
	page := filepath.Join(folder, "command-line.md")
	if err := os.WriteFile(page, []byte(markdown(root)), 0o644); err != nil {
		return fmt.Errorf("write the page of the command line: %w", err)
	}
	return nil
}

// markdown is the page of all commands that users have.
func markdown(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Command line\n\nThis page is made from the commands: `make docs` writes it, and a test compares them.\n" +
		"Exit status: 0; 1 where something did not work; 2 for bad input; 3 where there is no desktop to show itself on.\n")
	section(&b, root)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			section(&b, c)
		}
	}
	return b.String()
}

func section(b *strings.Builder, c *cobra.Command) {
	c.InitDefaultHelpFlag() // as running it does
	c.InitDefaultVersionFlag()
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n```text\n%s\n", c.CommandPath(), c.Short, c.UseLine())
	if c.HasAvailableLocalFlags() {
		fmt.Fprintf(b, "\n%s", c.LocalFlags().FlagUsages())
	}
	b.WriteString("```\n")
}
