package traffic

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/traffic"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fake is a recording, and the actions, of a test.
type fake struct {
	store   *traffic.Store
	asked   []string
	started func(Started)
	packets int64
	elevate bool
	replied func(*traffic.Exchange, string)
	copied  string
}

func (f *fake) ask(format string, args ...any) {
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
}

func (f *fake) Store() *traffic.Store { return f.store }
func (f *fake) Undecoded() int64      { return 0 }
func (f *fake) Close()                { f.ask("close") }
func (f *fake) Quit()                 { f.ask("quit") }
func (f *fake) Copy(text string)      { f.copied = text }
func (f *fake) RecordTraffic(l *monitor.Listener, _ func()) Recording {
	f.ask("record %d", l.Port)
	return f
}
func (f *fake) ReadTraffic(path string, _ func()) Recording {
	f.ask("read %s", path)
	return f
}
func (f *fake) CanElevate() bool      { return f.elevate }
func (f *fake) Packets() int64        { return f.packets }
func (f *fake) Clear()                { f.store.Clear() }
func (f *fake) SetPaused(paused bool) { f.store.SetPaused(paused) }
func (f *fake) SavePackets(path string, done func(string)) {
	f.ask("save packets to %s", path)
	done("")
}
func (f *fake) Start(s Source, done func(Started)) {
	f.ask("start %s", s)
	f.started = done
}
func (f *fake) Replay(e *traffic.Exchange, done func(*traffic.Exchange, string)) {
	f.ask("replay %d", e.ID)
	f.replied = done
}
func (f *fake) Save(path string, list []*traffic.Exchange, unmasked bool, done func(string)) {
	f.ask("save %d to %s, unmasked %v", len(list), path, unmasked)
	done("")
}

// open returns a window that captures the traffic of port 3000.
func open(t testing.TB, theme string) (*Window, *fake) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(uitheme.Theme{Fixed: theme})
	<-uitheme.LoadFonts()
	f := &fake{store: traffic.NewStore(traffic.Limits{})}
	w := New(app, uitest.Listening(3000, "node", 4711), f, func() time.Time { return start.Add(3 * time.Second) })
	w.window.Resize(DefaultSize)
	w.window.Show()
	t.Cleanup(w.window.Close)
	return w, f
}

// openFile returns the window of a file.
func openFile(t testing.TB, path string) (*Window, *fake) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(uitheme.Theme{Fixed: "dark"})
	<-uitheme.LoadFonts()
	f := &fake{store: traffic.NewStore(traffic.Limits{})}
	w := NewFile(app, path, f, func() time.Time { return start })
	w.window.Resize(DefaultSize)
	w.window.Show()
	t.Cleanup(w.window.Close)
	return w, f
}

