package ui

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
)

// serviceOf names the service of l in the user's language.
func serviceOf(l *monitor.Listener) string {
	if c := l.Behind; c != nil && l.Service == c.Words() {
		return containerWords(*c)
	}
	return l.Service
}

// containerWords is Words in the user's language.
func containerWords(c monitor.Container) string {
	name := map[string]any{"Name": monitor.Clean(c.Name, 60), "Image": monitor.Clean(c.Image, 100), "Address": monitor.Clean(c.Address, 60)}
	switch {
	case c.Name != "" && c.Image != "":
		return lang.L("container {{.Name}} (image {{.Image}})", name)
	case c.Name != "":
		return lang.L("container {{.Name}}", name)
	case c.ID != "":
		return lang.L("container {{.Name}}", map[string]any{"Name": shortID(c.ID)})
	}
	return lang.L("container at {{.Address}}", name)
}

// containerOf is what is known of the container behind l: "web (acme/web:1) ·
// 0123456789ab · 172.17.0.2:80"; "" where there is none.
func containerOf(l *monitor.Listener) string {
	c := l.Behind
	if c == nil {
		return monitor.Clean(l.Container, 64)
	}
	var parts []string
	if name := monitor.Clean(c.Name, 60); name != "" {
		if image := monitor.Clean(c.Image, 100); image != "" {
			name += " (" + image + ")"
		}
		parts = append(parts, name)
	}
	for _, s := range []string{shortID(c.ID), monitor.Clean(c.Address, 60)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " · ")
}

// shortID is as much of an id as the engines' own lists show.
func shortID(id string) string { return monitor.Clean(id[:min(len(id), 12)], 12) }
