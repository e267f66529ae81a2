package traffic

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor/traffic"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file contains the selected exchange.

// selected returns the selected exchange, nil if there is none.
func (w *Window) selected() *traffic.Exchange {
	if r, ok := w.table.Selected(); ok {
		return r.exchange
	}
	return nil
}

// visible returns e as it may be shown: masked until the user asks for secrets.
func (w *Window) visible(e *traffic.Exchange) *traffic.Exchange {
	if w.secrets {
		return e
	}
	return traffic.Masked(e)
}

// showSelected shows the selected exchange in the panes.
func (w *Window) showSelected() {
	e := w.selected()
	widgets.SetEnabled(w.replayButton, e != nil && e.Web() && !w.sending)
	widgets.SetEnabled(w.curlButton, e != nil && e.Web())
	widgets.SetEnabled(w.copying, e != nil && len(e.Request.Body)+len(e.Answer.Body) > 0)
	state := paneState{e, w.secrets}
	if e == nil {
		e = &traffic.Exchange{}
	}
	if w.request.state != state {
		w.request.state = state
		shown := w.visible(e)
		w.request.show(w.requestTitle(e), shown, &shown.Request)
		w.answer.show(answerTitle(lang.L("Answer"), e), shown, &shown.Answer)
	}
	if again := (paneState{w.replay, w.secrets}); w.again.state != again {
		w.again.state = again
		if w.again.Hidden = w.replay == nil; w.replay != nil {
			shown := w.visible(w.replay)
			w.again.show(answerTitle(lang.L("New answer"), w.replay), shown, &shown.Answer)
		}
		w.details.Refresh()
	}
}

func (w *Window) requestTitle(e *traffic.Exchange) string {
	return titled(lang.L("Request"), e, &e.Request)
}

// titled returns the title of a pane with the size of its message.
func titled(title string, e *traffic.Exchange, m *traffic.Message) string {
	if e.ID == 0 && e.Method == "" || m.Size == 0 {
		return title
	}
	return title + " · " + words.Size(uint64(m.Size))
}

// answerTitle adds the time that an exchange took, and what was lost of it.
func answerTitle(title string, e *traffic.Exchange) string {
	title = titled(title, e, &e.Answer)
	if !e.Ended.IsZero() && e.Kind == traffic.Request {
		title += " · " + took(e.Duration(e.Ended))
	}
	if lost := e.Lost(); lost > 0 {
		title += " · " + lang.L("{{.Size}} lost", map[string]any{"Size": words.Size(uint64(lost))})
	}
	return title
}

// search marks text in the panes.
func (w *Window) search(text string) {
	for _, p := range []*pane{w.request, w.answer, w.again} {
		p.search(text)
	}
}

// findNext scrolls to the next line that contains the text of the search field, or moves
// to the field if it is empty.
func (w *Window) findNext() {
	if w.find.Text == "" {
		w.find.Take()
		return
	}
	for _, p := range []*pane{w.request, w.answer, w.again} {
		if p.Visible() && p.next() {
			return
		}
	}
	w.search(w.find.Text) // from the beginning
}
