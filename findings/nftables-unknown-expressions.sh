#!/bin/sh
# Does the Go library google/nftables return all expressions of a rule?
#
# Packages: github.com/google/nftables v0.3.0 (Go), nftables 1.0.6; seen with Linux 6.18.
#   Run as root: the rule is in a network namespace of its own.
# Expected: GetRules returns each expression of a rule, or an error for one that the
#   library does not know.
# Behaviour: unknown expressions (socket, osf, xfrm, rt, tunnel and others) are left out
#   without an error (exprsFromBytes in expr/expr.go). What remains is another rule: here
#   "socket" loads a register, and the comparison behind it seems to compare the register
#   that "meta" loaded before. A program that judges a firewall by these expressions is
#   wrong without knowing it. It must decode the netlink attributes itself, or count them.
# Output seen:
#   nft: meta l4proto tcp socket transparent 1 drop
#   nft --debug=netlink: meta cmp socket cmp immediate
#   google/nftables: Meta Cmp Cmp Verdict
# Exits with 1 if that changes.
set -eu
[ "$(id -u)" = 0 ] || { echo "run as root: it adds a rule in a network namespace of its own" >&2; exit 2; }
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"strings"

	"github.com/google/nftables"
)

func main() {
	c, err := nftables.New()
	if err != nil {
		log.Fatal(err)
	}
	t := &nftables.Table{Family: nftables.TableFamilyINet, Name: "t"}
	rules, err := c.GetRules(t, &nftables.Chain{Table: t, Name: "c"})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range rules {
		for _, e := range r.Exprs {
			fmt.Print(strings.TrimPrefix(fmt.Sprintf("%T", e), "*expr."), " ")
		}
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/google/nftables@v0.3.0 >/dev/null 2>&1
CGO_ENABLED=0 go build -o list .
unshare -n sh -eu -c '
nft add table inet t
nft "add chain inet t c { type filter hook input priority 0; }"
nft add rule inet t c meta l4proto tcp socket transparent 1 drop
nft list chain inet t c | sed -n "s/^\t*meta/meta/p" >rule
nft --debug=netlink list chain inet t c | sed -n "s/^ *\[ \([a-z]*\) .*/\1/p" | tr "\n" " " >kernel
./list >library'

failed=0
check() { # check WHAT GOT WANT
	echo "$1: $2"
	[ "$2" = "$3" ] || { echo "this has changed: expected $3"; failed=1; }
}
check nft "$(cat rule)" "meta l4proto tcp socket transparent 1 drop"
check "nft --debug=netlink" "$(sed 's/ $//' kernel)" "meta cmp socket cmp immediate"
check "google/nftables" "$(sed 's/ $//' library)" "Meta Cmp Cmp Verdict"
exit $failed
