package ports

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// ShowNotice shows a sentence in the status line for a while.
func (p *Page) ShowNotice(sentence string) {
	p.notice, p.noticeUntil = sentence, p.now().Add(widgets.NoticeTime)
	p.showStatus()
}

// togglePause ends a pause of notifications, or offers what the tray does.
func (p *Page) togglePause() {
	p.table.Focus() // the button keeps the keyboard else, and typing would not filter
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

// countWords counts what listens; "" while nothing was told yet.
func (p *Page) countWords() string {
	if !p.ready {
		return ""
	}
	ports, exposed := map[uint16]bool{}, 0 // two servers on one port are one port
	for _, r := range p.rows {
		if r.mark == closed {
			continue
		}
		ports[r.listener.Port] = true
		if r.listener.Exposure == monitor.ExposureNetwork {
			exposed++
		}
	}
	if port := p.filter.Port(); port != 0 && p.live && p.status.Health.Problem == "" && !ports[port] && p.table.Len() > 0 { // else the page itself says it
		return lang.L("Port {{.Port}} is free", map[string]any{"Port": port})
	}
	listening := len(ports)
	open, all := p.status.Rules.CountOpen(p.snapshot)
	return strings.Join([]string{
		lang.N("{{.Count}} listening ports", listening, map[string]any{"Count": words.Number(listening)}),
		lang.L("{{.Open}} of {{.All}} watched open", map[string]any{"Open": open, "All": all}),
		lang.N("{{.Count}} exposed to the network", exposed, map[string]any{"Count": words.Number(exposed)}),
	}, " · ")
}

func (p *Page) showStatus() {
	words, color := p.countWords(), table.ColorMuted
	if p.now().Before(p.noticeUntil) {
		words, color = p.notice, uitheme.ColorAlert
	}
	widgets.SetText(p.left, words, color)
	if hidden := words != p.unwatched.notice || !p.canUndo(); p.undoLink.Hidden != hidden {
		p.undoLink.Hidden = hidden
		p.foot.Refresh() // it stands behind the words
	}
	widgets.SetText(p.right, p.healthWords(), table.ColorMuted)
	label, icon := lang.L("Pause"), theme.MediaPauseIcon() // of notifications: the status line says so then
	if p.status.Paused {
		label, icon = lang.L("Resume"), theme.MediaPlayIcon()
	}
	if p.pause.Text != label {
		p.pause.Text, p.pause.Icon = label, icon
		p.pause.Refresh()
	}
}

// healthWords says how the monitor is doing.
func (p *Page) healthWords() string {
	h := p.status.Health
	var parts []string
	if p.status.Paused {
		text := lang.L("notifications paused")
		if !p.status.PausedUntil.IsZero() {
			text = lang.L("notifications paused until {{.Time}}", map[string]any{"Time": p.status.PausedUntil.Local().Format("15:04")})
		}
		parts = append(parts, text)
	} else if p.live && !p.status.Notifications && (h.Interval > 0 || h.Problem != "") { // else nothing was told yet
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
