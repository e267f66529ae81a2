package desktop

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"porthole/monitor"
)

// Capture selects the traffic of one port.
type Capture struct {
	Protocol string // "tcp" or "udp"
	Port     uint16
	Loopback bool // the port is reachable through loopback only
}

func (c Capture) filter() string { return fmt.Sprintf("%s port %d", c.Protocol, c.Port) }

// device returns the capture interface in libpcap's naming.
func (c Capture) device() string {
	switch {
	case !c.Loopback:
		return "any"
	case runtime.GOOS == "linux":
		return "lo"
	}
	return "lo0"
}

// TcpdumpCommand returns a shell command that prints the traffic.
func (c Capture) TcpdumpCommand() string {
	return monitor.ShellCommand([]string{"sudo", "tcpdump", "-i", c.device(), "-nn", "-A", c.filter()})
}

// OpenWireshark starts Wireshark, capturing c. It returns as Open does; the error
// is exec.ErrNotFound if Wireshark is not installed. prepare may change the
// command before it starts.
func OpenWireshark(ctx context.Context, c Capture, prepare func(*exec.Cmd)) error {
	path, err := exec.LookPath("wireshark")
	if err != nil {
		return fmt.Errorf("capture %s: %w", strings.ReplaceAll(c.filter(), " port ", " "), err)
	}
	cmd := exec.Command(path, "-k", "-i", c.device(), "-f", c.filter())
	prepare(cmd)
	return launch(ctx, cmd)
}
