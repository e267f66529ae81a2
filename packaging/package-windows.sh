#!/bin/bash
# Cross-builds Porthole for Windows, with its window: build/windows/porthole.exe (a
# console program, for the command line), portholew.exe (without a console), a zip of
# both with the licences, and its checksum. The same commit gives the same bytes.
# The first build takes minutes, because it compiles the OpenGL binding in C.
#
#	packaging/package-windows.sh VERSION
set -euo pipefail
version=$1
number=$(awk -F'"' '/^Version/{print $2}' FyneApp.toml)
full=$number+git.$(git describe --tags --always 2>/dev/null || echo 0)
out=build/windows
mkdir -p "$out"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

echo "== icon, version and manifest"
CGO_ENABLED=0 go run ./packaging/ico assets/icons/porthole.svg "$out/porthole.ico"
sed "s/@VERSION@/$number.0/" packaging/windows/porthole.manifest >"$out/porthole.manifest"
resource=porthole_windows_amd64.syso # go build links it because it is beside main.go
trap 'rm -f "$resource"' EXIT
x86_64-w64-mingw32-windres -I "$out" -DVERSION_NUMBERS="${number//./,},0" -DVERSION="\\\"$full\\\"" \
	-O coff packaging/windows/porthole.rc "$resource"

# Without the tag gles: Windows includes OpenGL but not OpenGL ES.
export CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc
tags=${TAGS#gles,}
build() { go build -trimpath -tags "$tags" -ldflags "-s -w -X porthole/app.Version=$version $2" -o "$out/$1" .; }
for pass in first second; do
	echo "== $pass build, with -tags $tags"
	build porthole.exe ""
	build portholew.exe "-H=windowsgui"
	(cd "$out" && sha256sum porthole.exe portholew.exe) >"$out/$pass.sum"
done
cmp "$out/first.sum" "$out/second.sum" || { echo "the two builds differ" >&2; exit 1; }
rm "$out/first.sum" "$out/second.sum"

name=porthole_${full}_windows_amd64
rm -rf "${out:?}/$name" "build/$name.zip"
install -D -m 755 -t "$out/$name" "$out/porthole.exe" "$out/portholew.exe"
install -m 644 LICENSE "$out/$name/LICENSE.txt"
TAGS=$tags packaging/licences.sh >"$out/$name/licences.txt"
find "$out/$name" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$out" && find "$name" -type f | LC_ALL=C sort | TZ=UTC zip -q -X -9 "../$name.zip" -@)
(cd build && sha256sum "$name.zip" | tee SHA256SUMS.windows)
