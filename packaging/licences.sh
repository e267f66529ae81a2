#!/bin/sh
# Prints the licence texts of all modules that are linked into the program. Fails
# if a module has none.
set -eu
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' -tags "$TAGS" . | sort -u |
	while read -r path version dir; do
		found=
		for f in "$dir"/LICEN[CS]E* "$dir"/COPYING* "$dir"/NOTICE* "$dir"/AUTHORS*; do
			[ -f "$f" ] || continue
			case $f in */AUTHORS*) ;; *) found=1 ;; esac
			printf '%s %s, %s:\n\n' "$path" "$version" "$(basename "$f")"
			cat "$f"
			printf '\n%s\n\n' ------------------------------------------------------------------------
		done
		[ -n "$found" ] || { echo "$path has no licence file" >&2; exit 1; }
	done
printf 'Go, LICENSE:\n\n'
cat "$(go env GOROOT)/LICENSE"
