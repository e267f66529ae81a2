#!/bin/bash
# Runs every Fuzz function, each for a minute or the time in the argument, and
# fails at the first that finds something. What it finds is kept in the
# package's testdata/fuzz, where go test tries it from then on.
set -euo pipefail
time=${1:-60s}
ran=0
while IFS=: read -r file func; do
	echo "== $func of ${file%/*} for $time"
	go test -tags "${TAGS:-}" -run '^$' -fuzz "^$func\$" -fuzztime "$time" "./${file%/*}"
	ran=$((ran + 1))
done < <(grep -rnoP --include='*_test.go' '^func \KFuzz\w+(?=\(\w+ \*testing\.F\))' . | sed 's/:[0-9]*:/:/; s|^\./||' | sort)
[ "$ran" -gt 0 ] || { echo "there is nothing to fuzz here" >&2; exit 1; }
echo "== $ran parsers, nothing found"
