// Package traffic is the window with the traffic of one listener: a live list of requests
// and messages, and the selected one with its header and body.
//
// Everything must be called on Fyne's goroutine.
package traffic

import (
	"path/filepath"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/ui/filter"
	"porthole/ui/table"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Source is a way to read the traffic of a listener.
type Source string

// The sources.
const (
	Capture  Source = "capture"
	Elevated Source = "elevated" // a capture by a program that an administrator allows to run as root
	Tap      Source = "tap"
	File     Source = "file" // that the recording was made for
)

// Started says how a source began, or why it could not or has ended.
type Started struct {
	Address string // where clients have to connect to a tap; "" for other sources
	Problem string // a translated sentence; "" on success
	Denied  bool   // the problem is that this user may not capture
}

// Recording is the traffic of one listener, or of a file, while its window is open. Its methods are
// called on Fyne's goroutine and must not block; done is called later on the same
// goroutine.
type Recording interface {
	Store() *traffic.Store
	// Undecoded returns how many bytes were lost before they could be decoded.
	Undecoded() int64
	// Start begins to read from a source.
	Start(s Source, done func(Started))
	// CanElevate reports whether the source Elevated is available.
	CanElevate() bool
	// Replay sends the request of e again. problem is a translated sentence; "" on success.
	Replay(e *traffic.Exchange, done func(answer *traffic.Exchange, problem string))
	// Save writes exchanges to a file in the format of its name. problem is a translated
	// sentence; "" on success.
	Save(path string, exchanges []*traffic.Exchange, unmasked bool, done func(problem string))
	// Packets returns how many bytes of packets SavePackets would write; 0 if there are none.
	Packets() int64
	// SavePackets writes the newest packets, with all their bytes, to a pcapng file.
	SavePackets(path string, done func(problem string))
	// Clear removes everything that was recorded, also from memory.
	Clear()
	SetPaused(paused bool)
	Close()
}

// Actions are the requests that the window sends to the program. They are called on
// Fyne's goroutine and must not block.
type Actions interface {
	Copy(text string)
	// RecordTraffic prepares a recording of l. changed is called on Fyne's goroutine a few
	// times a second while the recording changes.
	RecordTraffic(l *monitor.Listener, changed func()) Recording
	// ReadTraffic prepares a recording of what is in a file. Start reads it.
	ReadTraffic(path string, changed func()) Recording
	Quit() // quits Porthole
}

// DefaultSize is the initial size of the window, if the screen is large enough.
var DefaultSize = fyne.NewSize(1120, 720)

// maxFileName is how many characters of a file's name the title has.
const maxFileName = 60

// noticeTime is how long a notice is shown in the status line.
const noticeTime = widgets.NoticeTime

// Window shows the traffic of one listener or of a file.
type Window struct {
	// OnOpenFile is called with the path of a file that the user wants to see.
	OnOpenFile func(path string)

	window    fyne.Window
	actions   Actions
	recording Recording
	listener  *monitor.Listener // nil if path is not ""
	path      string            // of the file that is shown; "" if none is
	now       func() time.Time

	source  Source // "" until the user has chosen
	address string // of the tap, once it listens
	waiting bool   // for the source to begin
	problem string // why the source does not work
	filter  filter.Exchanges
	rows    []*exchangeRow // of all exchanges, the oldest first
	shown   int            // rows that match
	secrets bool
	paused  bool
	notice  string
	until   time.Time         // when notice disappears
	replay  *traffic.Exchange // the new answer to the selected exchange; nil if there is none
	sending bool

	entry, find                       *widgets.FilterEntry
	pauseButton, clearButton          *widgets.Button
	fileButton, secretsButton         *widgets.Button
	menuButton, actionsButton         *widgets.Button
	replayButton, curlButton, copying *widgets.Button
	table                             *table.Table[*exchangeRow]
	empty                             *widgets.EmptyState
	chooser                           fyne.CanvasObject
	choices                           *container.Scroll
	elevated                          *fyne.Container // the choice of the source Elevated
	chooserNote                       *widgets.Note
	captureButton, tapButton          *widgets.Button
	elevatedButton, openButton        *widgets.Button
	request, answer, again            *pane
	details                           *fyne.Container
	top, body, content                *fyne.Container
	question                          *widgets.Question // nil unless one is shown
	split                             *container.Split
	left, right                       *canvas.Text
}

// New returns the window of l, not shown yet. now is the clock.
func New(app fyne.App, l *monitor.Listener, actions Actions, now func() time.Time) *Window {
	w := &Window{actions: actions, listener: l, now: now}
	w.recording = actions.RecordTraffic(l, w.Refresh)
	w.open(app)
	w.choose("")
	return w
}

// NewFile returns the window of a HAR, pcapng or pcap file, not shown yet.
func NewFile(app fyne.App, path string, actions Actions, now func() time.Time) *Window {
	w := &Window{actions: actions, path: path, now: now}
	w.recording = actions.ReadTraffic(path, w.Refresh)
	w.open(app)
	w.choose(File)
	return w
}

// open builds the window.
func (w *Window) open(app fyne.App) {
	w.window = app.NewWindow(w.title() + " – Porthole")
	w.build()
	w.window.SetPadded(false)
	w.window.SetContent(tooltip.Layer(w.layout()))
	widgets.Bind(w.window.Canvas(), w.keys())
	w.window.Canvas().SetOnTypedRune(w.entry.Append)
}

// Fyne returns the Fyne window.
func (w *Window) Fyne() fyne.Window { return w.window }

// Closed ends the recording.
func (w *Window) Closed() { w.recording.Close() }

func (w *Window) title() string {
	if w.path != "" {
		return lang.L("Traffic in {{.File}}", map[string]any{"File": monitor.Clean(filepath.Base(w.path), maxFileName)})
	}
	return lang.L("Traffic of {{.Who}} on {{.Port}}", map[string]any{"Who": words.Owner(w.listener), "Port": w.listener.Port})
}

// Focus focuses the list, or the first choice.
func (w *Window) Focus() {
	if w.source == "" {
		if w.elevated.Visible() {
			w.window.Canvas().Focus(w.elevatedButton)
			return
		}
		w.window.Canvas().Focus(w.captureButton)
		return
	}
	w.table.FocusIn(w.window.Canvas()) // the choice hid it, so the driver may not know it
}

// Refresh shows what has changed in the recording.
func (w *Window) Refresh() {
	w.updateRows(false)
	w.showSelected()
	w.showState()
}

func (w *Window) togglePause() {
	if w.path != "" {
		return
	}
	w.paused = !w.paused
	w.recording.SetPaused(w.paused)
	w.showState()
}

func (w *Window) clear() {
	w.replay = nil
	w.recording.Clear()
	w.Refresh()
}

func (w *Window) toggleSecrets() {
	w.secrets = !w.secrets
	w.rows = nil // their paths are masked, or not
	w.Refresh()
}
