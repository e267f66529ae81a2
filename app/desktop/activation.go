package desktop

import (
	"os"
	"strings"
)

// Environment variables with which a launcher permits a program to raise its window:
// on Wayland (xdg-activation protocol) and on X11 (Startup Notification Protocol).
const (
	waylandToken = "XDG_ACTIVATION_TOKEN"
	startupID    = "DESKTOP_STARTUP_ID"
)

// TakeActivationToken returns the activation token in the environment of this process and
// removes it, so that child processes do not inherit it; "" if there is none. It must be
// called before other goroutines use the environment.
func TakeActivationToken() string {
	token := os.Getenv(waylandToken)
	if token == "" {
		token = os.Getenv(startupID)
	}
	_ = os.Unsetenv(waylandToken) // fails for invalid names only
	_ = os.Unsetenv(startupID)
	return token
}

// WithActivationToken returns the environment env with an activation token for a new
// program; unchanged if token is "" or contains a NUL byte.
func WithActivationToken(env []string, token string) []string {
	if token == "" || strings.ContainsRune(token, 0) {
		return env
	}
	return append(env, waylandToken+"="+token, startupID+"="+token)
}
