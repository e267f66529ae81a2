package process

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor/ancestry"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file lays out a process window: its sections, buttons and scrolling by key.

// layout returns the window's content.

func (p *Window) layout() fyne.CanvasObject {
	clients := container.New(layout.NewCustomPaddedVBoxLayout(4), tooltip.NewAreaAt(p.clients.Object, p.clients.CutAt), p.spark.raster)
	p.clientsBox = widgets.TitledBox(p.clientsTitle, container.New(layout.NewCustomPaddedLayout(4, 4, 8, 8), clients))
	p.clientsBox.Hide()
	p.body = container.New(&sections{first: 4, second: 7, end: 10},
		container.NewHBox(widgets.Follow(p.heading, theme.ColorNameForeground), container.New(layout.NewCustomPaddedLayout(6, 0, 2, 0), widgets.Follow(p.subtitle, table.ColorMuted))),
		p.description.Object,
		widgets.Follow(p.status, uitheme.ColorAlert),
		container.New(layout.NewCustomPaddedLayout(4, 0, 0, 0), p.warnings.Object),
		widgets.Section(lang.L("Why is it running?"), p.ancestry),
		container.New(&sideBySide{}, widgets.Section(lang.L("Listening"), p.listeningBox()), p.clientsBox),
		p.reply.object,
		widgets.Section(lang.L("Process"), p.factList()),
		p.environment.object,
		p.pastOwnersBox,
		p.output.object,
		container.New(layout.NewCustomPaddedLayout(10, 0, 0, 0), container.NewBorder(nil, nil, nil, container.NewVBox(p.stopButton), p.buttons())),
		p.notice.Object,
	)
	padded := container.New(layout.NewCustomPaddedLayout(16, 16, 20, 20), p.body)
	p.scroll = container.NewVScroll(padded)
	return p.scroll
}

// buttons returns the row of buttons. Actions that are not possible have no button.
func (p *Window) buttons() fyne.CanvasObject {
	row := container.New(buttonRows{layout.NewRowWrapLayoutWithCustomPadding(6, 6)})
	add := func(label string, do func()) *widgets.Button {
		b := widgets.NewButton(label, do)
		row.Add(b)
		p.keyButtons = append(p.keyButtons, b)
		return b
	}
	p.browser = add(lang.L("Open in browser"), func() { p.actions.OpenInBrowser(words.ClientAddress(p.listener)) })
	p.showBrowser()
	p.needLoopback = []fyne.CanvasObject{p.browser, add(lang.L("Copy URL"), func() { p.actions.CopyURL(words.ClientAddress(p.listener)) })}
	p.reply.button = add(lang.L("What answers there?"), p.askPort)
	if len(p.owner.Command) > 0 {
		add(lang.L("Copy command"), func() {
			p.actions.Copy(words.ShellCommand(p.owner))
			p.ShowNotice(words.Copied(words.ShellCommand(p.owner)))
		})
	}
	if p.owner.Folder != "" {
		folder := add(lang.L("Open folder"), func() { p.actions.OpenFolder(p.owner.Folder) })
		folder.Tip = words.FolderProblem(p.owner)
		widgets.SetEnabled(folder, folder.Tip == "")
	}
	add(lang.L("Explain"), p.showExplanations)
	p.whileTCP = []fyne.CanvasObject{add(lang.L("Show traffic…"), func() { p.traffic(p.listener) })}
	p.whileListening = []fyne.CanvasObject{add(lang.L("Inspect traffic"), func() { p.actions.InspectTraffic(p.listener) })}
	for _, b := range []*widgets.Button{p.secretsButton(), p.environmentButton()} {
		if b != nil {
			row.Add(b)
			p.keyButtons = append(p.keyButtons, b)
		}
	}
	p.output.button = add(lang.L("Open log"), func() { p.actions.OpenLog(p.owner) })
	p.output.button.Hide()
	p.terminal = add(lang.L("Go to its terminal"), func() { p.actions.GoToTerminal(p.owner) })
	p.keyButtons = append(p.keyButtons, p.stopButton)
	return row
}

// buttonRows is a layout of as many rows of buttons as the width needs. Fyne's own has the width of
// its last layout as the minimum, so that a window could not become narrower.
type buttonRows struct{ rows fyne.Layout }

// MinSize implements fyne.Layout.
func (b buttonRows) MinSize(o []fyne.CanvasObject) fyne.Size {
	widest := float32(0)
	for _, x := range o {
		if x.Visible() {
			widest = max(widest, x.MinSize().Width)
		}
	}
	return fyne.NewSize(widest, b.rows.MinSize(o).Height)
}

// Layout implements fyne.Layout.
func (b buttonRows) Layout(o []fyne.CanvasObject, s fyne.Size) { b.rows.Layout(o, s) }

// showTerminal shows the button while the process has a terminal that can be brought to the front.
func (p *Window) showTerminal() {
	why := ancestry.Explain(p.owner, p.listener.CgroupInfo, p.probe.Process(p.listener, p.owner))
	p.setShown(!p.ended && words.HasTerminal(why, p.context().RaisesWindows), p.terminal)
}

// listeningBox returns the addresses with the state of the accept queue below.
func (p *Window) listeningBox() fyne.CanvasObject {
	p.queueBox = container.New(layout.NewCustomPaddedLayout(0, 6, 8, 8), p.queue.Object)
	p.queueBox.Hide()
	p.firewallBox = container.New(layout.NewCustomPaddedLayout(0, 6, 8, 8), p.firewall.Object)
	p.firewallBox.Hide()
	return container.New(layout.NewCustomPaddedVBoxLayout(0), p.listening, p.queueBox, p.firewallBox)
}

// scrollByKeys makes unused keys scroll the content, which on a small screen is taller
// than the window, and scrolls to the focused button.
func (p *Window) scrollByKeys() {
	canvas := p.window.Canvas()
	others := canvas.OnTypedKey()
	canvas.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if !widgets.ScrollBy(p.scroll, e.Name) {
			others(e)
		}
	})
	for _, b := range p.keyButtons {
		b.OnFocus = func() { widgets.Reveal(p.scroll, b) }
	}
}
