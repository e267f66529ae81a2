package process

import (
	"reflect"
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/ui/table"
	"porthole/ui/words"
)

// This file shows why the process is running, the warnings about it, and what the firewall does.

// showAncestry shows the warnings and why the process is running, with the chain of its
// parents, as known from the last probe.
func (p *Window) showAncestry() {
	var warnings []string
	if p.ambiguous {
		warnings = append(warnings, words.AmbiguousWarning())
	}
	for _, l := range p.listeners {
		live := p.probe.Process(l, p.owner)
		for _, s := range words.Warnings(l, p.owner, ancestry.Explain(p.owner, l.CgroupInfo, live), live) {
			if !slices.Contains(warnings, s) {
				warnings = append(warnings, s)
			}
		}
	}
	text := ""
	if p.owner.PID == 0 {
		text = lang.L("Owner unknown: {{.Why}}", map[string]any{"Why": p.unknownReason()})
		if sentence := words.UnitSentence(ancestry.Explain(p.owner, p.listener.CgroupInfo, monitor.ProcessState{})); sentence != "" {
			text += "\n" + sentence
		}
	} else {
		text = words.Ancestry(ancestry.Explain(p.owner, p.listener.CgroupInfo, p.probe.Process(p.listener, p.owner)), true)
	}
	resized := p.warnings.Show(warnings)
	if text != p.ancestry.Text {
		p.ancestry.SetText(text)
		resized = true
	}
	if resized {
		p.body.Refresh()
	}
}

// stateChanged reports whether the probe found another state of the process than the one
// before. Most probes find the same, and the ancestry takes a millisecond.
func (p *Window) stateChanged() bool {
	states := make([]monitor.ProcessState, len(p.listeners))
	for i, l := range p.listeners {
		states[i] = p.probe.Process(l, p.owner)
		states[i].Resources = monitor.Resources{} // shown elsewhere
	}
	changed := !reflect.DeepEqual(states, p.states)
	p.states = states
	return changed
}

// showFirewall shows what the firewall does with connections to the listeners that are exposed.
func (p *Window) showFirewall() {
	var lines []string
	for _, l := range p.listeners {
		text := words.Firewall(p.probe.Firewall[l.ID])
		if text != "" && !slices.Contains(lines, text) {
			lines = append(lines, text)
		}
	}
	if len(lines) > 1 { // the ports have different answers
		lines = nil
		for _, l := range p.listeners {
			if text := words.Firewall(p.probe.Firewall[l.ID]); text != "" && len(lines) < maxAddresses {
				lines = append(lines, words.Port(l.Protocol, l.Port)+": "+text)
			}
		}
	}
	if text := strings.Join(lines, "\n"); text != p.firewall.Segment.Text {
		p.firewall.Set(text, table.ColorMuted)
		p.body.Refresh() // it may need another line
	}
	p.setShown(len(lines) > 0, p.firewallBox)
}
