package ports

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor/inuse"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// ShowNotice shows a sentence in the status line for widgets.NoticeTime.
func (p *Page) ShowNotice(sentence string) {
	p.notice, p.noticeUntil = sentence, p.now().Add(widgets.NoticeTime)
	p.stir() // so that it disappears in time
	p.showStatus()
}

// togglePause resumes notifications, or offers the same pauses as the tray.
func (p *Page) togglePause() {
	p.table.Focus() // otherwise the button keeps the focus and typing would not filter
	if !p.agentRunning() {
		return
	}
	if p.status.Paused {
		p.actions.Resume()
		return
	}
	var items []*fyne.MenuItem
	for _, d := range words.PauseFor {
		items = append(items, fyne.NewMenuItem(words.PauseText(d), func() { p.actions.Pause(d) }))
	}
	widgets.ShowMenuBelow(p.pause, items...)
}

// countText returns the counts of listeners, open watches and exposed listeners; "" before the first update.
func (p *Page) countText() string {
	if !p.ready {
		return ""
	}
	if port := p.filter.Port(); port != 0 && p.live && p.status.Health.Problem == "" && !p.rows.has(port) && p.table.Len() > 0 { // otherwise the page itself shows it
		return p.vacancyText(port)
	}
	listening, exposed, hidden := 0, 0, 0
	for r := range p.rows.listening() {
		if r.listener.Hidden {
			hidden++
		} else {
			listening++ // two servers on one port count twice, as in the quick filters
		}
		if r.listener.Exposure.IsExposed() {
			exposed++
		}
	}
	open, all := p.status.Rules.CountOpen(p.snapshot)
	return strings.Join([]string{
		lang.N("{{.Count}} listeners", listening, map[string]any{"Count": words.Number(listening)}) + words.PlusHidden(hidden),
		lang.L("{{.Open}} of {{.All}} watched open", map[string]any{"Open": open, "All": all}),
		lang.N("{{.Count}} exposed to the network", exposed, map[string]any{"Count": words.Number(exposed)}),
	}, " · ")
}

// vacancyText describes a port that no row has, in one line.
func (p *Page) vacancyText(port uint16) string {
	a := p.answer(port)
	data := map[string]any{"Port": port, "Reason": words.Taken(a)}
	switch a.State() {
	case inuse.Taken:
		return lang.L("Port {{.Port}} is not free: {{.Reason}}", data)
	case inuse.Unknown:
		return words.Availability(a)
	}
	return lang.L("Port {{.Port}} is free", data)
}

func (p *Page) showStatus() {
	text, color := p.countText(), table.ColorMuted
	if p.now().Before(p.noticeUntil) {
		text, color = p.notice, uitheme.ColorAlert
	}
	widgets.SetText(p.left, text, color)
	if hidden := text != p.undoable.notice || !p.canUndo(); p.undoLink.Hidden != hidden {
		p.undoLink.Hidden = hidden
		p.foot.Refresh() // the link moves with the text
	}
	widgets.SetText(p.right, p.healthText(), table.ColorMuted)
	label, icon := lang.L("Pause"), theme.MediaPauseIcon() // of notifications; the status line shows the pause
	if p.status.Paused {
		label, icon = lang.L("Resume"), theme.MediaPlayIcon()
	}
	if p.pause.Text != label {
		p.pause.Text, p.pause.Icon = label, icon
		p.pause.Refresh()
	}
}

// healthText returns the state of the monitor and of notifications.
func (p *Page) healthText() string {
	h := p.status.Health
	var parts []string
	if p.status.Paused {
		text := lang.L("notifications paused")
		if !p.status.PausedUntil.IsZero() {
			text = lang.L("notifications paused until {{.Time}}", map[string]any{"Time": p.status.PausedUntil.Local().Format("15:04")})
		}
		parts = append(parts, text)
	} else if p.live && !p.status.Notifications && (h.Interval > 0 || h.Problem != "") { // no status has arrived before that
		parts = append(parts, lang.L("notifications off"))
	}
	switch {
	case !p.live:
		parts = append(parts, lang.L("not monitoring"))
	case h.Problem != "":
		parts = append(parts, lang.L("can't read the ports"))
	case h.Interval > 0:
		parts = append(parts, lang.L("polling every {{.Interval}}", map[string]any{"Interval": words.ShortDuration(h.Interval)}))
	}
	return strings.Join(parts, " · ")
}
