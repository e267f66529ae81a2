package agent

import (
	"cmp"
	"errors"
	"slices"

	"fyne.io/fyne/v2/lang"

	"porthole/app/notify"
	"porthole/monitor"
)

// problems lists missing or broken features, at most one per subject, sorted by subject.
type problems []problem

type problem struct{ subject, text string } // text is a sentence for the user

// set sets the problem of a subject; "" removes it. It reports whether anything has changed.
func (p *problems) set(subject, sentence string) bool {
	i := slices.IndexFunc(*p, func(x problem) bool { return x.subject == subject })
	switch {
	case i < 0 && sentence == "":
		return false
	case i < 0:
		*p = append(*p, problem{subject, sentence})
		slices.SortFunc(*p, func(a, b problem) int { return cmp.Compare(a.subject, b.subject) })
		return true
	case sentence == "":
		*p = slices.Delete(*p, i, i+1)
		return true
	}
	changed := (*p)[i].text != sentence
	(*p)[i].text = sentence
	return changed
}

// has reports whether subject has a problem.
func (p problems) has(subject string) bool {
	return slices.ContainsFunc(p, func(x problem) bool { return x.subject == subject })
}

func (p problems) texts() []string {
	var s []string
	for _, x := range p {
		s = append(s, x.text)
	}
	return s
}

func tableProblem(h monitor.Health) string {
	if h.Problem == "" {
		return ""
	}
	return lang.L("The listening ports cannot be read; what you see is the last that was. The log says why")
}

func settingsProblem(err error) string {
	return lang.L("The settings file cannot be used, so the last good settings hold, or the defaults: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 300)})
}

func newerSettingsProblem(newer bool) string {
	if !newer {
		return ""
	}
	return lang.L("The settings were written by a newer Porthole: they hold as far as they are understood, and are not changed")
}

// settingsWarning returns the first warning; all are in the log.
func settingsWarning(warnings []string) string {
	if len(warnings) == 0 {
		return ""
	}
	return lang.L("In the settings file: {{.What}}", map[string]any{"What": monitor.Clean(warnings[0], 300)})
}

func unsavedWatchesProblem(err error) string {
	return lang.L("The watches could not be saved; they hold until Porthole ends: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 300)})
}

func settingRefusedProblem(err error) string {
	return lang.L("Not changed: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 300)})
}

func autostartProblem() string {
	return lang.L("What the session starts could not be changed; the log says why")
}

func notificationProblem(err error) string {
	if err == nil {
		return ""
	}
	switch {
	case errors.Is(err, notify.ErrNoService):
		return lang.L("No notification service runs here, so you are told nothing: install one, such as dunst")
	case errors.Is(err, notify.ErrNoResponse):
		return lang.L("The notification service does not answer, so you are told nothing: end it, and the desktop starts it anew")
	case errors.Is(err, notify.ErrNoBus):
		return lang.L("No session bus was found, so you are told nothing: start Porthole from the desktop")
	}
	return lang.L("This desktop refuses notifications, so you are told nothing; the log says why")
}

func trayProblem(err error) string {
	if err == nil {
		return ""
	}
	return lang.L("There is no tray icon: no session bus was found")
}

func trayHostProblem(present bool) string {
	if present {
		return ""
	}
	return lang.L("This desktop shows no tray icons; on GNOME the extension “AppIndicator and KStatusNotifierItem Support” does. Porthole goes on watching when its window is closed")
}
