#!/bin/sh
# Copies the pictures of the guide from build/pictures, where make pictures writes
# them, to docs/pictures, with at most 200 colours each. Needs ImageMagick.
set -eu
mkdir -p docs/pictures
for name in ports-dark ports-light history-light watches-light settings-light process-light warnings-light stop-light; do
	convert "build/pictures/$name-en-1180-100.png" -strip +dither -colors 200 "png8:docs/pictures/$name.png"
done
ls -l docs/pictures
