#!/bin/bash
# Prints the modules that are linked into the program on Linux and Windows and the
# kind of each one's licence, a line each with a tab between: assets/licences.txt.
# A text that it does not know is an error, for a person to look at.
set -euo pipefail
for os in linux windows; do
	GOOS=$os CGO_ENABLED=1 go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' -tags "${TAGS:-gles,no_emoji}" .
done | LC_ALL=C sort -u |
	while read -r path dir; do
		text=$({ cat "$dir"/LICEN[CS]E{,.txt,.md} "$dir"/COPYING{,.txt} 2>/dev/null || true; } | tr -s "[:space:]" " ")
		case $text in
		*"Apache License"*"MIT License"* | *"MIT License"*"Apache License"*) kind="Apache-2.0, MIT" ;;
		*"Apache License"*) kind=Apache-2.0 ;;
		*UNLICENSE*BSD* | *BSD*UNLICENSE*) kind="Unlicense or BSD-3-Clause" ;;
		*"Neither the name"* | *"names of its contributors"*) kind=BSD-3-Clause ;;
		*"Redistribution and use"*) kind=BSD-2-Clause ;;
		*"Permission is hereby granted, free of charge"*) kind=MIT ;;
		*"Permission to use, copy, modify, and"*"distribute this software"*) kind=ISC ;;
		*) echo "$path: what licence is that?" >&2; exit 1 ;;
		esac
		printf '%s\t%s\n' "$path" "$kind"
	done
printf 'Go\tBSD-3-Clause\n'
