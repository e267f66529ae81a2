package agent

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/desktop"
	"porthole/app/notify"
	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/words"
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

// missingDelay is how long a part of the desktop must be missing before the window says
// so. At login, programs, panel and notification daemon start at the same time; a panel
// that restarts is away for a moment.
const missingDelay = 3 * time.Second

// setMissing sets the problem that a part of the desktop is missing once it has been
// missing for missingDelay, and then calls shown. It belongs to the goroutine of loop.
func (a *Agent) setMissing(subject, sentence string, shown func()) {
	switch {
	case a.missing[subject] != nil: // since the first report
	case a.problems.has(subject):
		a.setProblem(subject, sentence)
	default:
		var own *time.Timer
		own = time.AfterFunc(missingDelay, func() {
			a.do(func() {
				if a.missing[subject] != own {
					return // it has appeared meanwhile
				}
				a.setProblem(subject, sentence)
				shown()
			})
		})
		a.missing[subject] = own
	}
}

// setProblem sets the problem of a subject immediately; "" removes it. It belongs to the
// goroutine of loop.
func (a *Agent) setProblem(subject, sentence string) {
	if waiting := a.missing[subject]; waiting != nil {
		waiting.Stop()
		delete(a.missing, subject)
	}
	if a.problems.set(subject, sentence) {
		a.sendStatus()
	}
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
	return lang.L("Can't read the listening ports. This is the last known state. See the log for details.")
}

func settingsProblem(err error) string {
	return lang.L("Can't read the settings file, so the last valid settings or the defaults apply: {{.Why}}", map[string]any{"Why": settingsText(err)})
}

// settingsText returns an error of the settings file in the user's language.
func settingsText(err error) string {
	var p settings.Problem
	if !errors.As(err, &p) {
		return monitor.Clean(err.Error(), 300)
	}
	data := map[string]any{"Path": p.Path, "Line": p.Line, "What": words.Sentence(p.Sentence)}
	text := lang.L("{{.Path}}: {{.What}}", data)
	if p.Line > 0 {
		text = lang.L("{{.Path}}, line {{.Line}}: {{.What}}", data)
	}
	return monitor.Clean(text, 300)
}

func newerSettingsProblem(newer bool) string {
	if !newer {
		return ""
	}
	return lang.L("The settings file was written by a newer version of Porthole. Unknown settings are ignored, and the file is not changed.")
}

// settingsWarning returns the first warning; all are in the log.
func settingsWarning(warnings []settings.Problem) string {
	if len(warnings) == 0 {
		return ""
	}
	return lang.L("Settings file: {{.What}}", map[string]any{"What": settingsText(warnings[0])})
}

func unsavedWatchesProblem(err error) string {
	return lang.L("Can't save the watches; they apply until Porthole quits: {{.Why}}", map[string]any{"Why": settingsText(err)})
}

// droppedEdits is the subject of droppedWatchesProblem. It is the only problem that is over when it
// is reported, so the user can dismiss it.
const droppedEdits = "watches"

func droppedWatchesProblem() string {
	return lang.L("The settings file was edited, so your unsaved changes to the watches were discarded. If you still need them, make them again.")
}

func hookProblem(rule watch.Rule, err error) string {
	return lang.L("The hook of the watch “{{.Watch}}” failed: {{.Why}}", map[string]any{"Watch": hookName(rule), "Why": monitor.Clean(err.Error(), 300)})
}

func settingRefusedProblem(err error) string {
	return lang.L("Can't change the setting: {{.Why}}", map[string]any{"Why": settingsText(err)})
}

func autostartProblem() string {
	return lang.L("Can't change whether Porthole starts at login. See the log for details.")
}

func notificationProblem(err error) string {
	if err == nil {
		return ""
	}
	switch {
	case errors.Is(err, notify.ErrNoService):
		return lang.L("No notification daemon is running. Install one (for example dunst) to receive notifications.")
	case errors.Is(err, notify.ErrNoResponse):
		return lang.L("The notification daemon does not respond. Stop it, and the desktop will start it again.")
	case errors.Is(err, notify.ErrNoBus):
		return lang.L("No session bus was found. Start Porthole from the desktop to receive notifications.")
	}
	return lang.L("This desktop rejects notifications. See the log for details.")
}

func trayProblem(err error) string {
	if err == nil {
		return ""
	}
	return lang.L("Can't show the tray icon: no session bus was found")
}

// trayHostProblem returns the problem that no panel shows tray icons, with advice for the desktop
// that is there.
func trayHostProblem(on desktop.Environment) string {
	sentences := []string{lang.L("No panel shows tray icons."), trayAdvice(on), lang.L("Porthole keeps monitoring when you close the window.")}
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
}

// trayAdvice says how to get tray icons on a desktop; "" if that is unknown.
func trayAdvice(on desktop.Environment) string {
	switch on {
	case desktop.GNOME:
		return lang.L("Install the extension “AppIndicator and KStatusNotifierItem Support” and log in again.")
	case desktop.Budgie:
		return lang.L("Add the applet “System Tray” to the panel in Budgie Desktop Settings.")
	case desktop.Cinnamon:
		return lang.L("Install the package xapp-sn-watcher and log in again.")
	case desktop.KDE:
		return lang.L("Add the widget “System Tray” to the panel.")
	case desktop.Xfce:
		return lang.L("Add the “Status Tray Plugin” to the panel.")
	case desktop.LXQt:
		return lang.L("Add the plugin “Status Notifier” to the panel.")
	case desktop.MATE:
		return lang.L("Add the “Notification Area” to the panel.")
	case desktop.LXDE:
		return lang.L("LXDE's panel does not support them; others, such as xfce4-panel, do.")
	case desktop.I3:
		return lang.L("i3bar does not support them; other panels, such as xfce4-panel, do.")
	case desktop.Wlroots:
		return lang.L("Use a bar with a tray, such as swaybar or waybar.")
	}
	return ""
}
