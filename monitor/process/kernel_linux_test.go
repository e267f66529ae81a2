package process

import "testing"

func TestUserOfStatus(t *testing.T) {
	for _, c := range []struct {
		name, status string
		want         uint32
		ok           bool
	}{
		{"one user", "Name:\tnc\nUid:\t1000\t1000\t1000\t1000\nGid:\t7\t7\t7\t7\n", 1000, true},
		{"root", "Uid:\t0\t0\t0\t0\n", 0, true},
		{"a server of root that has become another user", "Uid:\t0\t106\t0\t106\n", 106, true},
		{"a setuid program of a user", "Uid:\t1000\t0\t0\t0\n", 1000, true},
		{"a name that looks like the line", "Name:\tUid:\nUid:\t5\t5\t5\t5\n", 5, true},
		{"cut off", "Uid:\t0\n", 0, false},
		{"no number", "Uid:\tx\ty\tz\tz\n", 0, false},
		{"empty", "", 0, false},
	} {
		if got, ok := userIn([]byte(c.status)); got != c.want || ok != c.ok {
			t.Errorf("%s: got %d %v, want %d %v", c.name, got, ok, c.want, c.ok)
		}
	}
}
