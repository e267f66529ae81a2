//go:build unix && !darwin

package autostart

import (
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
)

// The formats are freedesktop.org's Desktop Application Autostart and Desktop
// Entry specifications.

func location() string { return filepath.Join(xdg.ConfigHome, "autostart", id+".desktop") }

// content is a file that starts program.
func content(program string) string {
	return `[Desktop Entry]
Type=Application
Version=1.4
Name=Porthole
Comment=Shows what listens on this machine's loopback, and tells when a watched port changes
Exec=` + quote(program) + ` --hidden
Icon=` + id + `
Terminal=false
StartupNotify=false
`
}

// quote makes one argument of Exec of program: in quotes with a backslash
// before what a shell would take for its own, "%" doubled, and all backslashes
// doubled once more, as in every string of such a file.
func quote(program string) string {
	return strings.ReplaceAll(`"`+escape.Replace(program)+`"`, `\`, `\\`)
}

var escape = strings.NewReplacer(`"`, `\"`, "`", "\\`", `$`, `\$`, `\`, `\\`, `%`, `%%`)

// unquote returns the program of an Exec line.
func unquote(exec string) string {
	exec = strings.ReplaceAll(exec, `\\`, `\`)
	if !strings.HasPrefix(exec, `"`) {
		program, _, _ := strings.Cut(exec, " ")
		return strings.ReplaceAll(program, "%%", "%")
	}
	var program strings.Builder
	for i := 1; i < len(exec) && exec[i] != '"'; i++ {
		if exec[i] == '\\' && i+1 < len(exec) {
			i++
		}
		program.WriteByte(exec[i])
	}
	return strings.ReplaceAll(program.String(), "%%", "%")
}

// read returns what the file starts, and whether it does: the user's desktop
// may have switched it off in the file.
func (e Entry) read() (program string, on bool, _ error) {
	text, err := readFile(e.location)
	if err != nil || text == "" {
		return "", false, err
	}
	on, ours := true, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			ours = line == "[Desktop Entry]"
		}
		key, value, _ := strings.Cut(line, "=")
		if !ours {
			continue
		}
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "Exec":
			program = unquote(value)
		case "Hidden":
			on = on && value != "true"
		case "X-GNOME-Autostart-enabled":
			on = on && value != "false"
		}
	}
	return program, on, nil
}