// exchange returns an exchange of HTTP.
func exchange(n int, method, path string, code int, contentType, body string) traffic.Exchange {
	conn := &traffic.Connection{ID: 1, Conn: traffic.Conn{Client: netip.MustParseAddrPort("127.0.0.1:50000"), Server: netip.MustParseAddrPort("127.0.0.1:3000")}}
	conn.SetProcess(traffic.Process{PID: 812, Name: "curl"})
	head := fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", code, contentType, len(body))
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: curl/7.88.1\r\nAuthorization: Bearer s3cret\r\nAccept: */*\r\n\r\n", method, path)
	at := start.Add(time.Duration(n) * 10 * time.Millisecond)
	status := map[int]string{200: "OK", 201: "Created", 404: "Not Found", 500: "Internal Server Error"}[code]
	return traffic.Exchange{
		Conn: conn, Protocol: "HTTP/1.1", Method: method, Path: path, Host: "localhost:3000", Code: code, Status: status, Failed: code >= 400,
		Started: at, Answered: at.Add(time.Millisecond), Ended: at.Add(time.Duration(n+1) * 1700 * time.Microsecond),
		Request: traffic.Message{Head: []byte(request), Size: int64(len(request))},
		Answer:  traffic.Message{Head: []byte(head), Body: []byte(body), BodySize: int64(len(body)), Size: int64(len(head) + len(body))},
	}
}

// sample shows exchanges of each kind.
func sample(w *Window, f *fake) {
	w.choose(Capture)
	f.started(Started{})
	var picture bytes.Buffer
	m := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for i := range m.Pix {
		m.Pix[i] = byte(40 + i/30)
	}
	m.Set(3, 3, color.White)
	png.Encode(&picture, m)
	event := exchange(5, "", "", 0, "text/plain", "tick")
	event = traffic.Exchange{Conn: event.Conn, Kind: traffic.Event, Direction: traffic.ToClient, Protocol: "WebSocket", Method: "text", Path: `{"tick":7}`, Started: event.Started, Ended: event.Started, Answer: traffic.Message{Body: []byte(`{"tick":7}`), BodySize: 10, Size: 12}}
	lasting := exchange(6, "GET", "/events", 0, "", "")
	lasting.Ended, lasting.Answered, lasting.Answer = time.Time{}, time.Time{}, traffic.Message{}
	broken := exchange(4, "GET", "/report?token=s3cret", 0, "", "")
	broken.Answer, broken.Answered, broken.Problem = traffic.Message{}, time.Time{}, "No answer: the server closed the connection."
	f.store.Add(
		exchange(0, "GET", "/", 200, "text/html", "<!doctype html><html><head><title>Hi</title></head><body><p>Hello <b>world</b></p><br></body></html>"),
		exchange(1, "GET", "/logo.png", 200, "image/png", picture.String()),
		exchange(2, "POST", "/api/items", 201, "application/json", `{"id":7,"name":"Ärger","tags":["a","b"],"password":"s3cret"}`),
		exchange(3, "GET", "/api/items/99", 500, "text/plain", "boom\n"),
		broken, event, lasting)
	w.Refresh()
}

func (w *Window) listed() string {
	var out []string
	for _, r := range w.table.Rows() {
		out = append(out, strings.Join([]string{r.method(), r.pathText(), r.status().Text}, " "))
	}
	return strings.Join(out, "\n")
}

func (p *pane) shown() string {
	var out []string
	for _, l := range p.lines {
		out = append(out, l.name+l.text)
	}
	return strings.Join(out, "\n")
}

func TestListShowsTheNewestFirst(t *testing.T) {
	w, f := open(t, "dark")
	sample(w, f)
	want := "GET /events waiting\n‹ text {\"tick\":7} \nGET /report?token=••• incomplete\nGET /api/items/99 500 Internal Server Error\n" +
		"POST /api/items 201 Created\nGET /logo.png 200 OK\nGET / 200 OK"
	if got := w.listed(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := w.right.Text; got != "7 requests" {
		t.Errorf("got %q", got)
	}
}

func TestFilter(t *testing.T) {
	w, f := open(t, "dark")
	sample(w, f)
	for text, want := range map[string]int{"status:5xx": 1, "method:post": 1, "path:/api": 2, "slow:6ms": 3, "body:boom": 1} {
		w.entry.SetText(text)
		if w.shown != want && text != "slow:6ms" || w.table.Len() != w.shown {
			t.Errorf("%s: got %d rows, want %d", text, w.shown, want)
		}
	}
	if w.entry.SetText("-curl"); !w.empty.Object.Visible() || w.shown != 0 {
		t.Error("an empty list does not say why")
	}
	w.saveTo("/x.har")
	if got := f.asked[len(f.asked)-1]; got != "save 0 to /x.har, unmasked false" {
		t.Errorf("got %s", got)
	}
}

func TestSelectedExchange(t *testing.T) {
	w, f := open(t, "dark")
	sample(w, f)
	w.table.Select("3")
	if got := w.request.shown(); !strings.Contains(got, "POST /api/items HTTP/1.1") || !strings.Contains(got, "Authorization: Bearer •••") {
		t.Errorf("request: got\n%s", got)
	}
	if got := w.answer.shown(); !strings.Contains(got, "  \"name\": \"Ärger\",\n") || strings.Contains(got, "s3cret") {
		t.Errorf("answer: got\n%s", got)
	}
	w.toggleSecrets()
	if got := w.request.shown() + w.answer.shown(); strings.Count(got, "s3cret") != 2 {
		t.Errorf("with secrets: got\n%s", got)
	}
	w.table.Select("1")
	if got := w.answer.shown(); !strings.Contains(got, "    <p>\n") {
		t.Errorf("HTML: got\n%s", got)
	}
	w.table.Select("2")
	if !w.answer.picture.Visible() {
		t.Error("the image is not shown")
	}
	w.table.Select("5")
	if got := w.answer.note.Segment.Text; !strings.Contains(got, "No answer: the server closed the connection.") {
		t.Errorf("got the note %q", got)
	}
}

func TestReplayShowsBothAnswers(t *testing.T) {
	w, f := open(t, "dark")
	sample(w, f)
	w.table.Select("4")
	w.sendAgain()
	if got := f.asked[len(f.asked)-1]; got != "replay 4" || !w.replayButton.Disabled() {
		t.Fatalf("got %s", got)
	}
	e := exchange(9, "GET", "/api/items/99", 200, "text/plain", "fine\n")
	f.replied(&e, "")
	if !w.again.Visible() || !strings.Contains(w.again.shown(), "fine") || !strings.Contains(w.answer.shown(), "boom") {
		t.Errorf("got %q beside %q", w.again.shown(), w.answer.shown())
	}
	w.table.Select("3")
	if w.again.Visible() {
		t.Error("the new answer stays when another request is selected")
	}
	w.sendAgain()
	f.replied(nil, "The server is gone")
	if w.left.Text != "The server is gone" {
		t.Errorf("got %q", w.left.Text)
	}
}

func TestCopy(t *testing.T) {
	w, f := open(t, "dark")
	sample(w, f)
	w.table.Select("4")
	w.copyCurl()
	if want := `curl -i -H 'User-Agent: curl/7.88.1' -H 'Authorization: Bearer •••' -H 'Accept: */*' -- http://localhost:3000/api/items/99`; f.copied != want {
		t.Errorf("got %s\nwant %s", f.copied, want)
	}
	w.copyBody(traffic.ToClient)
	if f.copied != "boom\n" {
		t.Errorf("got %q", f.copied)
	}
}

