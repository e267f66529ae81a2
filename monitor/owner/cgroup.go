package owner

// Cgroup describes the processes in a control group.
type Cgroup struct {
	Unit        string // the innermost systemd unit
	UserUnit    bool   // Unit belongs to a user's systemd instance
	ContainerID string // as the container engine assigned it
	Podman      bool   // the engine is podman
}
