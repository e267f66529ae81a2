//go:build cgo

package window

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/driver"
	"github.com/go-gl/glfw/v3.4/glfw"

	"porthole/app/agent"
	"porthole/app/desktop"
	"porthole/app/paths"
	"porthole/assets"
	"porthole/ui"
	"porthole/ui/theme"
	"porthole/ui/words"
)

// RunMenu shows the entries of the tray's menu, a JSON array of strings in, in a small window until
// the user chooses one, the window loses the focus, or ctx ends. It writes the index of the
// chosen entry to out, or nothing. It must be called on the main goroutine and returns the exit
// status.
func RunMenu(ctx context.Context, o MenuOptions, in io.Reader, out, stderr io.Writer) (status int) {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	defer func() {
		if r := recover(); r != nil { // of the GL driver or GLFW
			log.Error("the menu panicked", "reason", fmt.Sprint(r))
			status = agent.ExitNoGL
		}
	}()
	var entries []string
	if err := json.NewDecoder(in).Decode(&entries); err != nil {
		log.Error("can't read the entries of the menu", "error", err)
		return 1
	}
	if err := choosePlatform(); err != nil {
		log.Error("can't open the menu", "error", err)
		return agent.ExitRefused
	}
	paths.NameProcess()
	createCacheDir()
	token := desktop.TakeActivationToken()
	_ = os.Unsetenv("FYNE_CACHE") // Fyne has read it
	app.SetMetadata(fyne.AppMetadata{ID: paths.AppID, Name: "Porthole", Version: o.Version, Migrations: map[string]bool{"fyneDo": !checkGoroutine}})
	if err := words.SetUpLanguage(o.Language); err != nil {
		log.Warn("can't load the translations", "error", err)
	}
	a := app.NewWithID(paths.AppID)
	a.Settings().SetTheme(theme.Theme{Fixed: o.Theme})
	a.SetIcon(fyne.NewStaticResource("porthole.png", assets.WindowIcon()))
	w := ui.NewMenuWindow(a, entries, func(n int) {
		if n >= 0 {
			_, _ = fmt.Fprintln(out, n) // fails only if the agent has gone
		}
		a.Quit()
	})
	a.Lifecycle().SetOnExitedForeground(a.Quit)
	stop := context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })
	defer stop()
	w.Show()
	if !hasNativeWindow(w) {
		log.Error("can't open the menu: OpenGL does not work")
		return agent.ExitNoGL
	}
	placeMenu(w, o.X, o.Y)
	if onWayland() {
		time.AfterFunc(scaleTime, func() { fyne.Do(func() { new(sharpener).check(a.Driver().AllWindows()) }) })
	}
	if native, ok := w.(driver.NativeWindow); ok && token != "" {
		native.RunNative(func(context any) {
			switch c := context.(type) {
			case driver.WaylandWindowContext:
				activateSurface(c.WaylandSurface, token)
			case driver.X11WindowContext:
				if err := desktop.RaiseX11(uint32(c.WindowHandle), token); err != nil {
					log.Warn("can't raise the menu", "error", err)
				}
			}
		})
	}
	a.Run()
	return 0
}

// placeMenu moves the window to the point x, y of the screen, or so near that all of it is on the
// screen. It does nothing for 0, 0, which means that the point is unknown, and on Wayland.
func placeMenu(w fyne.Window, x, y int) {
	context, ok := w.(interface{ RunWithContext(func()) })
	if !ok || onWayland() || x == 0 && y == 0 {
		return
	}
	context.RunWithContext(func() {
		native := glfw.GetCurrentContext()
		if native == nil {
			return
		}
		width, height := native.GetSize()
		for _, m := range glfw.GetMonitors() {
			left, top, w, h := m.GetWorkarea()
			right, bottom := left+w, top+h
			if x >= left-w && x <= right+w && y >= top-h && y <= bottom+h { // on it or on a panel beside it
				native.SetPos(max(left, min(x, right-width)), max(top, min(y, bottom-height)))
				return
			}
		}
	})
}
