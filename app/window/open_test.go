//go:build cgo

package window

import (
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestScheme(t *testing.T) {
	plain, secure := httptest.NewServer(nil), httptest.NewTLSServer(nil)
	defer plain.Close()
	defer secure.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections but never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for address, want := range map[string]string{
		strings.TrimPrefix(plain.URL, "http://"):   "http",
		strings.TrimPrefix(secure.URL, "https://"): "https",
		silent.Addr().String():                     "http",
		"127.0.0.1:1":                              "http",
	} {
		if got := scheme(t.Context(), address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestOpenSettingsFile(t *testing.T) {
	dir := t.TempDir()
	args := filepath.Join(dir, "args")
	script := "#!/bin/sh\nprintf '%s' \"$1\" >" + args + "\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	path := filepath.Join(dir, "my settings", "settings.yaml")
	if err := openSettingsFile(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(args); err != nil || string(b) != path {
		t.Errorf("xdg-open got %q, error %v, want %q", b, err, path)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file was not created: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := openSettingsFile(t.Context(), path); err == nil || !strings.Contains(err.Error(), "xdg-open") {
		t.Errorf("without xdg-open: got error %v, want one that names it", err)
	}
}
