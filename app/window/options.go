package window

// Options are what the window process is told when it is started: what must be
// known before anything is painted.
type Options struct {
	Version  string
	Theme    string // "light" or "dark"; "" as the system is
	Language string // like "en"; "" as the system is
}
