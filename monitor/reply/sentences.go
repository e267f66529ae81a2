package reply

import (
	"cmp"
	"strings"
	"time"

	"porthole/monitor"
)

// The sentences about a reply. The user interface looks them up in its translations.
const (
	textHTTP       = "{{.Address}} speaks HTTP"
	textHTTPS      = "{{.Address}} speaks HTTPS"
	textProtocol   = "{{.Address}} speaks {{.Protocol}}"
	textNoTLS      = "{{.Address}} speaks TLS, but the handshake failed"
	textNoHTTP     = "{{.Address}} speaks TLS, but did not answer the HTTP request"
	textIncomplete = "{{.Address}} began an HTTP reply and did not finish its header"
	textNoAddress  = "It has no address that this machine can connect to"
	textNoConnect  = "Can't connect to {{.Address}}"
	textNoAccept   = "{{.Address}} did not accept the connection within {{.Seconds}} s"
	textRefused    = "{{.Address}} refused the connection"
	textClosed     = "{{.Address}} closed the connection without a reply"
	textSilent     = "{{.Address}} accepted the connection, but did not reply within {{.Seconds}} s"
	textUnreadable = "{{.Address}} replied in a protocol that Porthole does not know"

	factFramework  = "{{.Framework}} ({{.Evidence}})"
	fromHeader     = "header {{.Name}}"
	fromCookie     = "cookie {{.Name}}"
	factRedirect   = "{{.Target}} (not followed)"
	factALPN       = "{{.Version}}, ALPN {{.Protocol}}"
	factValid      = "valid until {{.Date}}"
	factExpired    = "expired on {{.Date}}"
	factSelfSigned = "self-signed"
)

// The labels of facts.
const (
	labelStatus      = "Status"
	labelTitle       = "Page title"
	labelServer      = "Server"
	labelFramework   = "Framework"
	labelType        = "Content type"
	labelRedirect    = "Redirects to"
	labelTLS         = "TLS"
	labelCertificate = "Certificate"
	labelIssuer      = "Issued by"
	labelValidity    = "Validity"
	labelBanner      = "Banner"
	labelReason      = "Reason"
)

// Texts returns the Text of every sentence and label that has words, for translators.
func Texts() []string {
	return []string{
		textHTTP, textHTTPS, textProtocol, textNoTLS, textNoHTTP, textIncomplete, textNoAddress, textNoConnect, textNoAccept, textRefused, textClosed, textSilent, textUnreadable,
		fromHeader, fromCookie, factRedirect, factValid, factExpired, factSelfSigned,
		labelStatus, labelTitle, labelServer, labelFramework, labelType, labelRedirect, labelTLS, labelCertificate, labelIssuer, labelValidity, labelBanner, labelReason,
	}
}

// Headline says in one sentence, without a full stop, what answers.
func (r Reply) Headline() monitor.Sentence {
	texts := map[Failure]string{
		NoAddress: textNoAddress, NoConnect: textNoConnect, NoAccept: textNoAccept, Refused: textRefused, Closed: textClosed, Silent: textSilent,
		NoTLS: textNoTLS, NoHTTP: textNoHTTP, Incomplete: textIncomplete, Unreadable: textUnreadable,
	}
	text := texts[r.Failure]
	switch {
	case text != "":
	case r.Protocol == HTTP && r.TLS != nil:
		text = textHTTPS
	case r.Protocol == HTTP:
		text = textHTTP
	default:
		text = textProtocol
	}
	return monitor.Sentence{Text: text, Data: map[string]any{"Address": r.Address, "Protocol": string(r.Protocol), "Seconds": int(Timeout / time.Second)}}
}

// Fact is one labelled fact.
type Fact struct{ Label, Value monitor.Sentence }

func newFact(label, text string, data map[string]any) Fact {
	return Fact{monitor.Sentence{Text: label}, monitor.Sentence{Text: text, Data: data}}
}

// Facts returns what the reply shows besides the headline, without what is unknown.
func (r Reply) Facts() []Fact {
	var facts []Fact
	add := func(label, text string, data map[string]any) {
		facts = append(facts, newFact(label, text, data))
	}
	plain := func(label, value string) {
		if value != "" {
			add(label, "{{.Value}}", map[string]any{"Value": value})
		}
	}
	plain(labelReason, r.Error)
	plain(labelBanner, r.Banner)
	plain(labelStatus, r.Status)
	plain(labelTitle, r.Title)
	plain(labelServer, r.Server)
	if r.Framework != "" {
		add(labelFramework, factFramework, map[string]any{"Framework": r.Framework, "Evidence": r.evidence()})
	}
	plain(labelType, r.Type)
	if r.Redirect != "" {
		add(labelRedirect, factRedirect, map[string]any{"Target": r.Redirect})
	}
	return append(facts, r.TLS.facts()...)
}

// evidence returns what shows the framework.
func (r Reply) evidence() monitor.Sentence {
	kind, name, _ := strings.Cut(r.Evidence, " ")
	text := map[string]string{"header": fromHeader, "cookie": fromCookie}[kind]
	return monitor.Sentence{Text: cmp.Or(text, "meta {{.Name}}"), Data: map[string]any{"Name": name}}
}

// facts returns the facts about a TLS connection, none if s is nil.
func (s *TLSSession) facts() []Fact {
	if s == nil {
		return nil
	}
	tlsText := "{{.Version}}"
	if s.ALPN != "" {
		tlsText = factALPN
	}
	facts := []Fact{newFact(labelTLS, tlsText, map[string]any{"Version": s.Version, "Protocol": s.ALPN})}
	c := s.Certificate
	if c == nil {
		return facts
	}
	issuerText, validText := "{{.Issuer}}", factValid
	if c.SelfSigned {
		issuerText = factSelfSigned
	}
	if c.Expired {
		validText = factExpired
	}
	return append(facts, newFact(labelCertificate, "{{.Subject}}", map[string]any{"Subject": c.Subject}),
		newFact(labelIssuer, issuerText, map[string]any{"Issuer": c.Issuer}), newFact(labelValidity, validText, map[string]any{"Date": c.NotAfter.Format(time.DateOnly)}))
}
