//go:build !linux

package enrich

// sshServer is known on Linux only.
func sshServer(sshProcess) string { return "" }
