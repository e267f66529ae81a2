package monitor

import (
	"strings"
)

// Firewall is whether the firewall of this machine lets other machines connect to a
// listener that is exposed to the network. The zero value means that nobody asked.
type Firewall struct {
	State FirewallState
	By    string // what filters: "nftables" or "firewalld"; "" if that is unknown
	// If State is FirewallLimited, Sources are the only addresses that may connect, as
	// prefixes, and Interfaces the only network interfaces through which they may; nil for
	// all.
	Sources, Interfaces []string
	// Except are addresses that may not connect although most others may, as prefixes.
	Except []string
	Why    Sentence // why State is FirewallUnknown, without a full stop
}

// FirewallState is the answer of a Firewall in one word.
type FirewallState string

// The states. Readers must ignore unknown states.
const (
	FirewallAllowed FirewallState = "allowed" // other machines can connect
	FirewallBlocked FirewallState = "blocked" // no other machine can connect
	FirewallLimited FirewallState = "limited" // only some addresses can connect, or only through some interfaces
	FirewallUnknown FirewallState = "unknown"
)

// The sentences about a firewall. The user interface looks them up in its translations.
const (
	textFirewallAllowed   = "No firewall rule keeps other machines from connecting."
	textFirewallExcept    = "The firewall lets other machines connect, except {{.Sources}}."
	textFirewallBlocked   = "The firewall blocks connections from other machines."
	textFirewallSources   = "The firewall lets only {{.Sources}} connect."
	textFirewallInterface = "The firewall lets other machines connect only through {{.Interfaces}}."
	textFirewallLimited   = "The firewall lets other machines connect only through {{.Interfaces}}, except {{.Sources}}."
	textFirewallBoth      = "The firewall lets only {{.Sources}} connect, and only through {{.Interfaces}}."
	textFirewallUnknown   = "Whether a firewall blocks other machines is unknown: {{.Why}}."
)

// The reasons why the answer of a firewall is unknown, as the Text of Firewall.Why.
const (
	FirewallNeedsRoot    = "only root can read its rules"
	FirewallUFWNeedsRoot = "ufw is on, but only root can read its rules"
	FirewallCondition    = "a rule depends on {{.Condition}}"
	FirewallLegacy       = "there are tables of iptables-legacy, which Porthole can't read"
	FirewallRedirected   = "a rule redirects connections to this port elsewhere"
	FirewallRedirectsTo  = "a rule redirects connections to another port here"
	FirewallNoNetwork    = "this machine has no network address now"
	FirewallUnreadable   = "its rules can't be read"
	FirewallBusy         = "its rules could not be read in time"
	FirewallTooLarge     = "it has too many rules"
	FirewallDenied       = "firewalld does not let this user read its rules"
	FirewallUnsupported  = "Porthole can't read the firewall of this system"
)

// The conditions of rules that depend on more than is known about a connection, as
// Condition of FirewallCondition. Others are names in quotation marks.
const (
	ConditionMark       = "the mark of the packet"
	ConditionMAC        = "the sender's MAC address"
	ConditionSourcePort = "the sender's port"
	ConditionHeader     = "other fields of the packet"
	ConditionTracking   = "the state of connection tracking"
	ConditionTime       = "the time"
	ConditionQuota      = "a quota"
	ConditionMask       = "some bits of the sender's address"
	ConditionInterface  = "properties of the network interface"
	ConditionProgram    = "a program that inspects packets"
	ConditionPolicies   = "policies or direct rules of firewalld"
)

// FirewallTexts returns the Text of every sentence about a firewall and of its parts,
// for translators.
func FirewallTexts() []string {
	return []string{
		textFirewallAllowed, textFirewallExcept, textFirewallBlocked, textFirewallSources, textFirewallInterface, textFirewallLimited, textFirewallBoth, textFirewallUnknown,
		FirewallNeedsRoot, FirewallUFWNeedsRoot, FirewallCondition, FirewallLegacy, FirewallRedirected, FirewallRedirectsTo, FirewallNoNetwork,
		FirewallUnreadable, FirewallBusy, FirewallTooLarge, FirewallDenied, FirewallUnsupported,
		ConditionMark, ConditionMAC, ConditionSourcePort, ConditionHeader, ConditionTracking, ConditionTime, ConditionQuota, ConditionMask,
		ConditionInterface, ConditionProgram, ConditionPolicies,
	}
}

// UnknownFirewall returns the answer that is unknown for a reason such as
// FirewallNeedsRoot.
func UnknownFirewall(why string) Firewall {
	return Firewall{State: FirewallUnknown, Why: Sentence{Text: why}}
}

// UnknownCondition returns the answer that is unknown because of a condition such as
// ConditionMark, or the name of one.
func UnknownCondition(by, condition string) Firewall {
	part := Sentence{Text: condition}
	return Firewall{State: FirewallUnknown, By: by, Why: Sentence{Text: FirewallCondition, Data: map[string]any{"Condition": part}}}
}

// Sentence returns the answer for people. It is empty if nobody asked.
func (f Firewall) Sentence() Sentence {
	data := map[string]any{"Sources": listed(f.Sources), "Interfaces": listed(f.Interfaces)}
	switch {
	case f.State == FirewallUnknown:
		return Sentence{textFirewallUnknown, map[string]any{"Why": f.Why}}
	case f.State == FirewallBlocked:
		return Sentence{Text: textFirewallBlocked}
	case f.State == FirewallAllowed && len(f.Except) > 0:
		return Sentence{textFirewallExcept, map[string]any{"Sources": listed(f.Except)}}
	case f.State == FirewallAllowed:
		return Sentence{Text: textFirewallAllowed}
	case f.State != FirewallLimited:
		return Sentence{}
	case len(f.Except) > 0:
		return Sentence{textFirewallLimited, map[string]any{"Interfaces": listed(f.Interfaces), "Sources": listed(f.Except)}}
	case len(f.Interfaces) == 0:
		return Sentence{textFirewallSources, data}
	case len(f.Sources) == 0:
		return Sentence{textFirewallInterface, data}
	}
	return Sentence{textFirewallBoth, data}
}

// maxListed is the number of addresses or interfaces in a sentence.
const maxListed = 4

// listed joins names, which may come from rules, on one line.
func listed(names []string) string {
	var clean []string
	for _, name := range names[:min(len(names), maxListed)] {
		switch name {
		case "0.0.0.0/0":
			name = "IPv4"
		case "::/0":
			name = "IPv6"
		}
		clean = append(clean, Clean(name, 60))
	}
	if len(names) > maxListed {
		clean = append(clean, "…")
	}
	return strings.Join(clean, ", ")
}
