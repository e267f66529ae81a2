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

// place is the name of the value in runKey.
func place() string { return "Porthole" }

// read returns what the value starts, and whether there is one.
func (e Entry) read() (program string, on bool, _ error) {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if err != nil {
		return "", false, fmt.Errorf("open the Run key: %w", err)
	}
	defer key.Close()
	line, _, err := key.GetStringValue(e.place)
	if errors.Is(err, registry.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the Run key: %w", err)
	}
	program, _, _ = strings.Cut(strings.TrimPrefix(line, `"`), `"`)
	return program, true, nil
}

func (e Entry) write() error {
	return e.change(func(key registry.Key) error {
		return key.SetStringValue(e.place, `"`+withoutConsole(e.program)+`" --hidden`)
	})
}

// withoutConsole returns the portholew.exe that lies beside a porthole.exe: a
// session that started the latter would show a console for as long as it runs.
func withoutConsole(program string) string {
	if windowed := filepath.Join(filepath.Dir(program), "portholew.exe"); runs(windowed) {
		return windowed
	}
	return program
}

func (e Entry) remove() error {
	return e.change(func(key registry.Key) error {
		if err := key.DeleteValue(e.place); !errors.Is(err, registry.ErrNotExist) {
			return err
		}
		return nil
	})
}

func (e Entry) change(do func(registry.Key) error) error {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("open the Run key: %w", err)
	}
	defer key.Close()
	if err := do(key); err != nil {
		return fmt.Errorf("change the Run key: %w", err)
	}
	return nil
}
