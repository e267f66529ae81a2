package desktop

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOnBattery(t *testing.T) {
	battery := map[string]string{"type": "Battery", "status": "Discharging"}
	full := map[string]string{"type": "Battery", "status": "Full"}
	mouse := map[string]string{"type": "Battery", "status": "Discharging", "scope": "Device"}
	mains := func(online string) map[string]string { return map[string]string{"type": "Mains", "online": online} }
	usb := map[string]string{"type": "USB", "online": "1"}
	for name, test := range map[string]struct {
		supplies []map[string]string
		want     bool
	}{
		"no supplies, as on a desktop machine":  {nil, false},
		"unplugged":                             {[]map[string]string{battery, mains("0")}, true},
		"plugged in":                            {[]map[string]string{battery, mains("1")}, false},
		"charged by weak USB power":             {[]map[string]string{battery, mains("0"), usb}, false},
		"plugged in and full":                   {[]map[string]string{full, mains("1")}, false},
		"one of two batteries":                  {[]map[string]string{full, battery}, true},
		"a wireless mouse of a desktop machine": {[]map[string]string{mouse}, false},
		"a mouse and a full battery":            {[]map[string]string{mouse, full, mains("0")}, false},
		"missing files":                         {[]map[string]string{{}}, false},
	} {
		dir := t.TempDir()
		for i, supply := range test.supplies {
			sub := filepath.Join(dir, string(rune('a'+i)))
			if err := os.Mkdir(sub, 0o700); err != nil {
				t.Fatal(err)
			}
			for file, value := range supply {
				if err := os.WriteFile(filepath.Join(sub, file), []byte(value+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := onBattery(dir); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
	if onBattery(filepath.Join(t.TempDir(), "none")) {
		t.Error("no directory: got true, want false")
	}
}
