#!/bin/bash
# Builds a .deb, an .rpm and an Arch package from packaging/nfpm.yaml, a tar.gz of the
# files of the .deb, and their checksums, all in build/packages. The same commit gives the
# same bytes: all times are the commit's. On a Mac it runs packaging/package-macos.sh
# instead.
#
#	packaging/package.sh PROGRAM NFPM-VERSION
set -euo pipefail
export PROGRAM=$1
[ "$(uname)" != Darwin ] || exec packaging/package-macos.sh "$PROGRAM"
version=$(git describe --tags --always 2>/dev/null || echo 0)
# A hyphen separates version and release in the versions of all three formats.
VERSION=$(awk -F'"' '/^Version/{print $2}' FyneApp.toml)+git.${version//-/.}
ARCH=$(go env GOARCH)
id=io.github.porthole.porthole
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export VERSION ARCH SOURCE_DATE_EPOCH
packaging/prerequisites.sh package

# Packed relocations (see Makefile) require this version of the C library.
export LIBC=2.34 LIBC_SYMBOL=GLIBC_2.34
if readelf -d "$PROGRAM" | grep -q '(RELR)'; then LIBC=2.36 LIBC_SYMBOL=GLIBC_ABI_DT_RELR; fi

files=build/package
rm -rf "$files"
mkdir -p "$files/man1"
sed "s/@VERSION@/$VERSION/; s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/" packaging/$id.metainfo.xml >"$files/$id.metainfo.xml"
CGO_ENABLED=0 go run ./packaging/man build/man
for page in build/man/man1/*.1; do gzip -9nc "$page" >"$files/man1/$(basename "$page").gz"; done
packaging/licences.sh | gzip -9nc >"$files/licences.gz"
{
	cat <<'EOF'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Porthole
Comment: The licences of the modules that are linked into Porthole are in
 licences.gz beside this file.

Files: *
Copyright: 2026 the Porthole authors
License: MIT
EOF
	sed -n '/^Permission/,$ { s/^$/./; s/^/ /; p }' LICENSE
} >"$files/copyright"
gzip -9nc >"$files/changelog.gz" <<EOF
porthole ($VERSION) unstable; urgency=medium

$(git log -1 --format=%s | fold -sw 70 | sed '1s/^/  * /; 2,$s/^/    /')

 -- The Porthole authors <porthole@porthole.invalid>  $(date -uR -d "@$SOURCE_DATE_EPOCH")
EOF

GOBIN=$PWD/build CGO_ENABLED=0 go install "github.com/goreleaser/nfpm/v2/cmd/nfpm@$2"
packages=build/packages
rm -rf "$packages"
mkdir "$packages"
for format in deb rpm archlinux; do build/nfpm package -f packaging/nfpm.yaml -p $format -t "$packages"; done
dpkg-deb --fsys-tarfile "$packages"/*.deb | gzip -9n >"$packages/porthole_${VERSION}_$ARCH.tar.gz"
(cd "$packages" && sha256sum -- * | tee SHA256SUMS)
packaging/check-packages.sh
