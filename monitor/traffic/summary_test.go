package traffic

import (
	"strings"
	"testing"
)

func TestMaskedSummary(t *testing.T) {
	e := &Exchange{Path: "/login?password=geheim1 geheim2", Status: "token=geheim1", Secrets: []string{"geheim2"},
		Request: Message{Head: []byte("GET / HTTP/1.1\r\nCookie: geheim1\r\n\r\n"), Body: []byte("geheim1"), BodySize: 7, Size: 40}}
	m := MaskedSummary(e)
	if all := m.Path + m.Status + string(m.Request.Head) + string(m.Request.Body) + strings.Join(m.Secrets, ""); strings.Contains(all, "geheim") {
		t.Errorf("a secret is readable: %q", all)
	}
	if m.Request.Size != 40 || m.Request.BodySize != 7 || e.Request.Body == nil || !strings.Contains(e.Path, "geheim1") {
		t.Errorf("got the sizes %d and %d of %+v, want 40, 7 and the exchange unchanged", m.Request.Size, m.Request.BodySize, e)
	}
}
