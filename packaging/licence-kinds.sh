#!/bin/bash
# Prints the modules that are linked into the program on Linux and Windows with
# their licences, one line each, separated by a tab. The output belongs in
# assets/licences.txt. An unknown licence text is an error: a person must look at it.
set -euo pipefail
for os in linux windows; do
	GOOS=$os CGO_ENABLED=1 go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' -tags "${TAGS:-gles,no_emoji}" .
done | LC_ALL=C sort -u |
	while read -r path dir; do
		text=$({ cat "$dir"/LICEN[CS]E{,.txt,.md} "$dir"/COPYING{,.txt} 2>/dev/null || true; } | tr -s "[:space:]" " ")
		case $text in
		*"Neither the name"*"Apache License"*"MIT License"*) kind="BSD-3-Clause, Apache-2.0, MIT" ;;
		*"Apache License"*"MIT License"* | *"MIT License"*"Apache License"*) kind="Apache-2.0, MIT" ;;
		*"Apache License"*) kind=Apache-2.0 ;;
		*UNLICENSE*BSD* | *BSD*UNLICENSE*) kind="Unlicense or BSD-3-Clause" ;;
		*"Neither the name"* | *"names of its contributors"*) kind=BSD-3-Clause ;;
		*"Redistribution and use"*) kind=BSD-2-Clause ;;
		*"Permission is hereby granted, free of charge"*) kind=MIT ;;
		*"Permission to use, copy, modify, and"*"distribute this software"*) kind=ISC ;;
		*) echo "$path: unknown licence; add its text to packaging/licence-kinds.sh" >&2; exit 1 ;;
		esac
		printf '%s\t%s\n' "$path" "$kind"
	done
printf 'Go\tBSD-3-Clause\n'
