package process

import "testing"

// The numbers are those of /proc/PID/stat.
func TestPTSName(t *testing.T) {
	for device, want := range map[uint64]string{
		0: "", 34816: "/dev/pts/0", 34819: "/dev/pts/3", 35071: "/dev/pts/255", 1083392: "/dev/pts/256", 35072: "/dev/pts/256", 1025: "", 1<<63 - 1: "",
	} {
		if got := ptsName(device); got != want {
			t.Errorf("%d: got %q, want %q", device, got, want)
		}
	}
}