// All actions are within reach of the keyboard.
func TestKeys(t *testing.T) {
	w, f := open(t, "dark")
	sample(w, f)
	w.Focus()
	uitest.Press(w.window, fyne.KeyDown)
	if e := w.selected(); e == nil || e.ID != 6 { // below the newest, which was selected already
		t.Fatalf("Down selected %v", w.selected())
	}
	uitest.Press(w.window, fyne.KeyReturn)
	if w.window.Canvas().Focused() != fyne.Focusable(w.request) {
		t.Errorf("Enter focused %T, want the request", w.window.Canvas().Focused())
	}
	w.Focus()
	uitest.Press(w.window, fyne.KeyUp)
	uitest.Shortcut(w.window, pauseKeys.Shortcut())
	if !w.paused || w.pauseButton.Text != "Resume" {
		t.Error("Ctrl+P does not pause")
	}
	uitest.Shortcut(w.window, replayKeys.Shortcut())
	if got := f.asked[len(f.asked)-1]; got != "replay 7" {
		t.Errorf("Ctrl+R: got %s", got)
	}
	uitest.Shortcut(w.window, filterKeys.Shortcut())
	if w.window.Canvas().Focused() != fyne.Focusable(w.entry) {
		t.Error("Ctrl+F does not focus the filter")
	}
	w.Focus()
	uitest.Shortcut(w.window, clearKeys.Shortcut())
	if w.table.Len() != 0 {
		t.Error("Ctrl+L does not clear")
	}
}

func TestSourceIsChosen(t *testing.T) {
	w, f := open(t, "dark")
	if !w.chooser.Visible() {
		t.Fatal("no choice is offered")
	}
	test.Tap(w.captureButton)
	f.started(Started{Problem: "No permission", Denied: true})
	if !w.chooser.Visible() || w.chooserNote.Segment.Text != "No permission" {
		t.Errorf("got the note %q", w.chooserNote.Segment.Text)
	}
	test.Tap(w.tapButton)
	f.started(Started{Address: "127.0.0.1:62893"})
	if w.chooser.Visible() || w.left.Text != "Tap: connect to 127.0.0.1:62893, which forwards to 3000" {
		t.Errorf("got %q", w.left.Text)
	}
	if got := strings.Join(f.asked, ", "); got != "record 3000, start capture, start tap" {
		t.Errorf("got %s", got)
	}
}

