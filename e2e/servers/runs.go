//go:build linux

package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed runs.txt
var runsText string

// run is one run of runs.txt, which describes the fields.
type run struct {
	name, layer, unit, client, note, right string
	packages, prepare, also                []string
	dev, root                              []string
}

// packaged reports whether a unit of the distribution is started.
func (r run) packaged() bool { return r.unit != "" }

// parseRuns parses the format of runs.txt.
func parseRuns(text string) ([]run, error) {
	var runs []run
	defined := make(map[string]string)
	err := parseRecords("runs.txt", text, func(line string) bool {
		if rest, ok := strings.CutPrefix(line, "define "); ok {
			name, command, _ := strings.Cut(rest, " ")
			defined[name] = command
			return false
		}
		runs = append(runs, run{name: line})
		return true
	}, func(key, value string, _ int) error {
		return runs[len(runs)-1].set(key, value, defined)
	})
	if err != nil {
		return nil, err
	}
	for i := range runs {
		if r := &runs[i]; r.layer == "" {
			r.layer = "developer"
			if r.packaged() {
				r.layer = "units"
			}
		}
	}
	return runs, nil
}

func (r *run) set(key, value string, defined map[string]string) error {
	switch key {
	case "packages":
		r.packages = strings.Fields(value)
	case "layer":
		r.layer = value
	case "prepare":
		if command, ok := defined[value]; ok {
			value = command
		}
		r.prepare = append(r.prepare, value)
	case "unit":
		r.unit = value
	case "also":
		r.also = strings.Fields(value)
	case "dev":
		r.dev = append(r.dev, value)
	case "root":
		r.root = append(r.root, value)
	case "client":
		r.client = value
	case "right":
		r.right = value
	case "note":
		r.note = value
	default:
		return fmt.Errorf("unknown field %q", key)
	}
	return nil
}

// layer is an installed system: Debian with some packages.
type layer struct {
	name     string
	packages []string
}

// String returns the name and the packages as packaging/test-servers.sh reads them.
func (l layer) String() string { return strings.Join(append([]string{l.name}, l.packages...), " ") }

// layersOf returns the layers of all runs with their packages.
func layersOf(runs []run) []layer {
	var layers []layer
	for _, r := range runs {
		i := slices.IndexFunc(layers, func(l layer) bool { return l.name == r.layer })
		if i < 0 {
			i = len(layers)
			layers = append(layers, layer{name: r.layer})
		}
		for _, p := range r.packages {
			if !slices.Contains(layers[i].packages, p) {
				layers[i].packages = append(layers[i].packages, p)
			}
		}
	}
	return layers
}
