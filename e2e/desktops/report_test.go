//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	d := environment{name: "tiny", title: "Tiny"}
	r := newResult(d)
	r.Versions = []string{"tiny 1.0"}
	r.Cells["icon"] = cellOf(nil, "22 px")
	r.Cells["left"] = cellOf(errors.New("no window | at all"), "")
	r.Cells["middle"] = cellOf(notTried("no such button"), "")
	r.Cells["double"] = cellOf(notTried("no such button"), "")
	got := page([]result{r}, []string{"![Porthole](pictures/x.png)"})
	for _, want := range []string{
		"| Tiny | tiny 1.0 | " + r.Date + " |\n",
		"| Tiny | ✓ 22 px |",
		"✗ [2](#footnotes)", "– [3](#footnotes) | – [3](#footnotes)",
		"![Porthole](pictures/x.png)\n",
		"2. no window \\| at all\n3. no such button\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page has no %q:\n%s", want, got)
		}
	}
}

// The results of this run replace the kept ones; the others stay.
func TestResultsAreKept(t *testing.T) {
	dir, results := t.TempDir(), t.TempDir()
	r := newResult(desktops[0])
	r.Versions = []string{"first 1.0"}
	if err := os.MkdirAll(recordsOf(dir, r.Name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := r.write(recordsOf(dir, r.Name)); err != nil {
		t.Fatal(err)
	}
	old := newResult(desktops[1])
	old.Versions = []string{"second 2.0"}
	if err := os.Mkdir(filepath.Join(results, "other"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := old.write(filepath.Join(results, "other")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(results, "other", resultFile), filepath.Join(results, old.Name+".json")); err != nil {
		t.Fatal(err)
	}
	document := filepath.Join(dir, "desktops.md")
	if err := writePage(dir, results, document); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first 1.0", "second 2.0"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page does not name %s", want)
		}
	}
	if kept, err := readResult(filepath.Join(results, r.Name+".json"), desktops[0]); err != nil || len(kept.Versions) != 1 {
		t.Errorf("the result was not kept: %v, %v", kept.Versions, err)
	}
}

// Every desktop has an installation, every panel is one of its parts, and every reason belongs to a check.
func TestTableOfDesktops(t *testing.T) {
	names := map[string]bool{}
	for _, d := range desktops {
		if names[d.name] {
			t.Errorf("%s is there twice", d.name)
		}
		names[d.name] = true
		installed := false
		for _, l := range layers {
			installed = installed || l.name == d.layer
		}
		panel := d.panel == ""
		for _, p := range d.parts {
			panel = panel || p.name == d.panel
		}
		if !installed || !panel || d.display == nil || len(d.packages) == 0 {
			t.Errorf("%s: installed %t, panel %t, display %v, packages %q", d.name, installed, panel, d.display, d.packages)
		}
		for name := range d.notTried {
			if !isCheck(name) {
				t.Errorf("%s: %q is no check", d.name, name)
			}
		}
	}
}

func isCheck(name string) bool {
	for _, c := range checks {
		if c.name == name {
			return true
		}
	}
	return false
}

func TestMegabytes(t *testing.T) {
	const status = "Name:\tporthole\nVmRSS:\t   32768 kB\nRssAnon:\t   14336 kB\n"
	for field, want := range map[string]float64{"VmRSS:": 32, "RssAnon:": 14, "VmSwap:": 0} {
		if got := megabytes(status, field); got != want {
			t.Errorf("%s %g, want %g", field, got, want)
		}
	}
}
