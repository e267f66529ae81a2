//go:build linux

package desktop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Window is a window on the desktop. Places within it are in pixels from the
// upper left corner of its content.
type Window struct {
	ID    int
	Title string

	desktop *Desktop
}

// Windows returns the visible windows that have a title; those of the panel
// and of notifications are among them, iconified ones are not.
func (d *Desktop) Windows(ctx context.Context) ([]Window, error) {
	var err error
	for range 5 { // a window that goes between the two questions spoils the answer
		var windows []Window
		if windows, err = d.windows(ctx); err == nil {
			return windows, nil
		}
	}
	return nil, err
}

func (d *Desktop) windows(ctx context.Context) ([]Window, error) {
	// All of them: xdotool knows no titles but the old, Latin ones when it
	// searches, and takes upper and lower case for the same.
	out, err := d.run(ctx, "xdotool", "search", "--onlyvisible", "--name", "")
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(out)
	var ask []string
	for _, id := range ids {
		ask = append(ask, "getwindowname", id)
	}
	if out, err = d.run(ctx, "xdotool", ask...); err != nil {
		return nil, err
	}
	titles := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(titles) != len(ids) {
		return nil, fmt.Errorf("list windows: %d titles of %d windows", len(titles), len(ids))
	}
	var windows []Window
	for i, title := range titles {
		id, err := strconv.Atoi(ids[i])
		if err != nil {
			return nil, fmt.Errorf("list windows: %w", err)
		}
		if title != "" {
			windows = append(windows, Window{ID: id, Title: title, desktop: d})
		}
	}
	return windows, nil
}

// WaitWindow returns the visible window of exactly that title as soon as there
// is one. The error says which windows there are.
func (d *Desktop) WaitWindow(ctx context.Context, title string) (Window, error) {
	var found Window
	err := d.waitWindows(ctx, "window "+strconv.Quote(title), func(windows []Window) bool {
		i := slices.IndexFunc(windows, func(w Window) bool { return w.Title == title })
		if i >= 0 {
			found = windows[i]
		}
		return i >= 0
	})
	return found, err
}

// WaitNoWindow returns when no window of exactly that title is visible.
func (d *Desktop) WaitNoWindow(ctx context.Context, title string) error {
	return d.waitWindows(ctx, "no window "+strconv.Quote(title), func(windows []Window) bool {
		return !slices.ContainsFunc(windows, func(w Window) bool { return w.Title == title })
	})
}

