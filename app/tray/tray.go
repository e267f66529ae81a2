// Package tray shows a tray.Model as a tray icon with a menu, through systray. It
// updates only what has changed.
package tray

import (
	"log/slog"
	"sync"
	"time"

	"fyne.io/fyne/v2/lang"
	"fyne.io/systray"

	"porthole/ui/tray"
	"porthole/ui/words"
)

// Actions handles clicks. Its methods are called from goroutines of the tray and
// must not block: systray drops clicks while one is being handled.
type Actions interface {
	Opened()          // the menu is being opened
	Show(port uint16) // 0: no particular port
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

// slot is a menu item that exists from the start and changes only its label and
// its visibility: rebuilding a menu would close it while it is in use.
type slot struct {
	item *systray.MenuItem
	text string
	port uint16
}

// New returns a tray icon that shows first. Run makes it visible.
func New(first tray.Model, actions Actions, log *slog.Logger) *Tray {
	t := &Tray{actions: actions, log: log, shown: first}
	if !buildWhenReady {
		t.build()
	}
	return t
}

// build creates the menu and shows the first model.
func (t *Tray) build() {
	t.mu.Lock()
	defer t.mu.Unlock()
	actions := t.actions
	systray.SetTitle("Porthole")
	systray.SetOnTapped(func() { actions.Show(0) })
	go func() { // ends with the process, like onClick
		for range systray.TrayOpenedCh {
			actions.Opened()
		}
	}()
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
	for _, d := range words.PauseFor {
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

// onClick calls do for every click. Its goroutine ends with the process, because
// menu items of systray cannot be closed.
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

// Run shows the icon until Quit is called. On macOS and Windows it must be called
// on the main goroutine.
func (t *Tray) Run() {
	var ready func()
	if buildWhenReady {
		ready = t.build
	}
	systray.Run(ready, nil)
}

// Quit removes the icon and makes Run return.
func (t *Tray) Quit() { systray.Quit() }

// Show shows m. It is safe for concurrent use.
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

// update shows what differs between m and the current model, or all of m if first.
// The caller holds mu.
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
	for i, d := range words.PauseFor {
		t.pause[i].set(hiddenIf(m.Paused, words.PauseText(d)))
	}
	t.resume.set(hiddenIf(!m.Paused, lang.L("Resume notifications")))
	t.shown = m
}

// setLines shows lines in slots and hides the remaining slots.
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

// hiddenIf returns "", which hides a slot, or else text.
func hiddenIf(hidden bool, text string) string {
	if hidden {
		return ""
	}
	return text
}

// set changes the label. An item without a label is hidden.
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
		t.log.Error("can't encode the tray icon", "error", err)
		return
	}
	systray.SetIcon(b)
}

// guard calls f and recovers from the panic of systray if the session bus has just
// disappeared (godbus's Properties.SetMust). The agent notices the loss of the bus
// elsewhere and shuts down in order.
func (t *Tray) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			t.log.Warn("can't update the tray icon", "error", r)
		}
	}()
	f()
}
