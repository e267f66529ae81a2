package owner

import "testing"

func TestCgroupOf(t *testing.T) {
	id := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for text, want := range map[string]Cgroup{
		"0::/system.slice/cups.service\n":                                          {Unit: "cups.service"},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n": {Unit: "web.service", UnitUser: "1000"},
		"0::/user.slice/user-1000.slice/session-2.scope\n":                         {Unit: "session-2.scope"},
		"0::/system.slice/docker-" + id + ".scope\n":                               {Unit: "docker-" + id + ".scope", ContainerID: id},
		"0::/machine.slice/libpod-" + id + ".scope/container\n":                    {Unit: "libpod-" + id + ".scope", ContainerID: id, Podman: true},
		"12:cpu:/x.service\n1:name=systemd:/system.slice/old.service\n0::/\n":      {Unit: "old.service"},
		"0::/\n": {},
		"":       {},
		"no":     {},
	} {
		if got := parseCgroup([]byte(text)); got != want {
			t.Errorf("parseCgroup(%q) = %+v, want %+v", text, got, want)
		}
	}
	if g := CgroupOf(-1); g != (Cgroup{}) {
		t.Errorf("CgroupOf(-1) = %+v, want nothing", g)
	}
}
