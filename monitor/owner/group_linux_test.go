package owner

import "testing"

func TestGroupOfAProcess(t *testing.T) {
	id := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for text, want := range map[string]Group{
		"0::/system.slice/cups.service\n":                                          {Unit: "cups.service"},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n": {Unit: "web.service", User: true},
		"0::/user.slice/user-1000.slice/session-2.scope\n":                         {Unit: "session-2.scope"},
		"0::/system.slice/docker-" + id + ".scope\n":                               {Unit: "docker-" + id + ".scope", Container: id},
		"0::/machine.slice/libpod-" + id + ".scope/container\n":                    {Unit: "libpod-" + id + ".scope", Container: id, Podman: true},
		"12:cpu:/x.service\n1:name=systemd:/system.slice/old.service\n0::/\n":      {Unit: "old.service"},
		"0::/\n": {},
		"":       {},
		"no":     {},
	} {
		if got := parseGroup([]byte(text)); got != want {
			t.Errorf("parseGroup(%q) = %+v, want %+v", text, got, want)
		}
	}
	if g := GroupOf(-1); g != (Group{}) {
		t.Errorf("of no process: %+v", g)
	}
}
