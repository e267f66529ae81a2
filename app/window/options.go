package window

// Options are the command-line options of the window process: what it needs before
// the first frame.
type Options struct {
	Version  string
	Theme    string // "light" or "dark"; "": the system's
	Language string // like "en"; "": the system's
}

// MenuOptions are the command-line options of the process that shows the tray's menu.
type MenuOptions struct {
	Version  string
	Theme    string // as in Options
	Language string // as in Options
	X, Y     int    // where the menu appears on the screen, in pixels; 0, 0: where the desktop puts it
}
