package process

import (
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor/connection"
	"porthole/ui/table"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file shows the connections of the process and the state of its accept queue.

// showConnected lists the clients and draws the last minute of their traffic.
func (p *Window) showConnected(all []connection.Conn, at time.Time, bytes bool) {
	p.meter.Update(at, all)
	widgets.SetText(p.clientsTitle, words.ConnectionsTitle(len(all)), table.ColorMuted)
	resized := p.clients.Show(words.ClientLines(all, &p.meter, bytes, true)) || p.spark.raster.Hidden == bytes
	p.spark.raster.Hidden = !bytes
	p.spark.setValues(p.meter.History())
	if resized || !p.clientsBox.Visible() {
		p.clientsBox.Show()
		p.body.Refresh()
	}
}

// queueText returns the state of the accept queue and, for a single port, the range that
// the port is in.
func (p *Window) queueText(st connection.State) string {
	text := lang.L("accept queue {{.Waiting}} of {{.Limit}}", map[string]any{"Waiting": st.QueueLength, "Limit": st.QueueLimit})
	if len(p.listeners) == 1 {
		text += " · " + words.PortRange(p.listeners[0].Port)
	}
	return text
}
