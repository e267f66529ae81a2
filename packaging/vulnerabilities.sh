#!/bin/sh
# Checks the program for calls to code with known vulnerabilities. If the database of
# govulncheck cannot be reached, prints a warning and succeeds. GOVULNDB can name a
# mirror.
#
#	packaging/vulnerabilities.sh GOVULNCHECK-VERSION
set -eu
mkdir -p build
if go run "golang.org/x/vuln/cmd/govulncheck@$1" -tags "$TAGS" ./... >build/vulnerabilities.txt 2>&1; then
	echo "govulncheck: no known vulnerabilities"
elif grep -q 'fetching vulnerabilities' build/vulnerabilities.txt; then
	echo "govulncheck: skipped, its database cannot be reached; set GOVULNDB to use a mirror" >&2
else
	cat build/vulnerabilities.txt >&2
	exit 1
fi
