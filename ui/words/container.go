package words

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
)

// Service names the service of l in the user's language.
func Service(l *monitor.Listener) string {
	if c := l.Container; c != nil && l.Service == c.Description() {
		return containerText(*c)
	}
	return l.Service
}

// containerText returns Container.Description in the user's language.
func containerText(c monitor.Container) string {
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

// ContainerDetails describes the container of l: "web (acme/web:1) · 0123456789ab ·
// 172.17.0.2:80"; "" if there is none.
func ContainerDetails(l *monitor.Listener) string {
	c := l.Container
	if c == nil {
		return monitor.Clean(l.ContainerID, 64)
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
	if c.NameUnknown != "" {
		parts = append(parts, lang.L("name unknown: {{.Why}}", map[string]any{"Why": reasonText(c.NameUnknown)}))
	}
	return strings.Join(parts, " · ")
}

// shortID shortens a container ID as the engines' own lists do.
func shortID(id string) string { return monitor.Clean(id[:min(len(id), 12)], 12) }
