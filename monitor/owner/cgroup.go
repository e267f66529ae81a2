package owner

// Cgroup is what a control group says about the processes in it.
type Cgroup struct {
	Unit        string // the innermost systemd unit
	UserUnit    bool   // Unit belongs to a user's systemd instance
	ContainerID string // as the container engine assigned it
	Podman      bool   // the engine is podman
}
