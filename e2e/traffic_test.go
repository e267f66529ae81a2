package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"porthole/e2e/desktop"
)

// shop is a real server for the tests of traffic. posts counts the requests that it got.
type shop struct{ posts atomic.Int64 }

// serveShop serves JSON, HTML, an image and errors on an address.
func (d *desk) serveShop(address string) *shop {
	d.t.Helper()
	s := &shop{}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><html><head><title>Shop</title></head><body><h1>Shop</h1><p>Open <b>daily</b></p></body></html>")
	})
	mux.HandleFunc("/api/items", func(w http.ResponseWriter, r *http.Request) {
		s.posts.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":7,"name":"Lamp","price":{"amount":1299,"currency":"EUR"},"token":"t0ps3cret"}`)
	})
	mux.HandleFunc("/boom", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "out of lamps", http.StatusInternalServerError)
	})
	mux.HandleFunc("/logo.png", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		m := image.NewRGBA(image.Rect(0, 0, 90, 60))
		for i := range 90 * 60 {
			m.Set(i%90, i/90, color.RGBA{uint8(40 + i%90*2), 120, uint8(60 + i/90*3), 255})
		}
		_ = png.Encode(w, m)
	})
	d.serveHTTP(address, mux)
	return s
}

// serveHTTP serves in this process until the test ends.
func (d *desk) serveHTTP(address string, handler http.Handler) {
	d.t.Helper()
	l, err := net.Listen("tcp", address)
	d.do("listen", err)
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(l) }() // ends with Close
	d.t.Cleanup(func() { _ = server.Close() })
}

