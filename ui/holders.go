package ui

import (
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/activity"
)

// holder is who had a port, and when.
type holder struct {
	activity.Spell
	port uint16
}

// holders returns who had the ports of events before, the newest first. events
// are the newest first; who has a port still is not among them.
func holders(events []activity.Event) []holder {
	type listener struct{ id, boot string }
	hands := map[listener]time.Time{} // when it changed hands last
	var out []holder
	for _, e := range slices.Backward(events) {
		key := listener{e.Listener, e.Boot}
		spell := e.Spell()
		since, changed := hands[key]
		switch e.Kind {
		case monitor.OwnerChanged:
			hands[key] = e.At
			if e.Before == nil {
				continue
			}
			spell.Owner, spell.From, spell.Older, spell.To = *e.Before, e.OpenedAt, e.Older, e.At
		case monitor.Closed:
			delete(hands, key)
		default:
			continue
		}
		if changed {
			spell.From, spell.Older = since, false
		}
		out = append(out, holder{spell, e.Port})
	}
	slices.Reverse(out)
	return out
}

// lastWords says who had a port last: "Last: postgres, today 14:02–14:07".
func lastWords(s activity.Spell, now time.Time) string {
	data := map[string]any{"Who": whoHad(s.Owner), "When": Span(s, now)}
	if s.To.IsZero() {
		return lang.L("Last: {{.Who}}, {{.When}}; its end was not seen", data)
	}
	return lang.L("Last: {{.Who}}, {{.When}}", data)
}
