#!/bin/bash
# Runs every fuzz test for one minute, or for the duration given as the argument, and
# stops at the first failure. Go keeps the failing input in the package's
# testdata/fuzz, and go test tries it from then on.
#
#	packaging/fuzz.sh [DURATION]
set -euo pipefail
time=${1:-60s}
ran=0
while IFS=: read -r file func; do
	echo "== $func of ${file%/*} for $time"
	go test -tags "${TAGS:-}" -run '^$' -fuzz "^$func\$" -fuzztime "$time" "./${file%/*}"
	ran=$((ran + 1))
done < <(grep -rnoP --include='*_test.go' '^func \KFuzz\w+(?=\(\w+ \*testing\.F\))' . | sed 's/:[0-9]*:/:/; s|^\./||' | sort)
[ "$ran" -gt 0 ] || { echo "no fuzz tests found" >&2; exit 1; }
echo "== $ran fuzz tests ran, no failures"
