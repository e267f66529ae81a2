// Package tray shows a tray.Model through systray, changing only what differs.
package tray

import (
	"log/slog"
	"sync"
	"time"

	"fyne.io/fyne/v2/lang"
	"fyne.io/systray"

	"porthole/ui/tray"
)

// Actions is what a click may ask for. Its methods are called from goroutines
// of the tray's and must return at once: systray drops clicks that come while
// one is being handled.
type Actions interface {
	Show(port uint16) // 0: the window as it is
	ShowSettings()
	Pause(d time.Duration)
	Resume()
	Quit()
}

// Tray is the tray icon. There is at most one in a process.
type Tray struct {
	actions Actions
	log     *slog.Logger

	mu      sync.Mutex
	built   bool
	shown   tray.Model
	watched [tray.MaxWatched]slot
	more    slot
	recent  [tray.MaxRecent]slot
	pause   []slot
	resume  slot
}

// slot is a menu item that is there from the start and changes only its words
// and whether it is seen: a menu that is built anew closes under the pointer.
type slot struct {
	item *systray.MenuItem
	text string
	port uint16
}

// New builds the tray icon, which Run shows.
func New(first tray.Model, actions Actions, log *slog.Logger) *Tray {
	t := &Tray{actions: actions, log: log, shown: first}
	if !buildWhenReady {
		t.build()
	}
	return t
}

// build gives the icon its menu and all that it shows first.
func (t *Tray) build() {
	t.mu.Lock()
	defer t.mu.Unlock()
	actions := t.actions
	systray.SetTitle("Porthole")
	systray.SetOnTapped(func() { actions.Show(0) })
	for i := range t.watched {
		t.watched[i] = newSlot()
		t.onClick(t.watched[i].item, func() { actions.Show(t.portOf(&t.watched[i])) })
	}
	t.more = newSlot()
	t.onClick(t.more.item, func() { actions.Show(0) })
	systray.AddSeparator()
	for i := range t.recent {
		t.recent[i] = newSlot()
		t.onClick(t.recent[i].item, func() { actions.Show(t.portOf(&t.recent[i])) })
	}
	systray.AddSeparator()
	t.onClick(systray.AddMenuItem(lang.L("Open Porthole"), ""), func() { actions.Show(0) })
	for _, d := range tray.PauseFor {
		s := newSlot()
		t.pause = append(t.pause, s)
		t.onClick(s.item, func() { actions.Pause(d) })
	}
	t.resume = newSlot()
	t.onClick(t.resume.item, actions.Resume)
	systray.AddSeparator()
	t.onClick(systray.AddMenuItem(lang.L("Settings"), ""), actions.ShowSettings)
	t.onClick(systray.AddMenuItem(lang.L("Quit Porthole"), ""), actions.Quit)
	t.built = true
	t.update(t.shown, true)
}

func newSlot() slot {
	s := slot{item: systray.AddMenuItem("", "")}
	s.item.Hide()
	return s
}

// onClick calls do for every click. The goroutine ends with the process, as
// systray's own do: its items cannot be closed.
func (t *Tray) onClick(item *systray.MenuItem, do func()) {
	go func() {
		for range item.ClickedCh {
			do()
		}
	}()
}

func (t *Tray) portOf(s *slot) uint16 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.port
}

// Run shows the icon until Quit. On macOS and Windows it must be called from
// the main goroutine.
func (t *Tray) Run() {
	var ready func()
	if buildWhenReady {
		ready = t.build
	}
	systray.Run(ready, nil)
}

// Quit takes the icon away and lets Run return.
func (t *Tray) Quit() { systray.Quit() }

// Show brings the tray to m. It may be called from any goroutine.
func (t *Tray) Show(m tray.Model) { t.guard(func() { t.apply(m) }) }

func (t *Tray) apply(m tray.Model) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.built:
		t.shown = m
	case !m.Equal(t.shown):
		t.update(m, false)
	}
}

// update shows m: all of it first, then what differs. The caller holds mu.
func (t *Tray) update(m tray.Model, first bool) {
	if first || m.Icon != t.shown.Icon {
		t.setIcon(m.Icon)
	}
	if first || m.Tooltip != t.shown.Tooltip {
		systray.SetTooltip(m.Tooltip)
	}
	setLines(t.watched[:], m.Watched)
	setLines(t.recent[:], m.Recent)
	t.more.set(m.More)
	for i, d := range tray.PauseFor {
		t.pause[i].set(hiddenIf(m.Paused, tray.PauseText(d)))
	}
	t.resume.set(hiddenIf(!m.Paused, lang.L("Resume notifications")))
	t.shown = m
}

// setLines gives the slots their lines; those that are left over are not seen.
func setLines(slots []slot, lines []tray.Line) {
	for i := range slots {
		var line tray.Line
		if i < len(lines) {
			line = lines[i]
		}
		slots[i].port = line.Port
		slots[i].set(line.Text)
	}
}

func hiddenIf(not bool, text string) string {
	if not {
		return ""
	}
	return text
}

// set gives the item its words; without words it is not seen.
func (s *slot) set(text string) {
	if text == s.text {
		return
	}
	if text != "" {
		s.item.SetTitle(mnemonicEscaper.Replace(text))
	}
	switch {
	case text == "":
		s.item.Hide()
	case s.text == "":
		s.item.Show()
	}
	s.text = text
}

func (t *Tray) setIcon(icon tray.Icon) {
	b, err := encodeIcon(icon)
	if err != nil {
		t.log.Error("the tray icon cannot be drawn", "problem", err)
		return
	}
	systray.SetIcon(b)
}

// guard does f, in which systray panics where the session bus has gone a moment
// ago (godbus's Properties.SetMust). That is told by who watches the bus, and
// the agent is to end in order.
func (t *Tray) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			t.log.Warn("the tray icon cannot be changed", "problem", r)
		}
	}()
	f()
}
