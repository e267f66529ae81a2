package firewall

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"

	"porthole/monitor"
)

// ufwConfig says whether ufw is on. Its rules are readable by root only.
var ufwConfig = "/etc/ufw/ufw.conf"

// read reads the rules that this user may read.
func read(ctx context.Context) judgement {
	m, err := readMachine()
	if err != nil {
		return unknown(monitor.FirewallUnreadable)
	}
	rules, err := readRules(ctx)
	switch {
	case errors.Is(err, errDenied):
		return readAsUser(ctx, m)
	case errors.Is(err, errors.ErrUnsupported):
		rules = &ruleset{}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errChanging):
		return unknown(monitor.FirewallBusy)
	case err != nil:
		return unknown(monitor.FirewallUnreadable)
	}
	legacy := legacyTables()
	return judgement{func(l *monitor.Listener) monitor.Firewall {
		f := rules.answer(l, m)
		if legacy && f.State != monitor.FirewallBlocked {
			return monitor.UnknownFirewall(monitor.FirewallLegacy)
		}
		return f
	}, validFor}
}

// readAsUser reads what an ordinary user may.
func readAsUser(ctx context.Context, m machine) judgement {
	zones, err := readFirewalld(ctx)
	switch {
	case err == nil:
		return judgement{func(l *monitor.Listener) monitor.Firewall { return zones.answer(l, m) }, firewalldValidFor}
	case errors.Is(err, errDenied):
		return unknown(monitor.FirewallDenied)
	case errors.Is(err, context.DeadlineExceeded):
		return unknown(monitor.FirewallBusy)
	case !errors.Is(err, errNotRunning):
		return unknown(monitor.FirewallUnreadable)
	case ufwIsOn():
		return unknown(monitor.FirewallUFWNeedsRoot)
	}
	return unknown(monitor.FirewallNeedsRoot)
}

// ufwIsOn reports whether ufw is switched on (ufw(8)).
func ufwIsOn() bool {
	f, err := os.Open(ufwConfig)
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(strings.TrimSpace(s.Text()), "=")
		if strings.EqualFold(strings.TrimSpace(key), "enabled") {
			return strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"'`), "yes")
		}
	}
	return false
}
