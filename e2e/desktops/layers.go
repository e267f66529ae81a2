//go:build linux

package main

import "strings"

// layers are the packages of Debian 12 that a desktop needs in addition to the base. Desktops
// with one layer share an installation; a desktop that would remove another's packages has
// a layer of its own.
var layers = []layer{
	{"i3", "i3-wm dunst"},
	{"xfce", "xfce4-session xfce4-panel xfwm4 xfdesktop4 xfconf xfce4-settings xfce4-notifyd xdg-desktop-portal-gtk"},
	{"sway", "sway xwayland mako-notifier waybar sway-notification-center wayfire grim foot xdg-desktop-portal-gtk wlr-randr"},
	{"mate", "mate-session-manager mate-panel marco mate-settings-daemon mate-notification-daemon mate-icon-theme xdg-desktop-portal-gtk"},
	{"lxqt", "lxqt-session lxqt-panel lxqt-notificationd openbox lxqt-themes xdg-desktop-portal-gtk breeze-icon-theme"},
	{"lxde", "lxsession lxpanel openbox notification-daemon lxde-icon-theme xdg-desktop-portal-gtk"},
	{"plasma", "plasma-workspace plasma-desktop plasma-workspace-wayland kwin-x11 kwin-wayland kscreen breeze breeze-icon-theme xdg-desktop-portal-kde qdbus-qt5 libkf5config-bin kde-cli-tools xwayland foot"},
	{"gnome", "gnome-shell gjs gnome-session gnome-settings-daemon mutter gnome-shell-extension-appindicator xwayland xdg-desktop-portal-gnome pipewire wireplumber foot"},
	{"cinnamon", "cinnamon cinnamon-session muffin xapp-sn-watcher xdg-desktop-portal-gtk"},
	{"budgie", "budgie-core gnome-session-bin gnome-settings-daemon mutter xdg-desktop-portal-gtk"},
}

// basePackages are installed for all desktops: X server and buses, Mesa's software OpenGL,
// a fake logind for desktops that need one, and tesseract, which reads the screen.
const basePackages = "dbus procps iproute2 libglib2.0-bin xvfb x11-xserver-utils xterm libgl1-mesa-dri libgles2 libegl1 fonts-dejavu-core adwaita-icon-theme hicolor-icon-theme python3-dbusmock tesseract-ocr"

// layer is a list of packages that are installed together.
type layer struct{ name, packages string }

// line is what packaging/test-desktops.sh reads.
func (l layer) line() string { return l.name + " " + strings.Join(strings.Fields(l.packages), " ") }
