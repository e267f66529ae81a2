//go:build windows || darwin

package tray

import (
	"fyne.io/systray"

	"porthole/ui/tray"
)

// systrayPanel shows the icon with package systray. There is at most one in a process.
type systrayPanel struct {
	t     *Tray
	items []*systray.MenuItem // nil for separators
}

func newPanel(t *Tray, _ string) panel {
	p := &systrayPanel{t: t}
	if !buildWhenReady {
		t.panel = p
		p.build()
	}
	return p
}

// build creates the menu and shows the first model.
func (p *systrayPanel) build() {
	t := p.t
	systray.SetTitle("Porthole")
	systray.SetOnTapped(func() { t.actions.Show(0, "") })
	go func() { // ends with the process, like the goroutines of items
		for range systray.TrayOpenedCh {
			t.actions.Opened()
		}
	}()
	for _, e := range t.entries {
		if e.separator {
			systray.AddSeparator()
			p.items = append(p.items, nil)
			continue
		}
		item := systray.AddMenuItem("", "")
		item.Hide()
		p.items = append(p.items, item)
		go func() { // ends with the process: menu items of systray cannot be closed
			for range item.ClickedCh {
				e.click("")
			}
		}()
	}
	t.start()
}

func (p *systrayPanel) run() {
	var ready func()
	if buildWhenReady {
		ready = p.build
	}
	systray.Run(ready, nil)
}

func (p *systrayPanel) quit() { systray.Quit() }

func (p *systrayPanel) setIcon(icon tray.Icon) error {
	b, err := encodeIcon(icon)
	if err == nil {
		systray.SetIcon(b)
	}
	return err
}

func (p *systrayPanel) setTooltip(text string) { systray.SetTooltip(text) }

func (p *systrayPanel) setLabel(n int, text string) {
	item := p.items[n]
	if item == nil {
		return
	}
	if text == "" {
		item.Hide()
		return
	}
	item.SetTitle(mnemonicEscaper.Replace(text))
	item.Show()
}
