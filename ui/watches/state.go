package watches

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/words"
)

// ruleState is the current state of a rule.
type ruleState struct {
	text, more string
	color      fyne.ThemeColorName
	open       bool
}

// stateOf returns the state of a rule in snapshot s.
func stateOf(rule watch.Rule, s monitor.Snapshot) ruleState {
	if rule.Off {
		return ruleState{text: lang.L("off"), color: table.ColorMuted}
	}
	found := rule.Listeners(s)
	if len(found) == 0 {
		return closedState(rule, s)
	}
	_, single := rule.Ports.Single()
	exposed := exposedFirst(found)
	count := map[string]any{"Count": exposed, "All": len(found)}
	state := ruleState{"● " + lang.L("open"), ownersText(found, !single), uitheme.ColorOpen, true}
	switch {
	case exposed > 0 && (single || len(found) == 1):
		state.text, state.color = "◐ "+lang.L("exposed to the network"), uitheme.ColorAlert
	case exposed > 0:
		state.text, state.color = "◐ "+lang.L("{{.Count}} of {{.All}} exposed to the network", count), uitheme.ColorAlert
	case !single && len(found) > 1:
		state.text = "● " + lang.N("{{.Count}} open", len(found), map[string]any{"Count": words.Number(len(found))})
	}
	return state
}

// closedState returns the state of a rule without matching listeners. Other processes may listen on
// its ports. Whether a server can bind them is unknown here: the cards of the Ports page show it.
func closedState(rule watch.Rule, s monitor.Snapshot) ruleState {
	state := ruleState{text: "○ " + lang.L("closed"), color: table.ColorMuted}
	if rule.FollowsService() {
		state.text = "○ " + lang.L("not running")
		return state
	}
	if others := (watch.Rule{Ports: rule.Ports, Except: rule.Except, Protocol: rule.Protocol}).Listeners(s); len(others) > 0 {
		_, single := rule.Ports.Single()
		state.text, state.more = "○ "+lang.L("used by another process"), ownersText(others, !single)
	}
	return state
}

// exposedFirst moves exposed listeners to the front and returns their number.
func exposedFirst(found []*monitor.Listener) (exposed int) {
	for i, l := range found {
		if l.Exposure.IsExposed() {
			copy(found[exposed+1:i+1], found[exposed:i])
			found[exposed] = l
			exposed++
		}
	}
	return exposed
}

// ownersText lists the owners of the first few listeners, with their ports if ports is true.
func ownersText(found []*monitor.Listener, ports bool) string {
	const limit = 8
	var parts []string
	for _, l := range found[:min(len(found), limit)] {
		owner := words.Owner(l)
		if ports {
			owner = fmt.Sprintf("%d %s", l.Port, owner)
		}
		if !slices.Contains(parts, owner) {
			parts = append(parts, owner)
		}
	}
	if len(found) > limit {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}
