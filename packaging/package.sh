#!/bin/bash
# Builds build/porthole_VERSION_ARCH.deb, a tar.gz of the same files, and their
# checksums. The same commit gives the same bytes: all times are the commit's. On a
# Mac it runs packaging/package-macos.sh instead.
#
#	packaging/package.sh PROGRAM
set -euo pipefail
bin=$1
[ "$(uname)" != Darwin ] || exec packaging/package-macos.sh "$bin"
version=$(git describe --tags --always 2>/dev/null || echo 0)
version=$(awk -F'"' '/^Version/{print $2}' FyneApp.toml)+git.$version
arch=$(dpkg --print-architecture)
id=io.github.porthole.porthole
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)
packaging/prerequisites.sh package

# Packed relocations (see Makefile) require this version of the C library.
libc=2.34
if readelf -d "$bin" | grep -q '(RELR)'; then libc=2.36; fi

root=build/package
rm -rf "$root"
install -D -m 755 "$bin" "$root/usr/bin/porthole"
install -D -m 644 packaging/$id.desktop "$root/usr/share/applications/$id.desktop"
install -D -m 644 assets/icons/porthole.svg "$root/usr/share/icons/hicolor/scalable/apps/$id.svg"
install -d "$root/usr/share/icons/hicolor/512x512/apps"
install -m 644 assets/icon.png "$root/usr/share/icons/hicolor/512x512/apps/$id.png"
install -d "$root/usr/share/metainfo"
sed "s/@VERSION@/$version/; s/@DATE@/$date/" packaging/$id.metainfo.xml >"$root/usr/share/metainfo/$id.metainfo.xml"

CGO_ENABLED=0 go run ./packaging/man build/man
install -d "$root/usr/share/man/man1"
for page in build/man/man1/*.1; do gzip -9nc "$page" >"$root/usr/share/man/man1/$(basename "$page").gz"; done
install -D -m 644 build/man/bash "$root/usr/share/bash-completion/completions/porthole"
install -D -m 644 build/man/zsh "$root/usr/share/zsh/vendor-completions/_porthole"
install -D -m 644 build/man/fish "$root/usr/share/fish/vendor_completions.d/porthole.fish"

doc=$root/usr/share/doc/porthole
install -d "$doc"
packaging/licences.sh | gzip -9nc >"$doc/licences.gz"
{
	cat <<'END'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Porthole
Comment: The licences of the modules that are linked into Porthole are in
 licences.gz beside this file.

Files: *
Copyright: 2026 the Porthole authors
License: MIT
END
	sed -n '/^Permission/,$ { s/^$/./; s/^/ /; p }' LICENSE
} >"$doc/copyright"
gzip -9nc >"$doc/changelog.gz" <<END
porthole ($version) unstable; urgency=medium

$(git log -1 --format=%s | fold -sw 70 | sed '1s/^/  * /; 2,$s/^/    /')

 -- The Porthole authors <porthole@porthole.invalid>  $(date -uR -d "@$SOURCE_DATE_EPOCH")
END

install -d "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: porthole
Version: $version
Architecture: $arch
Maintainer: The Porthole authors <porthole@porthole.invalid>
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Section: net
Priority: optional
Depends: libc6 (>= $libc), libgl1, libx11-6, libwayland-client0
Recommends: libgl1-mesa-dri, libegl1, libgles2, libxcursor1, libxi6, libxinerama1, libxrandr2, libxxf86vm1, libxkbcommon0, dbus-user-session, fonts-dejavu-core
Description: monitor for listening ports in the system tray
 Porthole sits in the system tray and shows which processes listen on this
 machine's ports, since when, why they are running, who is connected, and
 whether the network can reach them. It notifies you when a port you watch
 opens, closes, changes owner or becomes reachable from the network.
END
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
find "$root" -print0 | xargs -0 touch -h -d "@$SOURCE_DATE_EPOCH"
find "$root" -type d -exec chmod 755 {} +

deb=build/porthole_${version}_$arch.deb
tgz=build/porthole_${version}_$arch.tar.gz
dpkg-deb --root-owner-group --build "$root" "$deb" >/dev/null
tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - usr | gzip -9n >"$tgz"
(cd build && sha256sum "$(basename "$deb")" "$(basename "$tgz")" | tee SHA256SUMS)

desktop-file-validate "$root/usr/share/applications/$id.desktop"
appstreamcli validate --no-net "$root/usr/share/metainfo/$id.metainfo.xml"
lintian --fail-on error "$deb"
