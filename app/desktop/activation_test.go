package desktop

import (
	"slices"
	"testing"
)

func TestActivationTokenOfTheEnvironment(t *testing.T) {
	for _, c := range []struct{ wayland, x11, want string }{{"", "", ""}, {"w", "", "w"}, {"", "x", "x"}, {"w", "x", "w"}} {
		t.Setenv(waylandToken, c.wayland)
		t.Setenv(startupID, c.x11)
		if got := TakeActivationToken(); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
		if got := TakeActivationToken(); got != "" {
			t.Errorf("%+v: got %q again", c, got)
		}
	}
	env := []string{"A=b"}
	if got, want := WithActivationToken(env, "t"), []string{"A=b", "XDG_ACTIVATION_TOKEN=t", "DESKTOP_STARTUP_ID=t"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := WithActivationToken(env, ""); !slices.Equal(got, env) {
		t.Errorf("no token: got %q, want %q", got, env)
	}
}
