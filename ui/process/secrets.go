package process

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file shows the secrets in the command and the environment, on request only.

// unmaskedCommand returns the cleaned command line with its secrets.
func unmaskedCommand(o monitor.Owner) string {
	return monitor.Clean(strings.Join(o.Command, " "), words.MaxCommand)
}

// secretsButton returns a button that shows and hides the secrets in the command, in
// this window only; nil if there are none.
func (p *Window) secretsButton() *widgets.Button {
	if unmaskedCommand(p.owner) == words.Command(p.owner) {
		return nil
	}
	var b *widgets.Button
	b = widgets.NewButton(lang.L("Show secrets"), func() {
		if p.command.Text == words.Command(p.owner) {
			p.command.SetText(unmaskedCommand(p.owner))
			b.SetText(lang.L("Hide secrets"))
		} else {
			p.command.SetText(words.Command(p.owner))
			b.SetText(lang.L("Show secrets"))
		}
		p.body.Refresh() // the command may take more lines
	})
	return b
}

// environmentBox shows the environment that a process was started with. Hiding the box
// also discards its text.
type environmentBox struct {
	text      *widgets.CopyText
	scroll    *container.Scroll
	object    fyne.CanvasObject
	requested bool // shown or loading, and not hidden again
}

// environmentHeight is the height of the visible part.
const environmentHeight = 180

func newEnvironmentBox() *environmentBox {
	b := &environmentBox{text: widgets.NewCopyText("")}
	b.text.TextStyle.Monospace, b.text.Selectable = true, false // selecting in lines that do not wrap would measure each line once per character
	b.scroll = container.NewScroll(b.text)
	b.scroll.SetMinSize(fyne.NewSize(0, environmentHeight))
	b.object = widgets.Section(lang.L("Environment at start"), b.scroll)
	b.object.Hide()
	return b
}

// environmentButton returns a button that loads and hides the environment; nil if the
// process belongs to another user.
func (p *Window) environmentButton() *widgets.Button {
	if p.owner.PID == 0 || p.context().User == "" || p.owner.User != p.context().User {
		return nil
	}
	box := p.environment
	var b *widgets.Button
	show := func(lines []string) {
		box.text.SetText(strings.Join(lines, "\n"))
		box.object.Show()
		p.body.Refresh()
		p.scroll.Refresh()
		p.scroll.ScrollToBottom() // to the button that hides it
	}
	b = widgets.NewButton(lang.L("Show environment"), func() {
		if box.requested = !box.requested; !box.requested {
			box.text.SetText("")
			box.object.Hide()
			b.SetText(lang.L("Show environment"))
			p.body.Refresh()
			return
		}
		b.SetText(lang.L("Hide environment"))
		p.actions.Environment(p.owner, func(lines []string, problem string) {
			switch {
			case !box.requested: // hidden again before the answer came
			case problem != "":
				show([]string{problem})
			case len(lines) == 0:
				show([]string{lang.L("No variables")})
			default:
				show(lines)
			}
		})
	})
	b.Scroll = box.scroll
	return b
}
