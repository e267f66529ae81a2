//go:build unix && !darwin

package autostart

import (
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"porthole/app/paths"
)

// This file follows the Desktop Application Autostart Specification and the
// Desktop Entry Specification of freedesktop.org.

// location returns the path of the autostart file.
func location() string {
	return filepath.Join(xdg.ConfigHome, "autostart", paths.AppID+".desktop")
}

// content returns an autostart file for program.
func content(program string) string {
	return `[Desktop Entry]
Type=Application
Version=1.4
Name=Porthole
Comment=Show which processes listen on this machine's ports
Exec=` + quote(program) + ` --hidden
Icon=` + paths.AppID + `
Terminal=false
StartupNotify=false
`
}

// quote returns program as one argument of Exec: in double quotes, with a
// backslash before characters that are special to a shell, "%" doubled, and then
// all backslashes doubled, as in every string of a desktop entry.
func quote(program string) string {
	return strings.ReplaceAll(`"`+execEscaper.Replace(program)+`"`, `\`, `\\`)
}

var execEscaper = strings.NewReplacer(`"`, `\"`, "`", "\\`", `$`, `\$`, `\`, `\\`, `%`, `%%`)

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

// read returns the program of the autostart file, and whether the file exists and
// is enabled: desktops disable it with a key in the file.
func (e Entry) read() (program string, on bool, _ error) {
	text, err := readFile(e.location)
	if err != nil || text == "" {
		return "", false, err
	}
	on, inEntry := true, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inEntry = line == "[Desktop Entry]"
		}
		key, value, _ := strings.Cut(line, "=")
		if !inEntry {
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
