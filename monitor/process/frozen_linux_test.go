package process

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFrozen(t *testing.T) {
	root := t.TempDir()
	defer func(before string) { cgroupRoot = before }(cgroupRoot)
	cgroupRoot = root
	for path, text := range map[string]string{
		"machine.slice/libpod-1.scope/cgroup.freeze":   "1\n",
		"machine.slice/libpod-2.scope/cgroup.freeze":   "0\n",
		"unified/libpod_parent/libpod-3/cgroup.freeze": "1\n",
		"freezer/docker/4/freezer.state":               "FROZEN\n",
		"freezer/docker/5/freezer.state":               "THAWED\n",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for table, want := range map[string]bool{
		"0::/machine.slice/libpod-1.scope\n":               true,
		"0::/machine.slice/libpod-2.scope\n":               false,
		"9:name=systemd:/\n0::/libpod_parent/libpod-3\n":   true,
		"6:freezer:/docker/4\n5:devices:/docker/4\n0::/\n": true,
		"6:freezer:/docker/5\n0::/docker/5\n":              false,
		"0::/gone\n":                                       false,
		"nonsense\n":                                       false,
	} {
		if got := isFrozen([]byte(table)); got != want {
			t.Errorf("%q: got %t, want %t", table, got, want)
		}
	}
	if IsFrozen(os.Getpid()) {
		t.Error("the test itself is frozen")
	}
}
