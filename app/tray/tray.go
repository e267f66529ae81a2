// Package tray shows a tray.Model as a tray icon with a menu. It updates only what has
// changed.
package tray

import (
	"log/slog"
	"sync"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/ui/tray"
	"porthole/ui/words"
)

// Actions handles clicks. Its methods are called from goroutines of the tray and
// must not block: systray drops clicks while one is being handled. token permits raising a
// window; "" if the desktop gave none.
type Actions interface {
	Opened()                        // the menu is being opened
	Show(port uint16, token string) // 0: no particular port
	ShowSettings(token string)
	// ShowMenu shows the entries in a window of Porthole's, near the point x, y of the screen (0, 0 if
	// unknown): the panel shows no menus. The result is for Choose.
	ShowMenu(entries []string, x, y int, token string)
	Pause(d time.Duration)
	Resume()
	Quit()
}

// panel is the part of the desktop that shows the icon.
type panel interface {
	run() // shows the icon until quit is called
	quit()
	setIcon(tray.Icon) error
	setTooltip(string)
	setLabel(n int, text string) // of entry n of the menu; "" hides it
}

// Tray is the tray icon. There is at most one in a process.
type Tray struct {
	actions Actions
	log     *slog.Logger
	panel   panel

	mu      sync.Mutex
	ready   bool // the panel has the menu
	shown   tray.Model
	entries []*entry // of the menu, from top to bottom

	watched [tray.MaxWatched]*entry
	more    *entry
	recent  [tray.MaxRecent]*entry
	pause   []*entry
	resume  *entry
}

// entry is a menu entry that exists from the start and changes only its label and its
// visibility: rebuilding a menu would close it while it is in use.
type entry struct {
	separator bool
	n         int    // index in Tray.entries
	text      string // "": hidden
	port      uint16
	click     func(token string)
}

// New returns a tray icon that shows first. address is that of the session bus; it is not used
// on Windows and macOS. Run makes the icon visible.
func New(first tray.Model, address string, actions Actions, log *slog.Logger) *Tray {
	t := &Tray{actions: actions, log: log, shown: first}
	t.addEntries()
	t.panel = newPanel(t, address)
	return t
}

// addEntries creates the entries of the menu.
func (t *Tray) addEntries() {
	add := func(text string, click func(string)) *entry {
		e := &entry{text: text, click: click, n: len(t.entries)}
		t.entries = append(t.entries, e)
		return e
	}
	line := func() *entry {
		e := add("", nil)
		e.click = func(token string) { t.actions.Show(t.portOf(e), token) }
		return e
	}
	separate := func() { add("", nil).separator = true }
	show := func(token string) { t.actions.Show(0, token) }
	for i := range t.watched {
		t.watched[i] = line()
	}
	t.more = add("", show)
	separate()
	for i := range t.recent {
		t.recent[i] = line()
	}
	separate()
	add(lang.L("Open Porthole"), show)
	for _, d := range words.PauseFor {
		t.pause = append(t.pause, add("", func(string) { t.actions.Pause(d) }))
	}
	t.resume = add("", func(string) { t.actions.Resume() })
	separate()
	add(lang.L("Settings"), t.actions.ShowSettings)
	add(lang.L("Quit Porthole"), func(string) { t.actions.Quit() })
}

// start shows the first model. The panel calls it once when it accepts a menu.
func (t *Tray) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = true
	for _, e := range t.entries {
		if e.text != "" {
			t.panel.setLabel(e.n, e.text)
		}
	}
	t.update(t.shown, true)
}

func (t *Tray) portOf(e *entry) uint16 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return e.port
}

// Separator is the text of a line between entries; see Actions.ShowMenu. It is that of ui.MenuSeparator.
const Separator = "-"

// Entries returns the texts of the menu's entries for Actions.ShowMenu: "" for hidden ones, and
// Separator. It is safe for concurrent use.
func (t *Tray) Entries() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	texts := make([]string, len(t.entries))
	for n, e := range t.entries {
		texts[n] = e.text
		if e.separator {
			texts[n] = Separator
		}
	}
	return texts
}

// Choose acts as a click on entry n of Actions.ShowMenu; others than its entries are ignored.
func (t *Tray) Choose(n int, token string) {
	if n >= 0 && n < len(t.entries) && t.entries[n].click != nil {
		t.entries[n].click(token)
	}
}

// Run shows the icon until Quit is called. On macOS and Windows it must be called
// on the main goroutine.
func (t *Tray) Run() { t.panel.run() }

// Quit removes the icon and makes Run return.
func (t *Tray) Quit() { t.panel.quit() }

// Show shows m. It is safe for concurrent use.
func (t *Tray) Show(m tray.Model) { t.guard(func() { t.apply(m) }) }

func (t *Tray) apply(m tray.Model) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.ready:
		t.shown = m
	case !m.Equal(t.shown):
		t.update(m, false)
	}
}

// update shows what differs between m and the current model, or all of m if first.
// The caller holds mu.
func (t *Tray) update(m tray.Model, first bool) {
	if first || m.Icon != t.shown.Icon {
		if err := t.panel.setIcon(m.Icon); err != nil {
			t.log.Error("can't encode the tray icon", "error", err)
		}
	}
	if first || m.Tooltip != t.shown.Tooltip {
		t.panel.setTooltip(m.Tooltip)
	}
	t.setLines(t.watched[:], m.Watched)
	t.setLines(t.recent[:], m.Recent)
	t.set(t.more, m.More)
	for i, d := range words.PauseFor {
		t.set(t.pause[i], hiddenIf(m.Paused, words.PauseText(d)))
	}
	t.set(t.resume, hiddenIf(!m.Paused, lang.L("Resume notifications")))
	t.shown = m
}

// setLines shows lines in entries and hides the remaining ones.
func (t *Tray) setLines(entries []*entry, lines []tray.Line) {
	for i, e := range entries {
		var line tray.Line
		if i < len(lines) {
			line = lines[i]
		}
		e.port = line.Port
		t.set(e, line.Text)
	}
}

// hiddenIf returns "", which hides an entry, or else text.
func hiddenIf(hidden bool, text string) string {
	if hidden {
		return ""
	}
	return text
}

// set changes the label of e. An entry without a label is hidden.
func (t *Tray) set(e *entry, text string) {
	if text != e.text {
		e.text = text
		t.panel.setLabel(e.n, text)
	}
}

// guard calls f and recovers from a panic of the library that shows the icon: the tray must
// not end the monitoring.
func (t *Tray) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			t.log.Warn("can't update the tray icon", "error", r)
		}
	}()
	f()
}
