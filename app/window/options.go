package window

// Options are the command-line options of the window process: what it needs before
// the first frame.
type Options struct {
	Version  string
	Theme    string // "light" or "dark"; "": the system's
	Language string // like "en"; "": the system's
}
