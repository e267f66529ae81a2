package agent

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// filePages are the pages of the program's file that it only reads.
type filePages []mapping

// findFilePages returns the pages of the running program. Those that have changed, by relocations,
// are not among them.
func findFilePages() (filePages, error) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("find the program's file: %w", err)
	}
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return nil, fmt.Errorf("read the memory map: %w", err)
	}
	return unchangedMappings(smaps, exe), nil
}

// release unmaps the pages, so that they no longer count as memory of this process. Those that it
// needs come back from the page cache. The start reads most of them, among them the code
// of the window and of every command; the agent needs a third of them afterwards.
func (f filePages) release() error {
	for _, m := range f {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("release pages of the program's file: %w", errno)
		}
	}
	return nil
}

// mapping is a range of addresses.
type mapping struct{ from, to uintptr }

// unchangedMappings returns the mappings of a file that cannot be written and have no
// page that was, such as one with relocations: such pages are not in the file. smaps is
// the text of /proc/PID/smaps (proc_pid_smaps(5)).
func unchangedMappings(smaps []byte, file string) (unchanged []mapping) {
	var last mapping
	candidate := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasSuffix(key, ":") { // 7f0c40000000-7f0c40021000 r-xp 00001000 08:01 131 /usr/bin/porthole
			fields := strings.Fields(value)
			from, to, _ := strings.Cut(key, "-")
			first, err := strconv.ParseUint(from, 16, 64)
			end, err2 := strconv.ParseUint(to, 16, 64)
			candidate = err == nil && err2 == nil && len(fields) > 4 && strings.HasSuffix(lines.Text(), " "+file) &&
				strings.HasPrefix(fields[0], "r-") && strings.HasSuffix(fields[0], "p")
			last = mapping{uintptr(first), uintptr(end)}
			continue
		}
		if key == "Anonymous:" && candidate && strings.TrimSpace(value) == "0 kB" {
			unchanged = append(unchanged, last)
		}
	}
	return unchanged
}
