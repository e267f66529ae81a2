package reply

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mongoText is what a MongoDB server replies to an HTTP request.
const mongoText = "It looks like you are trying to access MongoDB over HTTP"

// readResponse reads the header and as much of the body as it needs. It closes the body and
// returns the beginning of what it read.
func (r *Reply) readResponse(response *http.Response) (body []byte) {
	defer response.Body.Close()
	h := response.Header
	r.Protocol, r.Failure, r.Error = HTTP, "", ""
	r.Status = clean(response.Proto+" "+response.Status, 80)
	r.Server = clean(h.Get("Server"), 80)
	r.Type = clean(h.Get("Content-Type"), 80)
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		r.Redirect = clean(h.Get("Location"), 200)
	}
	head := &head{room: maxHead}
	stream := bufio.NewReader(io.TeeReader(io.LimitReader(response.Body, maxRead), head))
	kind := h.Get("Content-Type")
	if kind == "" { // many a small server sends none; browsers look at the body as well
		begin, _ := stream.Peek(sniffed)
		kind = http.DetectContentType(begin)
	}
	var page page
	if isHTML(kind) {
		page = readPage(stream)
	} else {
		_, _ = io.CopyN(io.Discard, stream, maxHead) // whatever arrives will do
	}
	r.Title = page.title
	r.Framework, r.Evidence = framework(h, response.Cookies(), page.generator)
	if bytes.HasPrefix(head.b, []byte(mongoText)) {
		*r = Reply{Address: r.Address, Connected: true, Protocol: MongoDB, Banner: mongoText}
	}
	return head.b
}

// sniffed is how many bytes of a body http.DetectContentType looks at.
const sniffed = 512

// maxHead is how many bytes of a body are examined as text.
const maxHead = 1 << 10

// head keeps the first bytes that are written to it.
type head struct {
	b    []byte
	room int
}

// Write implements io.Writer.
func (h *head) Write(b []byte) (int, error) {
	h.b = append(h.b, b[:min(len(b), h.room-len(h.b))]...)
	return len(b), nil
}

func isHTML(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "text/html" || kind == "application/xhtml+xml"
}

// page is what the head of an HTML page says. The texts are clean.
type page struct{ title, generator string }

// maxToken limits the memory for one tag or text of a page, in bytes.
const maxToken = 16 << 10

// readPage reads an HTML page up to the end of its head. It uses what has arrived if the page
// ends early.
func readPage(body io.Reader) page {
	var p page
	z := html.NewTokenizer(body)
	z.SetMaxBuf(maxToken)
	for inTitle := false; ; {
		switch z.Next() {
		case html.ErrorToken:
			return p
		case html.TextToken:
			if inTitle && p.title == "" {
				p.title = clean(string(z.Text()), 120)
			}
		case html.EndTagToken:
			inTitle = false
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			inTitle = t.DataAtom == atom.Title
			switch t.DataAtom {
			case atom.Body, atom.Svg: // the title of an image is not that of the page
				return p
			case atom.Meta:
				if name, content := metaOf(t); strings.EqualFold(name, "generator") && p.generator == "" {
					p.generator = clean(content, 60)
				}
			}
		}
	}
}

func metaOf(t html.Token) (name, content string) {
	for _, a := range t.Attr {
		switch a.Key {
		case "name":
			name = a.Val
		case "content":
			content = a.Val
		}
	}
	return name, content
}

// headerSigns are headers that only one framework sends.
var headerSigns = []struct{ header, framework string }{
	{"X-Nextjs-Cache", "Next.js"}, {"X-Aspnet-Version", "ASP.NET"}, {"X-Aspnetmvc-Version", "ASP.NET MVC"}, {"X-Application-Context", "Spring Boot"},
	{"X-Debug-Token", "Symfony"}, {"X-Drupal-Cache", "Drupal"}, {"X-Jenkins", "Jenkins"}, {"X-Influxdb-Version", "InfluxDB"}, {"X-Pingback", "WordPress"},
	{"X-Livewire", "Laravel"}, {"X-Jupyterhub-Version", "JupyterHub"},
}

// cookieSigns are names of cookies that one framework sets by default.
var cookieSigns = map[string]string{
	"laravel_session": "Laravel", "csrftoken": "Django", "connect.sid": "Express", "JSESSIONID": "Java servlets", "PHPSESSID": "PHP", "ASP.NET_SessionId": "ASP.NET",
	"ci_session": "CodeIgniter", "CAKEPHP": "CakePHP", "rack.session": "Rack", "grafana_session": "Grafana", "symfony": "Symfony", "_gitlab_session": "GitLab",
}

// framework returns the framework that the reply shows, and what shows it. It does not guess
// without evidence.
func framework(h http.Header, cookies []*http.Cookie, generator string) (name, evidence string) {
	if by := clean(h.Get("X-Powered-By"), 60); by != "" {
		return by, "header X-Powered-By"
	}
	if by := clean(h.Get("X-Generator"), 60); by != "" {
		return by, "header X-Generator"
	}
	for _, s := range headerSigns {
		if h.Get(s.header) != "" {
			return s.framework, "header " + s.header
		}
	}
	if generator != "" {
		return generator, "meta generator"
	}
	for _, c := range cookies {
		if name := cookieSigns[c.Name]; name != "" {
			return name, "cookie " + c.Name
		}
		if strings.HasPrefix(c.Name, ".AspNetCore.") {
			return "ASP.NET Core", "cookie .AspNetCore"
		}
	}
	return "", ""
}

// newSession describes a TLS connection at the time now.
func newSession(state tls.ConnectionState, now time.Time) *TLSSession {
	s := &TLSSession{Version: tls.VersionName(state.Version), ALPN: clean(state.NegotiatedProtocol, 40)}
	if len(state.PeerCertificates) > 0 {
		s.Certificate = newCertificate(state.PeerCertificates[0], now)
	}
	return s
}

func newCertificate(c *x509.Certificate, now time.Time) *Certificate {
	subject := c.Subject.String()
	if subject == "" {
		names := append([]string{}, c.DNSNames...)
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
		subject = strings.Join(names, ", ")
	}
	return &Certificate{
		Subject: clean(subject, 120), Issuer: clean(c.Issuer.String(), 120), NotAfter: c.NotAfter.UTC(), Expired: now.After(c.NotAfter),
		SelfSigned: bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil,
	}
}
