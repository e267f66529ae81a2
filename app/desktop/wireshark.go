package desktop

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
)

// Capture is what to capture of the traffic of one port.
type Capture struct {
	Protocol string // "tcp", "udp"
	Port     uint16
	Loopback bool // nothing but loopback leads there
}

func (c Capture) filter() string { return fmt.Sprintf("%s port %d", c.Protocol, c.Port) }

// device is where to capture, as libpcap calls it.
func (c Capture) device() string {
	switch {
	case !c.Loopback:
		return "any"
	case runtime.GOOS == "linux":
		return "lo"
	}
	return "lo0"
}

// TcpdumpCommand is a line for a shell that prints the traffic: for where there is no
// Wireshark.
func (c Capture) TcpdumpCommand() string {
	return fmt.Sprintf("sudo tcpdump -i %s -nn -A '%s'", c.device(), c.filter())
}

// OpenWireshark opens Wireshark, which captures at once. It returns as Open does; the
// error is exec.ErrNotFound where Wireshark is not installed. start may change the
// command before it is started.
func OpenWireshark(ctx context.Context, c Capture, start func(*exec.Cmd)) error {
	path, err := exec.LookPath("wireshark")
	if err != nil {
		return fmt.Errorf("inspect the traffic of %s: %w", strings.ReplaceAll(c.filter(), " port ", " "), err)
	}
	cmd := exec.Command(path, "-k", "-i", c.device(), "-f", c.filter())
	start(cmd)
	return launch(ctx, cmd)
}
