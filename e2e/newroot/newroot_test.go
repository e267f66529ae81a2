//go:build linux

package newroot

import "testing"

// An init that runs on the machine's file systems would empty its /tmp.
func TestMachineIsNotSeparate(t *testing.T) {
	devices, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	if err := checkSeparate(devices); err == nil {
		t.Error("the machine itself counts as separate")
	}
	if err := checkSeparate(nil); err == nil {
		t.Error("counts as separate from unknown devices")
	}
}
