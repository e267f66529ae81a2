#!/bin/sh
# Films Porthole on a virtual desktop. As root, the film is made by a temporary user
# "ada" in network, PID and mount namespaces of its own, so that it shows nothing of
# this machine.
#
#	packaging/film.sh PROGRAM GIF
set -eu
bin=$PWD/$1
film=$PWD/$2
go test -c -tags "$TAGS" -o build/e2e.test ./e2e
if [ "$(id -u)" != 0 ]; then
	PORTHOLE_BIN=$bin PORTHOLE_FILM=$film build/e2e.test -test.run '^TestFilm$'
	exit
fi
set -- "$bin" "$PWD/build/e2e.test" "$film"
touch "$film"
unshare --net --pid --mount --fork --kill-child --mount-proc sh -euc '
	ip link set lo up
	mount -t tmpfs -o mode=755 tmpfs /mnt
	mkdir /mnt/ada
	cp "$1" /mnt/ada/porthole
	cp "$2" /mnt/ada/desktop
	chown -R 4242:4242 /mnt/ada
	touch /mnt/ada/film.gif
	mount --bind "$3" /mnt/ada/film.gif
	chown 4242 /mnt/ada/film.gif
	{ cat /etc/passwd; echo "ada:x:4242:4242::/home/ada:/bin/sh"; } >/mnt/passwd
	mount --bind /mnt/passwd /etc/passwd
	mount -t tmpfs -o mode=1777 tmpfs /tmp
	mount --rbind /mnt /home
	cd /home/ada
	exec setpriv --reuid 4242 --regid 4242 --clear-groups env -i PATH="$PATH" HOME="$PWD" TMPDIR="$PWD" \
		PORTHOLE_BIN="$PWD/porthole" PORTHOLE_FILM="$PWD/film.gif" "$PWD/desktop" -test.run "^TestFilm\$"
' sh "$@"
chown "$(id -u)" "$film"
