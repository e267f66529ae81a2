package autostart

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// runKey contains the programs that Windows starts when the user logs in.
const runKey = `Software\Microsoft\Windows\CurrentVersion\Run`

// approvedKey is where Task Manager and the Settings app disable a value of
// runKey; they leave runKey unchanged. Microsoft does not document it. The first
// byte of a value is odd if it is disabled (02 and 06: enabled, 03 and 07:
// disabled).
const approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`

// location returns the name of the value in runKey.
func location() string { return "Porthole" }

// read returns the program of the value, and whether the value exists and is
// enabled.
func (e Entry) read() (program string, on bool, _ error) {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if err != nil {
		return "", false, fmt.Errorf("open the registry key %s: %w", runKey, err)
	}
	defer key.Close()
	line, _, err := key.GetStringValue(e.location)
	if errors.Is(err, registry.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the registry key %s: %w", runKey, err)
	}
	program, _, _ = strings.Cut(strings.TrimPrefix(line, `"`), `"`)
	return program, !e.disabled(), nil
}

// disabled reports whether the user disabled the value in Windows.
func (e Entry) disabled() bool {
	key, err := registry.OpenKey(registry.CURRENT_USER, approvedKey, registry.QUERY_VALUE)
	if err != nil {
		return false // the key does not exist until something was disabled
	}
	defer key.Close()
	state, _, err := key.GetBinaryValue(e.location)
	return err == nil && len(state) > 0 && state[0]&1 == 1
}

// approve removes the mark that the value was disabled.
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

// withoutConsole returns the portholew.exe next to porthole.exe, if there is
// one: porthole.exe would show a console window as long as it runs.
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

// change opens a key of the current user for writing and calls do with it.
func change(path string, do func(registry.Key) error) error {
	key, err := registry.OpenKey(registry.CURRENT_USER, path, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("open the registry key %s: %w", path, err)
	}
	defer key.Close()
	if err := do(key); err != nil {
		return fmt.Errorf("change the registry key %s: %w", path, err)
	}
	return nil
}
