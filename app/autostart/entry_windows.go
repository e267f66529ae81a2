package autostart

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// runKey is where Windows looks for what a user's session starts.
const runKey = `Software\Microsoft\Windows\CurrentVersion\Run`

// approvedKey is where the Task Manager and the Settings of Windows switch off what
// runKey starts, without a word there. Microsoft documents it nowhere; the first
// byte of a value is odd while it is off (02 and 06 on, 03 and 07 off).
const approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`

// location is the name of the value in runKey.
func location() string { return "Porthole" }

// read returns what the value starts, and whether there is one.
func (e Entry) read() (program string, on bool, _ error) {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if err != nil {
		return "", false, fmt.Errorf("open the registry's %s: %w", runKey, err)
	}
	defer key.Close()
	line, _, err := key.GetStringValue(e.location)
	if errors.Is(err, registry.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the registry's %s: %w", runKey, err)
	}
	program, _, _ = strings.Cut(strings.TrimPrefix(line, `"`), `"`)
	return program, !e.switchedOff(), nil
}

// switchedOff reports whether the user switched the value off elsewhere.
func (e Entry) switchedOff() bool {
	key, err := registry.OpenKey(registry.CURRENT_USER, approvedKey, registry.QUERY_VALUE)
	if err != nil {
		return false // nobody has ever
	}
	defer key.Close()
	state, _, err := key.GetBinaryValue(e.location)
	return err == nil && len(state) > 0 && state[0]&1 == 1
}

// approve forgets that the value was switched off elsewhere.
func (e Entry) approve() error {
	err := change(approvedKey, func(key registry.Key) error { return key.DeleteValue(e.location) })
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	return err
}

func (e Entry) write() error {
	if err := e.approve(); err != nil {
		return err
	}
	return change(runKey, func(key registry.Key) error {
		return key.SetStringValue(e.location, `"`+withoutConsole(e.program)+`" --hidden`)
	})
}

// withoutConsole returns the portholew.exe that lies beside a porthole.exe: a
// session that started the latter would show a console for as long as it runs.
func withoutConsole(program string) string {
	if windowed := filepath.Join(filepath.Dir(program), "portholew.exe"); isExecutable(windowed) {
		return windowed
	}
	return program
}

func (e Entry) remove() error {
	return change(runKey, func(key registry.Key) error {
		if err := key.DeleteValue(e.location); !errors.Is(err, registry.ErrNotExist) {
			return err
		}
		return nil
	})
}

func change(path string, do func(registry.Key) error) error {
	key, err := registry.OpenKey(registry.CURRENT_USER, path, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("open the registry's %s: %w", path, err)
	}
	defer key.Close()
	if err := do(key); err != nil {
		return fmt.Errorf("change the registry's %s: %w", path, err)
	}
	return nil
}