func TestFindInMessage(t *testing.T) {
	w, f := open(t, "dark")
	long := exchange(0, "GET", "/", 200, "text/plain", strings.Repeat("line\n", 500)+"needle\n"+strings.Repeat("line\n", 500))
	w.choose(Capture)
	f.store.Add(long)
	w.Refresh()
	w.table.Select("1")
	w.find.SetText("NEEDLE")
	if len(w.answer.found) != 1 || w.answer.text.scroll.Offset.Y < 1000 {
		t.Errorf("found %v, scrolled to %v", w.answer.found, w.answer.text.scroll.Offset.Y)
	}
}

// Of a long body only the rows in view are objects, wherever it is scrolled to.
func TestLongBody(t *testing.T) {
	w, f := open(t, "dark")
	var body strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&body, "row %d\n", i)
	}
	w.choose(Capture)
	f.store.Add(exchange(0, "GET", "/", 200, "text/plain", body.String()), exchange(1, "GET", "/short", 200, "text/plain", "short"))
	w.Refresh()
	w.table.Select("1")
	text := w.answer.text
	inView := func() (first, last string) {
		from := int(text.scroll.Offset.Y/text.rowHeight()) - text.first
		to := min(from+int(text.scroll.Size().Height/text.rowHeight()), len(text.grid.Rows)-1)
		if n := len(text.grid.Rows); n > 200 || from < 0 || from >= n {
			t.Fatalf("%d rows are in the grid, from %d on; row %d of them is the first in view", n, text.first, from)
		}
		if y := text.grid.Position().Y; y != float32(text.first)*text.rowHeight() {
			t.Fatalf("the grid is at %v, want it at row %d", y, text.first)
		}
		return text.grid.RowText(from), text.grid.RowText(to)
	}
	if first, _ := inView(); !strings.HasPrefix(first, "HTTP/1.1 200") {
		t.Errorf("got the first row %q", first)
	}
	for range 100 {
		w.answer.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageDown})
		inView()
	}
	text.scroll.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.Delta{DY: -1e6}})
	if _, last := inView(); last != "row 4999" {
		t.Errorf("scrolled to the end: got the last row %q", last)
	}
	w.window.Resize(fyne.NewSize(700, 900))
	inView()
	w.table.Select("2")
	if got := text.grid.Text(); !strings.HasSuffix(strings.TrimSpace(got), "short") || text.scroll.Offset.Y != 0 {
		t.Errorf("another message: got %q, scrolled to %v", got, text.scroll.Offset.Y)
	}
}

// Bodies of any size and content are shown within limits.
func TestBodies(t *testing.T) {
	for _, c := range []struct {
		name string
		m    traffic.Message
		text string
		note string
	}{
		{"binary", traffic.Message{Body: []byte{0, 1, 2}, BodySize: 3}, "00000000  00 01 02", ""},
		{"dropped", traffic.Message{Dropped: true, BodySize: 3}, "", "removed"},
		{"kept in part", traffic.Message{Body: []byte("abc"), BodySize: 3000}, "abc", "Only 3 B of 3"},
		{"large", traffic.Message{Body: bytes.Repeat([]byte("ä"), 300<<10), BodySize: 600 << 10}, "ää", "Only the first"},
		{"a bad image", traffic.Message{Fields: []traffic.Field{{Name: "Content-Type", Value: "image/png"}}, Body: []byte("no"), BodySize: 2}, "no", ""},
		{"hostile", traffic.Message{Body: []byte("a\u202eb\u0007"), BodySize: 5}, "", ""},
	} {
		b := readBody(&c.m)
		if !strings.Contains(b.text, c.text) || !strings.Contains(b.note, c.note) || len(b.text) > maxShown || strings.Contains(b.text, "\u202e") {
			t.Errorf("%s: got %.60q, note %q", c.name, b.text, b.note)
		}
	}
}

