#!/bin/sh
# Asks govulncheck whether the program calls anything that is known to be
# vulnerable. Its database is on the network (or in a mirror that GOVULNDB names):
# where it cannot be reached, that is said and is no failure.
set -eu
mkdir -p build
if go run "golang.org/x/vuln/cmd/govulncheck@$1" -tags "$TAGS" ./... >build/vulnerabilities.txt 2>&1; then
	echo "govulncheck: nothing known"
elif grep -q 'fetching vulnerabilities' build/vulnerabilities.txt; then
	echo "govulncheck: not asked, its database cannot be reached from here; GOVULNDB names a mirror" >&2
else
	cat build/vulnerabilities.txt >&2
	exit 1
fi
