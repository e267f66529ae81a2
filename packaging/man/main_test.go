package main

import (
	"os"
	"testing"

	"porthole/app"
)

func TestCommandLinePageIsUpToDate(t *testing.T) {
	page, err := os.ReadFile("../../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := markdown(app.Command()); string(page) != want {
		t.Errorf("docs/command-line.md is stale: run make docs\nwant:\n%s", want)
	}
}
