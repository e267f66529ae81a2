package owner

// Group is what a control group tells of the processes in it.
type Group struct {
	Unit      string // systemd's, the innermost one
	User      bool   // Unit is of a user's own systemd
	Container string // the id that its engine gave it
	Podman    bool   // that engine is podman
}
