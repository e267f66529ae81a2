#!/bin/bash
# Builds build/Porthole.app, a zip of it and its checksum, with the tools that every
# Mac has. UNTESTED: this has never run on a Mac. The bundle has an ad-hoc signature,
# valid on this Mac only; distribution needs an Apple certificate and notarization.
#
#	packaging/package-macos.sh PROGRAM
set -euo pipefail
bin=$1
version=$(awk -F'"' '/^Version/{print $2}' FyneApp.toml)
full=$version+git.$(git describe --tags --always 2>/dev/null || echo 0)
app=build/Porthole.app
icons=build/porthole.iconset

rm -rf "$app" "$icons"
mkdir -p "$app/Contents/MacOS" "$app/Contents/Resources" "$icons"
cp "$bin" "$app/Contents/MacOS/porthole"
sed "s/@VERSION@/$version/" packaging/macos/Info.plist >"$app/Contents/Info.plist"
plutil -lint "$app/Contents/Info.plist"
for size in 16 32 128 256; do
	sips -z $size $size assets/icon.png --out "$icons/icon_${size}x$size.png" >/dev/null
	sips -z $((size * 2)) $((size * 2)) assets/icon.png --out "$icons/icon_${size}x$size@2x.png" >/dev/null
done
iconutil -c icns "$icons" -o "$app/Contents/Resources/porthole.icns"
cp LICENSE "$app/Contents/Resources/LICENSE.txt"
packaging/licences.sh >"$app/Contents/Resources/licences.txt"
codesign --force --sign - "$app"

zip=porthole_${full}_macos_$(uname -m).zip
rm -f "build/$zip"
ditto -c -k --keepParent "$app" "build/$zip"
(cd build && shasum -a 256 "$zip" | tee SHA256SUMS.macos)