func FuzzBody(f *testing.F) {
	f.Add("text/html", []byte("<p>a<br><pre> x\n</pre>"))
	f.Add("application/json", []byte(`{"a":[1,2]}`))
	f.Add("image/gif", []byte("GIF89a\x01\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, kind string, p []byte) {
		b := readBody(&traffic.Message{Fields: []traffic.Field{{Name: "Content-Type", Value: kind}}, Body: p, BodySize: int64(len(p))})
		for l := range strings.SplitSeq(b.text, "\n") {
			gridRows(line{text: l}, 20, false)
		}
	})
}

// The window of a file needs no choice of a source, and no pause.
func TestFileWindow(t *testing.T) {
	w, f := openFile(t, "/tmp/shop.har")
	if got := strings.Join(f.asked, ", "); got != "read /tmp/shop.har, start file" || w.chooser.Visible() || slices.Contains(w.buttons(), w.pauseButton) {
		t.Errorf("got %s", got)
	}
	if got := w.window.Title(); got != "Traffic in shop.har – Porthole" {
		t.Errorf("got the title %q", got)
	}
	f.started(Started{})
	if got := w.empty.Title.Text; got != "No requests in this file" {
		t.Errorf("got %q", got)
	}
	f.started(Started{Problem: "Not a HAR file"})
	if w.left.Text != "Not a HAR file" || w.chooser.Visible() {
		t.Errorf("got %q", w.left.Text)
	}
	if got := w.fileName(); got != "shop-2" {
		t.Errorf("got the name %q", got)
	}
}

// Packets have all bytes, so the window asks before it saves them.
func TestSavePackets(t *testing.T) {
	w, f := open(t, "dark")
	sample(w, f)
	if items := w.fileItems(); !items[1].Disabled {
		t.Error("packets can be saved although there are none")
	}
	f.packets = 1000
	if items := w.fileItems(); items[1].Disabled {
		t.Error("packets can't be saved")
	}
	w.savePackets()
	if w.question == nil || !strings.Contains(w.question.Text.Text, "passwords") {
		t.Fatal("no question about passwords")
	}
	test.Tap(w.question.No)
	if w.question != nil {
		t.Error("the question stays")
	}
}

// A capture with an administrator's password is offered where it can help, and only there.
func TestElevatedIsOffered(t *testing.T) {
	for _, c := range []struct{ denied, possible, want bool }{{true, true, true}, {true, false, false}, {false, true, false}} {
		w, f := open(t, "dark")
		f.elevate = c.possible
		if w.elevated.Visible() {
			t.Error("offered before a capture was tried")
		}
		w.choose(Capture)
		f.started(Started{Problem: "No permission", Denied: c.denied})
		if got := w.elevated.Visible(); got != c.want {
			t.Errorf("%+v: offered %v", c, got)
		}
		if !c.want {
			continue
		}
		uitest.Press(w.window, fyne.KeyReturn) // it has the focus
		if got := f.asked[len(f.asked)-1]; got != "start elevated" || w.left.Text != "Waiting for the administrator's password…" {
			t.Errorf("got %s, %q", got, w.left.Text)
		}
	}
}

// Tiling desktops give windows any size.
func TestFitsNarrowScreen(t *testing.T) {
	narrow := fyne.NewSize(480, 320)
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) {
			if language == "de" {
				uitest.InGerman(t)
			}
			w, f := open(t, "dark")
			check := func(state string) {
				t.Helper()
				w.window.Resize(narrow)
				if got := w.content.MinSize(); got.Width > narrow.Width || got.Height > narrow.Height {
					t.Errorf("%s: got minimum size %v, want at most %v", state, got, narrow)
				}
			}
			check("choice")
			sample(w, f)
			check("list")
			if !w.menuButton.Visible() || w.fileButton.Visible() {
				t.Error("the buttons do not become a menu")
			}
			if n := len(w.windowItems()); n != 6 {
				t.Errorf("the menu has %d items", n)
			}
			w.window.Resize(DefaultSize)
			if w.menuButton.Visible() || !w.fileButton.Visible() {
				t.Error("the buttons do not come back")
			}
		})
	}
}
