package traffic

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor/traffic"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file contains what is done with the selected exchange: sending it again and copying.

// sendAgain sends the selected request again and shows the new answer beside the old.
func (w *Window) sendAgain() {
	e := w.selected()
	if e == nil || !e.Web() || w.sending {
		return
	}
	w.sending = true
	w.showSelected()
	w.recording.Replay(e, func(answer *traffic.Exchange, problem string) {
		w.sending = false
		if problem != "" {
			w.ShowNotice(problem)
		} else if now := w.selected(); now != nil && now.ID == e.ID {
			w.replay = answer
		}
		w.showSelected()
	})
}

func (w *Window) copyCurl() {
	e := w.selected()
	if e == nil || !e.Web() {
		return
	}
	command, ok := w.visible(e).Curl()
	if !ok {
		w.ShowNotice(lang.L("The body of this request does not fit into a command"))
		return
	}
	w.actions.Copy(command)
	w.ShowNotice(words.Copied(command))
}

// copyMenu copies a body, and asks which one if there are two.
func (w *Window) copyMenu() {
	e := w.selected()
	switch {
	case e == nil:
	case len(e.Request.Body) > 0 && len(e.Answer.Body) > 0:
		widgets.ShowMenuBelow(w.copying,
			fyne.NewMenuItem(lang.L("Copy the body of the request"), func() { w.copyBody(traffic.ToServer) }),
			fyne.NewMenuItem(lang.L("Copy the body of the answer"), func() { w.copyBody(traffic.ToClient) }))
	case len(e.Request.Body) > 0:
		w.copyBody(traffic.ToServer)
	default:
		w.copyBody(traffic.ToClient)
	}
}

// copyBody copies a body as it was sent, without content coding.
func (w *Window) copyBody(dir traffic.Direction) {
	e := w.selected()
	if e == nil {
		return
	}
	content, _ := w.visible(e).Message(dir).Shown(0) // what can be decoded of it
	if len(content) == 0 {
		w.ShowNotice(lang.L("There is no body to copy"))
		return
	}
	text := strings.ToValidUTF8(string(content), "\ufffd")
	w.actions.Copy(text)
	w.ShowNotice(lang.L("Copied {{.Size}}", map[string]any{"Size": words.Size(uint64(len(text)))}))
}
