package process

import (
	"testing"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/uitest"
)

// The window asks for the end of the log with each probe, once at a time, and only if there
// may be one.
func TestOutputOfALog(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].Output = "/home/ada/.local/state/porthole/output/3000.log"
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes[Key(l)]
	probe := func() { d.answerProbe(l, connection.State{}, monitor.ProcessState{}) }
	probe()
	answer := d.AnswerOutput
	if answer == nil || p.output.object.Visible() || p.output.button.Visible() {
		t.Fatal("want that the window waits for the log, and shows nothing yet")
	}
	d.AnswerOutput = nil
	if probe(); d.AnswerOutput != nil {
		t.Error("it asks again while it waits")
	}
	answer("ready on 3000")
	if !p.output.object.Visible() || p.output.text.Text != "ready on 3000" {
		t.Errorf("got %q, visible %t", p.output.text.Text, p.output.object.Visible())
	}
	probe()
	d.AnswerOutput("ready on 3000\nGET /")
	if p.output.text.Text != "ready on 3000\nGET /" {
		t.Errorf("got %q, want the new end", p.output.text.Text)
	}
	p.output.button.OnTapped()
	d.Want("requests", d.Asked, []string{"log of 10"})
	probe()
	answer = d.AnswerOutput
	p.Closed()
	if answer("late"); p.output.text.Text == "late" {
		t.Error("an answer after the window was closed is shown")
	}
}

func TestNoOutputOfOtherFiles(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes[Key(l)]
	d.answerProbe(l, connection.State{}, monitor.ProcessState{})
	if d.AnswerOutput != nil {
		t.Error("it asks although the output goes to no file")
	}
	p.owner.Output = "/tmp/other"
	d.answerProbe(l, connection.State{}, monitor.ProcessState{})
	d.AnswerOutput("")
	d.AnswerOutput = nil
	if d.answerProbe(l, connection.State{}, monitor.ProcessState{}); d.AnswerOutput != nil || p.output.object.Visible() {
		t.Error("it asks again, or shows the file of another program")
	}
}