// curl runs curl.
func (d *desk) curl(args ...string) {
	d.t.Helper()
	out, err := exec.CommandContext(d.step(), "curl", append([]string{"-sS", "-o", "/dev/null"}, args...)...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	d.do("curl "+strings.Join(args, " "), err)
}

// copies presses keys until the clipboard is as wanted.
func (d *desk) copies(what string, w desktop.Window, key string, want func(string) bool) {
	d.t.Helper()
	d.eventually(what, func() error {
		if err := w.Key(key); err != nil {
			return err
		}
		got, err := d.Clipboard(d.step())
		if err == nil && !want(got) {
			err = fmt.Errorf("got %q", got)
		}
		return err
	})
}

func contains(parts ...string) func(string) bool {
	return func(text string) bool {
		for _, p := range parts {
			rest, not := strings.CutPrefix(p, "!")
			if strings.Contains(text, rest) == not {
				return false
			}
		}
		return true
	}
}

// The traffic window, opened from the menu of a row, shows the requests of curl to a real
// server through a tap: everything with the keyboard, then with the mouse.
func TestTrafficWindow(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	d := startDesk(t, desktop.DefaultOptions())
	d.skipWelcome()
	d.writeSettings("watches:\n  - ports: 20001\n")
	s := d.serveShop("127.0.0.1:20001")
	item := d.item(d.start())
	owner := serverName() + " · porthole" // this process, in the project of its folder
	d.menuHas(item, menuOpen("20001", owner))
	main := d.mainWindow()
	d.do("filter", main.Type("20001"))
	d.do("go to the row", main.Key("Down", "Home"))
	d.steady(main)
	at := d.selectedRow(main)
	before := d.steady(main)
	d.do("right click the row", main.RightClick(at.X, at.Y))
	d.waitChanged("the menu opens", main, before)
	d.steady(main)
	d.shot("menu")
	d.do("choose Show traffic…", main.Key(strings.Fields(strings.Repeat("Down ", downsToTraffic)+"Return")...))
	w := d.window(trafficTitle(owner, 20001))
	d.steady(w)
	d.shot("choice")
	d.do("choose the tap", w.Key("Tab", "Return"))
	d.steady(w)
	d.shot("empty")

	before = d.steady(w)
	const tap = "http://127.0.0.1:62893"
	d.curl(tap + "/")
	d.curl(tap + "/logo.png")
	d.curl("-H", "Authorization: Bearer t0ps3cret", "--json", `{"name":"Lamp","password":"hunter22"}`, tap+"/api/items")
	d.curl(tap + "/boom?token=t0ps3cret")
	d.waitChanged("the list shows the requests", w, before)
	d.steady(w)

	// The newest is selected first. Secrets are masked until the user asks for them.
	d.do("select", w.Key("Down", "Home"))
	d.copies("copy as curl", w, "ctrl+u", contains("curl", tap+"/boom?token=•••"))
	d.do("filter", w.Key("ctrl+f"))
	d.do("filter", w.Type("method:post"))
	d.do("go to the row", w.Key("Down", "Home"))
	d.steady(w)
	d.shot("post")
	d.copies("copy masked", w, "ctrl+u", contains(tap+"/api/items", "Bearer •••", "!hunter22", "!t0ps3cret"))
	d.do("show secrets", w.Key("ctrl+h"))
	d.copies("copy with secrets", w, "ctrl+u", contains("Bearer t0ps3cret", "hunter22"))
	d.steady(w)
	d.shot("secrets")
	d.do("hide secrets", w.Key("ctrl+h"))
	d.copies("copy the body of the answer", w, "ctrl+c", contains(`"name":"Lamp"`, "!t0ps3cret"))

	// Sending it again shows the new answer beside the old.
	before = d.steady(w)
	d.do("send again", w.Key("ctrl+r"))
	d.eventually("the server gets it", func() error {
		if n := s.posts.Load(); n != 2 {
			return fmt.Errorf("got %d requests", n)
		}
		return nil
	})
	d.waitChanged("the new answer", w, before)
	d.steady(w)
	d.shot("again")

	// What happens while it is paused is not recorded. Keys are handled in order: what is
	// copied after one shows that it was handled.
	d.do("pause", w.Key("ctrl+p"))
	d.copies("copy while it is paused", w, "ctrl+u", contains("curl", tap+"/api/items"))
	d.curl(tap + "/paused")
	d.do("go on", w.Key("ctrl+p"))
	d.copies("copy after it", w, "ctrl+c", contains(`"name":"Lamp"`, "!curl"))
	d.curl(tap + "/after")
	d.do("filter", w.Key("ctrl+f", "ctrl+a", "BackSpace"))
	d.do("leave the filter", w.Key("Down", "Home"))
	d.copies("the newest", w, "ctrl+u", contains(tap+"/after"))

	// The HAR file has what the list has.
	d.do("save", w.Key("ctrl+s"))
	d.steady(w)
	d.shot("save")
	d.do("confirm the name", w.Key("Return"))
	d.eventually("the HAR file", func() error { return d.savedHAR("/", "/logo.png", "/api/items", "/boom?token=•••", "/after") })

	// With the mouse: a row, its menu, and the clearing.
	d.steady(w)
	d.do("find in the message", w.Key("F3"))
	d.do("type", w.Type("shop"))
	d.steady(w)
	d.shot("find")
	before = d.steady(w)
	d.do("click the oldest row", w.Click(trafficRowX, trafficRowY+4*rowHeight))
	d.waitChanged("the row is selected", w, before)
	d.copies("the oldest", w, "ctrl+u", contains(tap+"/", "!after"))
	before = d.steady(w)
	d.do("right click", w.RightClick(trafficRowX, trafficRowY+3*rowHeight))
	d.waitChanged("the menu opens", w, before)
	d.steady(w)
	d.shot("row-menu")
	d.do("close the menu", w.Key("Escape"))
	d.steady(w)
	d.shot("image")
	before = d.steady(w)
	d.do("clear", w.Key("ctrl+l"))
	d.waitChanged("the list is empty", w, before)
	d.steady(w)
	d.shot("cleared")
	d.do("make it narrow", w.Resize(480, 320))
	d.steady(w)
	d.shot("narrow")
	d.do("close the window", w.Key("ctrl+w"))
	d.noWindow(w.Title)
	d.eventually("the tap has ended", func() error {
		c, err := net.Dial("tcp", "127.0.0.1:62893")
		if err == nil {
			_ = c.Close()
			return errors.New("62893 still accepts connections")
		}
		return nil
	})
}

// rowHeight is the height of a row of a table. trafficRowX and trafficRowY are a place in
// the first row of the traffic window.
const (
	rowHeight   = 32
	trafficRowX = 400
	trafficRowY = 100
)

// savedHAR reports whether the home folder has one HAR file with requests for these
// paths, in this order.
func (d *desk) savedHAR(paths ...string) error {
	files, err := filepath.Glob(filepath.Join(d.variable("HOME"), "*.har"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("got the files %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	var har struct {
		Log struct {
			Entries []struct {
				Request struct{ URL string }
			}
		}
	}
	if err := json.Unmarshal(text, &har); err != nil {
		return err
	}
	var got []string
	for _, e := range har.Log.Entries {
		got = append(got, strings.TrimPrefix(e.Request.URL, "http://127.0.0.1:62893"))
	}
	if strings.Join(got, " ") != strings.Join(paths, " ") {
		return fmt.Errorf("got the requests %q, want %q", got, paths)
	}
	if strings.Contains(string(text), "t0ps3cret") {
		return errors.New("the file has a secret")
	}
	return nil
}

// openTap opens the traffic window of the process that listens on a port, with the menu of its
// row, and chooses the tap.
func (d *desk) openTap(main desktop.Window, owner string, port int) desktop.Window {
	d.t.Helper()
	d.filterRows(main, strconv.Itoa(port))
	d.do("choose Show traffic…", main.Key(strings.Fields("Menu "+strings.Repeat("Down ", downsToTraffic)+"Return")...))
	w := d.window(trafficTitle(owner, port))
	d.steady(w)
	d.do("choose the tap", w.Key("Tab", "Return"))
	d.steady(w)
	return w
}

// The packets of a tap, saved from the window's menu, are read by tshark and shown again by the
// window that Open file opens.
func TestTrafficFiles(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	d.skipWelcome()
	d.writeSettings("watches:\n  - ports: 20001\n")
	d.serveShop("127.0.0.1:20001")
	owner := serverName() + " · porthole"
	d.menuHas(d.item(d.start()), menuOpen("20001", owner))
	w := d.openTap(d.mainWindow(), owner, 20001)
	before := d.steady(w)
	d.curl("http://127.0.0.1:62893/logo.png")
	d.curl("-H", "Authorization: Bearer t0ps3cret", "http://127.0.0.1:62893/api/items")
	d.waitChanged("the list shows the requests", w, before)
	d.steady(w)
	d.do("open the File menu", w.Key("ctrl+f", "Tab", "Tab", "Tab", "Tab", "space"))
	d.steady(w)
	d.shot("menu")
	d.do("choose Save packets…", w.Key("Down", "Down", "Return"))
	d.steady(w)
	d.shot("warning")
	d.do("go on", w.Key("Tab", "Return"))
	d.steady(w)
	d.shot("name")
	d.do("confirm the name", w.Key("Return"))
	var path string
	d.eventually("the file of packets", func() error {
		files, err := filepath.Glob(filepath.Join(d.variable("HOME"), "*.pcapng"))
		if err != nil || len(files) != 1 {
			return fmt.Errorf("got the files %q, %v", files, err)
		}
		path = files[0]
		return nil
	})
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Log("tshark is not installed: its reading was not checked")
	} else {
		d.eventually("tshark reads it", func() error {
			out, err := exec.CommandContext(d.step(), "tshark", "-r", path, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri").Output()
			if err == nil && string(out) != "/logo.png\n/api/items\n" {
				err = fmt.Errorf("it found the requests %q", out)
			}
			return err
		})
	}
	d.steady(w)
	d.do("open a file", w.Key("ctrl+o"))
	d.steady(w)
	d.shot("open")
	var opened desktop.Window
	d.eventually("the file in a window of its own", func() error {
		if err := errors.Join(w.Click(594, 310), w.Click(769, 522)); err != nil { // the file's icon, then the button
			return err
		}
		ctx, cancel := context.WithTimeout(d.step(), 5*time.Second)
		defer cancel()
		var err error
		opened, err = d.WaitWindow(ctx, "Traffic in "+filepath.Base(path)+processTitleEnd)
		return err
	})
	d.steady(opened)
	d.do("select the newest", opened.Key("Down", "Home"))
	d.copies("a request of the file, masked", opened, "ctrl+u", contains("curl", "/api/items", "Bearer •••", "!t0ps3cret"))
	d.shot("file")
	d.do("close the window of the file", opened.Key("ctrl+w"))
	d.noWindow(opened.Title)
	d.do("close the window", w.Key("ctrl+w"))
	d.noWindow(w.Title)
}