func (d *Desktop) waitWindows(ctx context.Context, what string, met func([]Window) bool) error {
	ctx, cancel := limit(ctx, waitLimit)
	defer cancel()
	var titles []string
	for {
		windows, err := d.Windows(ctx)
		if err == nil && met(windows) {
			return nil
		}
		if err == nil {
			titles = nil
			for _, w := range windows {
				titles = append(titles, w.Title)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; the last windows seen: %q", what, errors.Join(ctx.Err(), err), titles)
		case <-time.After(lookEvery):
		}
	}
}

// Close closes the window as its close button does: the program may refuse.
func (w Window) Close() error {
	// xdotool windowclose would destroy the window under the program.
	_, err := w.run("wmctrl", "-i", "-c", fmt.Sprintf("%#x", w.ID))
	return err
}

// Click clicks the left button.
func (w Window) Click(x, y int) error { return w.click(x, y, "1") }

// RightClick clicks the right button.
func (w Window) RightClick(x, y int) error { return w.click(x, y, "3") }

// DoubleClick clicks the left button twice, as fast as people do.
func (w Window) DoubleClick(x, y int) error {
	return w.click(x, y, "--repeat", "2", "--delay", "80", "1")
}

// click uses the real pointer: a window in front of this one gets the click.
func (w Window) click(x, y int, click ...string) error {
	args := []string{"mousemove", "--window", w.id(), strconv.Itoa(x), strconv.Itoa(y), "click"}
	_, err := w.run("xdotool", append(args, click...)...)
	return err
}

// Drag moves the pointer from one place to another with the left button held, in
// steps as a hand does.
func (w Window) Drag(from, to image.Point) error {
	const steps = 5
	args := []string{"mousemove", "--window", w.id(), strconv.Itoa(from.X), strconv.Itoa(from.Y), "sleep", "0.05", "mousedown", "1"}
	for i := 1; i <= steps; i++ {
		at := from.Add(to.Sub(from).Mul(i).Div(steps))
		args = append(args, "mousemove", "--window", w.id(), strconv.Itoa(at.X), strconv.Itoa(at.Y), "sleep", "0.03")
	}
	_, err := w.run("xdotool", append(args, "mouseup", "1")...)
	return err
}

// Scroll turns the wheel over a place of the window: down, or up where clicks
// are negative.
func (w Window) Scroll(x, y, clicks int) error {
	button := "5"
	if clicks < 0 {
		button, clicks = "4", -clicks
	}
	return w.click(x, y, "--repeat", strconv.Itoa(clicks), "--delay", "10", button)
}

// Focus raises the window and gives it the keyboard.
func (w Window) Focus() error {
	verb := "windowactivate"
	if !w.desktop.managed {
		verb = "windowfocus"
	}
	_, err := w.run("xdotool", verb, "--sync", w.id())
	return err
}

// Key focuses the window and presses keys one after the other, as xdotool
// names them: "Return", "ctrl+f".
func (w Window) Key(keys ...string) error {
	if err := w.Focus(); err != nil {
		return err
	}
	// Not "key --window", whose keys are marked as sent by a program.
	_, err := w.run("xdotool", append([]string{"key", "--"}, keys...)...)
	return err
}

// Type focuses the window and types a text.
func (w Window) Type(text string) error {
	if err := w.Focus(); err != nil {
		return err
	}
	delay := "10"
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		delay = "200" // xdotool gives it to a spare key for so long, and the program has to ask in that time which it is
	}
	_, err := w.run("xdotool", "type", "--delay", delay, "--", text)
	return err
}

var geometry = regexp.MustCompile(`(?s)Absolute upper-left X:\s+(-?\d+).*Absolute upper-left Y:\s+(-?\d+).*Width: (\d+).*Height: (\d+)`)

// Geometry returns where the window's content is on the screen.
func (w Window) Geometry() (image.Rectangle, error) {
	// xdotool getwindowgeometry is off by the decoration.
	out, err := w.run("xwininfo", "-id", w.id())
	if err != nil {
		return image.Rectangle{}, err
	}
	match := geometry.FindStringSubmatch(out)
	if match == nil {
		return image.Rectangle{}, fmt.Errorf("xwininfo says no geometry of %q: %s", w.Title, out)
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(match[i+1])
	}
	return image.Rect(n[0], n[1], n[0]+n[2], n[1]+n[3]), nil
}

// Resize gives the window's content another size.
func (w Window) Resize(width, height int) error {
	_, err := w.run("xdotool", "windowsize", "--sync", w.id(), strconv.Itoa(width), strconv.Itoa(height))
	return err
}

// PID returns the window's process, as that says.
func (w Window) PID() (int, error) {
	out, err := w.run("xdotool", "getwindowpid", w.id())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(out))
}

// Screenshot writes a picture of the window's content, and of what is in front of it.
func (w Window) Screenshot(path string) error {
	_, err := w.run("import", "-silent", "-window", w.id(), path)
	return err
}

// Iconify puts the window away into the task list.
func (w Window) Iconify() error {
	_, err := w.run("xdotool", "windowminimize", "--sync", w.id())
	return err
}

func (w Window) id() string { return strconv.Itoa(w.ID) }

func (w Window) run(name string, args ...string) (string, error) {
	out, err := w.desktop.run(context.Background(), name, args...)
	if err != nil {
		return out, fmt.Errorf("window %q: %w", w.Title, err)
	}
	return out, nil
}

// Clipboard is the text that a program has copied; "" where none has.
func (d *Desktop) Clipboard(ctx context.Context) (string, error) {
	text, err := d.run(ctx, "xclip", "-out", "-selection", "clipboard")
	if err != nil && strings.Contains(err.Error(), "target STRING not available") {
		return "", nil
	}
	return text, err
}
