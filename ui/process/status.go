package process

import (
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/ui/probe"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file shows what the process is, and whether it listens, runs, has exited or was stopped.

// showProcessState shows whether a process that no longer listens has exited or is
// still running, and how it ended if that is known.
func (p *Window) showProcessState(v probe.Result) {
	state, probed := v.Processes[probe.IDOf(p.owner)]
	if !probed || p.ended || p.stoppedByUser || len(p.listeners) > 0 {
		return
	}
	if p.ended = state.Ended; p.ended && p.ranAfterClose {
		p.endedAt = v.At // its ports had closed earlier
	}
	p.ranAfterClose = !p.ended
	at := map[string]any{"Time": words.Moment(p.endedAt, p.now())}
	text := lang.L("Still running, but not listening since {{.Time}}", at)
	if p.ended {
		text = lang.L("Exited {{.Time}}", at)
		if p.exit.Known() {
			at["How"] = words.Exit(p.exit)
			text = lang.L("Exited {{.Time}}: it {{.How}}", at)
		}
	}
	if text != p.status.Text {
		p.showStatus(text)
	}
}

// showAge shows the name, the PID, the running time and the user. The running time of a
// young process changes every second; it is updated together with the results of probes,
// because Fyne paints the whole window for each change.
func (p *Window) showAge() {
	if p.disconnected {
		return // the running time would look live
	}
	widgets.SetText(p.heading, p.name(), theme.ColorNameForeground) // more may be known of an unknown owner
	if p.owner.PID == 0 {
		widgets.SetText(p.subtitle, fmt.Sprint(p.listener.Port), table.ColorMuted)
		return
	}
	parts := []string{words.PID(p.owner.PID)}
	if !p.owner.StartedAt.IsZero() && p.endedAt.IsZero() {
		parts = append(parts, lang.L("running for {{.Time}}", map[string]any{"Time": words.Duration(p.now().Sub(p.owner.StartedAt))}))
	}
	if p.owner.User != "" {
		parts = append(parts, lang.L("user {{.User}}", map[string]any{"User": monitor.Clean(p.owner.User, 60)}))
	}
	widgets.SetText(p.subtitle, strings.Join(parts, " · "), table.ColorMuted)
}

// showDescription shows the service, project and branch, or hides the line if none is
// known.
func (p *Window) showDescription() {
	text := words.Description(p.listener, p.owner)
	p.description.Set(text, table.ColorMuted)
	if shown := text != ""; p.description.Object.Visible() != shown { // Hide would paint the whole window each time
		widgets.ShowIf(p.description.Object, shown)
		p.body.Refresh()
	}
}

// Disconnect shows that monitoring has stopped. The window keeps the last known state.
func (p *Window) Disconnect() {
	p.disconnected = true
	p.showStatus(lang.L("Porthole has stopped monitoring. This is the last known state."))
	p.showStop()
}

// showStatus shows a line that the process has closed its ports, exited or is no longer
// monitored.
func (p *Window) showStatus(text string) {
	widgets.SetText(p.status, text, uitheme.ColorAlert)
	p.status.Show()
	p.body.Refresh()
}

// StoppedByUser shows that the user stopped the process at a time. forced means that it
// was force quit.
func (p *Window) StoppedByUser(at time.Time, forced bool) {
	p.stoppedByUser, p.endedAt = true, at
	text := lang.L("Stopped by you, {{.Time}}", map[string]any{"Time": words.Moment(at, p.now())})
	if forced {
		text = lang.L("Force quit by you, {{.Time}}", map[string]any{"Time": words.Moment(at, p.now())})
	}
	p.showStatus(text)
	p.showStop()
	p.showAge()
}

// showStop shows the stop button while the process can be stopped.
func (p *Window) showStop() {
	p.setShown(!p.disconnected && !p.stoppedByUser && len(p.listeners) > 0 && p.owner.PID > 1, p.stopButton)
}
