#!/bin/sh
# Films Porthole on a virtual desktop. As root, the film is made by a temporary user
# "ada" in network, PID and mount namespaces of its own, so that it shows nothing of
# this machine.
#
#	packaging/film.sh PROGRAM GIF
set -eu
bin=$PWD/$1
film=$PWD/$2
go build -o build/film ./e2e/film
if [ "$(id -u)" != 0 ]; then
	build/film "$bin" "$film"
	exit
fi
set -- "$bin" "$PWD/build/film" "$film"
touch "$film"
unshare --net --pid --mount --fork --kill-child --mount-proc sh -euc '
	ip link set lo up
	mount -t tmpfs -o mode=755 tmpfs /mnt
	mkdir /mnt/ada
	cp "$1" /mnt/ada/porthole
	cp "$2" /mnt/ada/systemd # PID 1, whose name the film shows
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
		"$PWD/systemd" "$PWD/porthole" "$PWD/film.gif"
' sh "$@"
chown "$(id -u)" "$film"
