package owner

// Cgroup is what a control group tells of the processes in it.
type Cgroup struct {
	Unit        string // systemd's, the innermost one
	UserUnit    bool   // Unit is of a user's own systemd
	ContainerID string // the id that its engine gave it
	Podman      bool   // that engine is podman
}
