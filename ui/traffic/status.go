package traffic

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file contains the status line.

// showState shows the status line and the labels that depend on the state.
func (w *Window) showState() {
	stats := w.recording.Store().Stats()
	left, color := w.sourceText(), table.ColorMuted
	switch {
	case w.notice != "" && w.now().Before(w.until):
		left = w.notice
	case w.problem != "":
		left, color = w.problem, uitheme.ColorAlert
	}
	widgets.SetText(w.left, left, color)
	parts := []string{lang.N("{{.Count}} requests", stats.Exchanges, map[string]any{"Count": words.Number(stats.Exchanges)})}
	if w.shown < stats.Exchanges {
		parts = []string{lang.L("{{.Shown}} of {{.All}} requests", map[string]any{"Shown": words.Number(w.shown), "All": words.Number(stats.Exchanges)})}
	}
	for _, p := range []struct {
		count uint64
		text  func(map[string]any) string
	}{
		{stats.DroppedExchanges, func(n map[string]any) string { return lang.L("{{.Count}} older ones dropped", n) }},
		{stats.DroppedBodies, func(n map[string]any) string { return lang.L("{{.Count}} older bodies dropped", n) }},
	} {
		if p.count > 0 {
			parts = append(parts, p.text(map[string]any{"Count": words.Number(int(p.count))}))
		}
	}
	if n := w.recording.Undecoded(); n > 0 {
		parts = append(parts, lang.L("{{.Size}} not decoded", map[string]any{"Size": words.Size(uint64(n))}))
	}
	if w.source == "" {
		parts = nil
	}
	widgets.SetText(w.right, strings.Join(parts, " · "), table.ColorMuted)
	label := lang.L("Pause")
	if w.paused {
		label = lang.L("Resume")
	}
	w.pauseButton.SetText(label)
	label = lang.L("Show secrets")
	if w.secrets {
		label = lang.L("Hide secrets")
	}
	w.secretsButton.SetText(label)
}

// sourceText says where the traffic comes from.
func (w *Window) sourceText() string {
	if w.path != "" {
		return lang.L("Read from {{.Path}}", map[string]any{"Path": monitor.Clean(w.path, 200)})
	}
	port := map[string]any{"Port": w.listener.Port, "Address": w.address}
	switch {
	case w.source == "":
		return ""
	case w.paused:
		return lang.L("Paused: no further requests are recorded")
	case w.source == Tap && w.address != "":
		return lang.L("Tap: connect to {{.Address}}, which forwards to {{.Port}}", port)
	case w.source == Tap:
		return lang.L("Opening the tap…")
	case w.source == Elevated && w.waiting:
		return lang.L("Waiting for the administrator's password…")
	}
	return lang.L("Capturing the traffic of {{.Port}}", port)
}

// Tick updates what depends on the time. It is called once a second.
func (w *Window) Tick() {
	w.showState()
	w.table.RefreshRows() // durations of what lasts
}

// ShowNotice shows a sentence in the status line for some seconds.
func (w *Window) ShowNotice(sentence string) {
	w.notice, w.until = sentence, w.now().Add(noticeTime)
	w.showState()
}
