package words

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
)

// Exposure says who can reach l: "local only", "exposed to the network", or its tunnels, one
// on each line.
func Exposure(l *monitor.Listener) string {
	switch {
	case len(l.Tunnels) > 0 && l.OnNetwork():
		return Tunnels(l) + "\n" + lang.L("exposed to the network")
	case len(l.Tunnels) > 0:
		return Tunnels(l)
	case l.Exposure.IsExposed():
		return lang.L("exposed to the network")
	}
	return lang.L("local only")
}

// ExposedShort is Exposure in a few words, for a listener that others can reach.
func ExposedShort(l *monitor.Listener) string {
	if t, ok := l.PublicTunnel(); ok {
		return lang.L("public through {{.Through}}", map[string]any{"Through": t.Through})
	}
	return lang.L("exposed to the network")
}

// maxTunnels limits how many tunnels are listed.
const maxTunnels = 4

// Tunnels describes the tunnels to l, one on each line; "" if there are none.
func Tunnels(l *monitor.Listener) string {
	var lines []string
	for _, t := range l.Tunnels[:min(len(l.Tunnels), maxTunnels)] {
		lines = append(lines, Sentence(t.Sentence()))
	}
	if len(l.Tunnels) > maxTunnels {
		lines = append(lines, "…")
	}
	return strings.Join(lines, "\n")
}
