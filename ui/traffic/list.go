package traffic

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/ui/filter"
	"porthole/ui/widgets"
)

// This file contains the list of exchanges and its filter.

// updateRows shows the exchanges that match the filter, the newest first. Rows of
// exchanges that have not changed are kept, with what was computed for them.
func (w *Window) updateRows(filtered bool) {
	list := w.recording.Store().List()
	known := make([]*exchangeRow, 0, len(list))
	w.shown = 0
	for _, e := range list {
		for len(w.rows) > 0 && w.rows[0].exchange.ID < e.ID { // both are in the order of IDs
			w.rows = w.rows[1:]
		}
		var r *exchangeRow
		switch {
		case len(w.rows) == 0 || w.rows[0].exchange != e:
			r = &exchangeRow{exchange: e, key: keyOf(e), secrets: w.secrets, now: w.now, matches: w.filter.Matches(e)}
		default:
			r = w.rows[0]
			if filtered || e.Ended.IsZero() {
				r.matches = w.filter.Matches(e)
			}
		}
		known = append(known, r)
		if r.matches {
			w.shown++
		}
	}
	w.rows = known
	rows := make([]*exchangeRow, 0, w.shown)
	for _, r := range slices.Backward(known) {
		if r.matches {
			rows = append(rows, r)
		}
	}
	if filtered {
		w.table.ShowRows(rows)
	} else {
		w.table.SetRows(rows)
	}
	w.showEmpty()
}

// showEmpty says why the list is empty, if it is.
func (w *Window) showEmpty() {
	switch {
	case w.shown > 0:
		w.empty.Hide()
	case len(w.rows) > 0:
		w.empty.ShowMessage(widgets.EmptyMessage{Title: lang.L("No request matches the filter"), Button: lang.L("Clear filter")})
	case w.path != "":
		w.empty.Show(lang.L("No requests in this file"), "")
	case w.source == Tap && w.address != "":
		w.empty.Show(lang.L("Waiting for a request"), lang.L("Connect your client to {{.Address}}", map[string]any{"Address": w.address}))
	default:
		w.empty.Show(lang.L("Waiting for a request"), "")
	}
}

func (w *Window) setFilter(text string) {
	w.filter = filter.ParseExchanges(text)
	w.updateRows(true)
	w.showState()
}

// menu opens the context menu of a row.
func (w *Window) menu(r *exchangeRow, at fyne.Position) {
	if items := w.items(r.exchange); len(items) > 0 {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), w.window.Canvas(), at)
	}
}

// items returns what can be done with an exchange.
func (w *Window) items(e *traffic.Exchange) []*fyne.MenuItem {
	var items []*fyne.MenuItem
	if e.Web() {
		items = append(items, widgets.MenuItem(lang.L("Send again"), replayKeys, w.sendAgain), widgets.MenuItem(lang.L("Copy as curl"), curlKeys, w.copyCurl))
	}
	if len(e.Request.Body) > 0 {
		items = append(items, fyne.NewMenuItem(lang.L("Copy the body of the request"), func() { w.copyBody(traffic.ToServer) }))
	}
	if len(e.Answer.Body) > 0 {
		items = append(items, fyne.NewMenuItem(lang.L("Copy the body of the answer"), func() { w.copyBody(traffic.ToClient) }))
	}
	if e.Method != "" {
		items = append(items, fyne.NewMenuItem(lang.L("Show only {{.Method}}", map[string]any{"Method": monitor.Clean(e.Method, 30)}), func() { w.showOnly(e.Method) }))
	}
	return items
}

// showOnly filters by a method.
func (w *Window) showOnly(method string) {
	term := "method:" + strings.ToLower(method)
	w.entry.SetText(term)
}
