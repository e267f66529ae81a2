//go:build linux

package desktop

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Where the system's bus finds the services that it starts on demand. The panel
// stores its configuration in one of them, Xfconf.
const (
	stockServices = "/usr/share/dbus-1/services"
	xfconf        = "org.xfce.Xfconf.service"
)

// Sizes in pixels.
const (
	panelSize  = 32
	noteWidth  = 380
	noteOffset = 16
)

// busConfig configures a bus that starts only Xfconf on demand. The system's
// configuration would start a notification daemon at the first notification, so
// that no desktop would be without one. Every client may eavesdrop, which Recorder
// does.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>%s</listen>
  <servicedir>%s</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// panelConfig configures the panel. Position 8 is the middle of the lower edge; x
// and y select the screen.
const panelConfig = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="true"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=8;x=%d;y=%d"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="%d"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
        <value type="int" value="3"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="tasklist">
      <property name="show-handle" type="bool" value="false"/>
    </property>
    <property name="plugin-2" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-3" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
`

// dunstConfig configures the notification daemon. A left click on a notification
// invokes its default action, as on most desktops; dunst's default is to close it.
const dunstConfig = `[global]
    origin = top-right
    offset = %dx%d
    width = %d
    height = 220
    notification_limit = 6
    font = DejaVu Sans 11
    line_height = 2
    padding = 12
    horizontal_padding = 14
    text_icon_padding = 12
    frame_width = 1
    frame_color = "#5b6b7a"
    separator_height = 1
    separator_color = frame
    corner_radius = 6
    markup = full
    format = "<b>%%s</b>\n%%b"
    ellipsize = end
    stack_duplicates = false
    show_age_threshold = -1
    show_indicators = no
    icon_theme = Adwaita, hicolor
    min_icon_size = 48
    max_icon_size = 48
    enable_recursive_icon_lookup = true
    mouse_left_click = do_action, close_current
    mouse_middle_click = close_all
    mouse_right_click = close_current

[urgency_low]
    background = "#26313b"
    foreground = "#c3ccd4"
    timeout = 8

[urgency_normal]
    background = "#26313b"
    foreground = "#ffffff"
    timeout = 8

[urgency_critical]
    background = "#5c1f24"
    foreground = "#ffffff"
    frame_color = "#d9534f"
    timeout = 0
`

// configure writes the configuration of every part.
func (d *Desktop) configure() error {
	services := filepath.Join(d.dir, "services")
	// Without Xfconf there is no panel that needs it.
	if service, err := os.ReadFile(filepath.Join(stockServices, xfconf)); err == nil {
		if err := write(filepath.Join(services, xfconf), string(service)); err != nil {
			return err
		}
	}
	panel := filepath.Join(d.dir, "home/.config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml")
	return errors.Join(
		write(d.busConfig(), fmt.Sprintf(busConfig, escapeXML(d.address), escapeXML(services))),
		write(panel, fmt.Sprintf(panelConfig, d.screen.X/2, d.screen.Y-panelSize/2, panelSize)),
		write(d.dunstConfig(), fmt.Sprintf(dunstConfig, noteOffset, noteOffset, noteWidth)),
	)
}

func (d *Desktop) busConfig() string   { return filepath.Join(d.dir, "bus.conf") }
func (d *Desktop) dunstConfig() string { return filepath.Join(d.dir, "dunstrc") }

func write(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("configure the desktop: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("configure the desktop: %w", err)
	}
	return nil
}

func escapeXML(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s))
	return b.String()
}
