//go:build linux

package desktop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Window is a window on the desktop. Points within it are in pixels from the upper
// left corner of its content.
type Window struct {
	ID    int
	Title string

	desktop *Desktop
}

// Windows returns the visible windows that have a title, including those of the
// panel and of notifications. Minimised windows are not visible.
func (d *Desktop) Windows(context.Context) ([]Window, error) {
	x := d.xServer()
	if x == nil {
		return nil, errors.New("list windows: this desktop has no X server")
	}
	var windows []Window
	err := x.titled(func(window uint32, title string) {
		windows = append(windows, Window{ID: int(window), Title: title, desktop: d})
	})
	if err != nil {
		return nil, fmt.Errorf("list windows: %w", err)
	}
	return windows, nil
}

// WaitWindow waits for a visible window with exactly that title. The error lists the
// windows that were there.
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

// WaitNoWindow waits until no window with exactly that title is visible.
func (d *Desktop) WaitNoWindow(ctx context.Context, title string) error {
	return d.waitWindows(ctx, "no window "+strconv.Quote(title), func(windows []Window) bool {
		return !slices.ContainsFunc(windows, func(w Window) bool { return w.Title == title })
	})
}

func (d *Desktop) waitWindows(ctx context.Context, what string, met func([]Window) bool) error {
	ctx, cancel := limit(ctx, waitTimeout)
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
		case <-time.After(windowPoll):
		}
	}
}

// Close closes the window as its close button does. The program may refuse.
func (w Window) Close() error {
	// xdotool windowclose would destroy the window without asking the program.
	_, err := w.run("wmctrl", "-i", "-c", fmt.Sprintf("%#x", w.ID))
	return err
}

// Click clicks the left mouse button.
func (w Window) Click(x, y int) error { return w.click(x, y, "1") }

// RightClick clicks the right mouse button.
func (w Window) RightClick(x, y int) error { return w.click(x, y, "3") }

// DoubleClick clicks the left mouse button twice, at the speed of a person.
func (w Window) DoubleClick(x, y int) error {
	return w.click(x, y, "--repeat", "2", "--delay", "80", "1")
}

// click uses the real pointer. A window in front of this one would get the click.
func (w Window) click(x, y int, click ...string) error {
	args := []string{"mousemove", "--window", w.id(), strconv.Itoa(x), strconv.Itoa(y), "click"}
	_, err := w.run("xdotool", append(args, click...)...)
	return err
}

// Drag moves the pointer from one point to another in steps while the left button is
// pressed.
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

// Scroll turns the mouse wheel over a point of the window: down, or up if clicks is
// negative.
func (w Window) Scroll(x, y, clicks int) error {
	button := "5"
	if clicks < 0 {
		button, clicks = "4", -clicks
	}
	return w.click(x, y, "--repeat", strconv.Itoa(clicks), "--delay", "10", button)
}

// Focus raises the window and gives it the keyboard focus.
func (w Window) Focus() error {
	verb := "windowactivate"
	if !w.desktop.managed {
		verb = "windowfocus"
	}
	_, err := w.run("xdotool", verb, "--sync", w.id())
	return err
}

// Key focuses the window and presses keys in order, named as in xdotool: "Return",
// "ctrl+f".
func (w Window) Key(keys ...string) error {
	if err := w.Focus(); err != nil {
		return err
	}
	// "key --window" would send events that programs can distinguish from real keys.
	// GLFW 3.4 drops a press of a key with the time stamp of the one before, in
	// milliseconds (keyPressTimes in x11_window.c): a busy X server gives several presses
	// the same one unless there is a pause between them.
	_, err := w.run("xdotool", append([]string{"key", "--delay", "25", "--"}, keys...)...)
	return err
}

// Type focuses the window and types a text.
func (w Window) Type(text string) error {
	if err := w.Focus(); err != nil {
		return err
	}
	delay := "10"
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		// xdotool maps such a character to a spare key for this time, in which the
		// program has to read the new keyboard mapping.
		delay = "200"
	}
	_, err := w.run("xdotool", "type", "--delay", delay, "--", text)
	return err
}

// Geometry returns where the window's content is on the screen.
func (w Window) Geometry() (image.Rectangle, error) {
	frame, err := w.desktop.xServer().geometry(uint32(w.ID))
	if err != nil {
		return image.Rectangle{}, fmt.Errorf("window %q: %w", w.Title, err)
	}
	return frame, nil
}

// Resize changes the size of the window's content.
func (w Window) Resize(width, height int) error {
	_, err := w.run("xdotool", "windowsize", "--sync", w.id(), strconv.Itoa(width), strconv.Itoa(height))
	return err
}

// PID returns the PID of the window's process, according to the window.
func (w Window) PID() (int, error) {
	out, err := w.run("xdotool", "getwindowpid", w.id())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(out))
}

// Screenshot writes a PNG file that shows the window's content and everything in
// front of it.
func (w Window) Screenshot(path string) error {
	frame, err := w.Geometry()
	if err != nil {
		return err
	}
	img, err := w.desktop.Picture()
	if err != nil {
		return err
	}
	return writePNG(path, img.SubImage(frame))
}

// Iconify minimises the window to the task list.
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

// Clipboard returns the text in the clipboard, or "" if it is empty.
func (d *Desktop) Clipboard(ctx context.Context) (string, error) {
	text, err := d.run(ctx, "xclip", "-out", "-selection", "clipboard")
	if err != nil && strings.Contains(err.Error(), "target STRING not available") {
		return "", nil
	}
	return text, err
}
