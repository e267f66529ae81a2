package watches

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

// typed is the input of all fields.
type typed struct {
	ports, match, name string
	health             string // path of the health check
	notifyOn           watch.NotifyOn
	urgency            watch.Urgency // "" for normal
	sound              string        // as in watch.Rule
}

// ruleErrors are the errors of the input, one sentence per field; "" for none.
type ruleErrors struct{ ports, match, health, notifyOn string }

// rule parses the input. A rule with the events of the settings has none of its own.
func (t typed) rule(defaults watch.NotifyOn) (rule watch.Rule, errs ruleErrors) {
	var err error
	rule.Name = monitor.Clean(t.name, 200)
	if strings.TrimSpace(t.ports) != "" {
		if err := rule.ParsePorts(t.ports); err != nil {
			errs.ports = monitor.Clean(words.Error(err), 200)
		}
	}
	if rule.Match, err = watch.ParsePattern(t.match); err != nil {
		errs.match = monitor.Clean(words.Error(err), 200)
	}
	if strings.TrimSpace(t.ports+t.match) == "" {
		errs.ports = lang.L("Enter ports, a process, or both")
	}
	if rule.NotifyOn = t.notifyOn; t.notifyOn == 0 {
		errs.notifyOn = lang.L("Select at least one event. To silence a watch, turn it off.")
	}
	if rule.NotifyOn == defaults {
		rule.NotifyOn = 0
	}
	rule.Urgency, rule.Sound = t.urgency, t.sound
	if rule.Health = strings.TrimSpace(t.health); rule.Health != "" {
		if err := rule.CheckHealth(); err != nil {
			errs.health = monitor.Clean(words.Error(err), 200)
		}
	}
	return rule, errs
}

// typedFor returns the input that parses to rule.
func typedFor(rule watch.Rule, defaults watch.NotifyOn) typed {
	t := typed{rule.PortsText(), strings.Join(strings.Fields(rule.Match.String()), " "), monitor.Clean(rule.Name, 200), rule.Health, rule.NotifyOn, rule.Urgency, rule.Sound}
	if t.urgency == watch.Normal {
		t.urgency = ""
	}
	if t.notifyOn == 0 {
		t.notifyOn = defaults
	}
	return t
}

// sameButOff reports whether a and b are equal, except that one may be turned off.
func sameButOff(a, b watch.Rule) bool {
	a.Off = b.Off
	return a.Equal(b)
}
