//go:build cgo

package window

import (
	"net"
	"net/http/httptest"
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
