#!/bin/bash
# Checks the packages in build/packages with the tools of their formats: that they hold
# the same files, and that they depend on all that the program is linked with.
set -euo pipefail
id=io.github.porthole.porthole
deb=$(echo build/packages/*.deb) rpm=$(echo build/packages/*.rpm) arch=$(echo build/packages/*.pkg.tar.zst)
check=build/check
fail() { echo "check-packages: $*" >&2; exit 1; }

rm -rf "$check"
mkdir -p "$check"/{deb,rpm,arch,debian}
dpkg-deb -x "$deb" "$check/deb"
bsdtar -xpf "$rpm" -s ",^/,," -C "$check/rpm" # rpm2cpio fails on the payload size that nfpm writes
bsdtar -xpf "$arch" -C "$check/arch"

# rpm and pacman: the checksums of the files. rpm -K names the digests in its answer.
rpm -K --nosignature "$rpm" | grep -q 'digests OK' || fail "wrong digests in $rpm"
gzip -dc "$check/arch/.MTREE" | sed -nE 's/^([^ ]+) .*type=file.* sha256digest=([0-9a-f]+).*/\2  \1/p' >"$check/mtree"
[ "$(wc -l <"$check/mtree")" -gt "$(find "$check/arch/usr" -type f | wc -l)" ] || fail "files without checksum in .MTREE" # with .PKGINFO
(cd "$check/arch" && sha256sum --quiet -c ../mtree)
pacman -Qip "$arch" >"$check/pacman.txt" 2>"$check/pacman.err" || fail "pacman cannot read $arch: $(cat "$check/pacman.err")"
rm "$check/arch/".{PKGINFO,MTREE}

# The same files, but for the places in which each format wants completions and licences.
for format in rpm arch; do
	(cd "$check/$format/usr/share" && mv zsh/site-functions zsh/vendor-completions && mkdir -p doc && mv licenses/porthole doc/porthole && rmdir licenses)
	mv "$check/$format/usr/share/doc/porthole/LICENSE" "$check/$format.licence"
	cmp LICENSE "$check/$format.licence"
done
diff -r "$check/rpm" "$check/arch"
diff -r -x copyright -x changelog.gz "$check/deb" "$check/rpm"
modes() { (cd "$check/$1" && find . -type f -printf '%m %p\n' | grep -vE '/(copyright|changelog.gz)$' | sort); }
for format in rpm arch; do diff <(modes deb) <(modes $format); done

# Debian: dpkg-shlibdeps names the packages of the libraries that the program is linked with.
program=$check/deb/usr/bin/porthole
printf 'Source: porthole\n\nPackage: porthole\nArchitecture: any\n' >"$check/debian/control"
(cd "$check" && dpkg-shlibdeps -O deb/usr/bin/porthole 2>/dev/null) | sed 's/^shlibs:Depends=//; s/([^)]*)//g; s/[ ,]\+/\n/g' >"$check/shlibs"
for package in $(cat "$check/shlibs"); do
	dpkg-deb -f "$deb" Depends | grep -qw -- "$package" || fail "$deb does not depend on $package"
done

# rpm: elfdeps names the sonames and the versions of their symbols. The newest version of
# the C library implies the older ones.
/usr/lib/rpm/elfdeps -R "$program" | grep -vF rtld >"$check/elfdeps"
newest=$(grep -oE '^libc\.so\.6\(GLIBC_[0-9.]+\)\(64bit\)' "$check/elfdeps" | sort -V | tail -1)
rpm -qp --requires "$rpm" >"$check/requires"
{ grep -vE '\(GLIBC_[0-9]|^libc\.so\.6\(\)' "$check/elfdeps"; echo "$newest"; } | while read -r soname; do
	grep -qxF "$soname" "$check/requires" || fail "$rpm does not require $soname"
done

# The licences that packaging/nfpm.yaml names are those of the modules.
cut -f2 assets/licences.txt | sed 's/, /\n/g; s/Unlicense or //' | sort -u | while read -r licence; do
	rpm -qp --qf '%{LICENSE}' "$rpm" | grep -qw -- "$licence" || fail "$rpm does not name the licence $licence"
done

desktop-file-validate "$check/deb/usr/share/applications/$id.desktop"
appstreamcli validate --strict --no-net "$check/deb/usr/share/metainfo/$id.metainfo.xml"
lintian --pedantic --fail-on error "$deb"
echo "== the packages hold the same files and name what they depend on"
