package agent

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"porthole/monitor/watch"
)

// mappedFilePages returns how many kB of files are mapped (RssFile of proc_pid_status(5)).
func mappedFilePages(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "RssFile:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReleaseFilePages(t *testing.T) {
	before := mappedFilePages(t)
	pages, err := findFilePages()
	if err != nil {
		t.Fatal(err)
	}
	if err := pages.release(); err != nil {
		t.Fatal(err)
	}
	if after := mappedFilePages(t); after > before*3/4 {
		t.Errorf("got %d kB of file pages, %d kB before", after, before)
	}
	if !watch.Default().WatchesPort(62893) { // code and data come back
		t.Error("the default watch has another port")
	}
}

func TestUnchangedMappings(t *testing.T) {
	const smaps = `1000-2000 r--p 00000000 08:01 131 /usr/bin/porthole
Size:                  4 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
2000-5000 r-xp 00001000 08:01 131 /usr/bin/porthole
Anonymous:             0 kB
5000-6000 r--p 00004000 08:01 131 /usr/bin/porthole
Anonymous:             4 kB
6000-7000 rw-p 00005000 08:01 131 /usr/bin/porthole
Anonymous:             0 kB
7000-8000 r-xp 00005000 08:01 132 /usr/bin/other/usr/bin/porthole-not
Anonymous:             0 kB
8000-9000 r--p 00000000 00:00 0
Anonymous:             0 kB
broken
`
	got := unchangedMappings([]byte(smaps), "/usr/bin/porthole")
	want := []mapping{{0x1000, 0x2000}, {0x2000, 0x5000}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %x, want %x", got, want)
	}
}
