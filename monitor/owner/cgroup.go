package owner

// Cgroup describes the processes in a control group.
type Cgroup struct {
	Unit        string // the innermost systemd unit
	UnitUser    string // ID of the user whose systemd instance runs Unit; "" for the system's
	ContainerID string // as the container engine assigned it
	Podman      bool   // the engine is podman
}
