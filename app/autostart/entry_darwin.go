package autostart

import (
	"encoding/xml"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"porthole/app/paths"
)

// location returns the path of the LaunchAgent.
func location() string {
	return filepath.Join(xdg.Home, "Library", "LaunchAgents", paths.AppID+".plist")
}

// content returns a LaunchAgent (launchd.plist(5)) that starts program at login.
func content(program string) string {
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(program)) // a Builder never fails
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>` + paths.AppID + `</string>
<key>ProgramArguments</key><array><string>` + escaped.String() + `</string><string>--hidden</string></array>
<key>RunAtLoad</key><true/>
</dict></plist>
`
}

// read returns the program of the LaunchAgent, and whether that exists.
func (e Entry) read() (program string, on bool, _ error) {
	text, err := readFile(e.location)
	if err != nil || text == "" {
		return "", false, err
	}
	var agent struct {
		Program string `xml:"dict>array>string"`
	}
	_, text, _ = strings.Cut(text, "<plist")
	if err := xml.Unmarshal([]byte("<plist"+text), &agent); err != nil {
		return "", false, fmt.Errorf("parse the LaunchAgent: %w", err)
	}
	return agent.Program, true, nil
}
