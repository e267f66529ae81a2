#!/bin/bash
# Starts the servers of e2e/servers/runs.txt on a Debian 12, each alone in a freshly
# booted system in namespaces of its own, compares what Porthole shows with the right
# values of monitor/integration/testdata/servers.txt, and writes the result to
# docs/servers.md. The sessions of e2e/servers/checks.txt are run in such systems too. Needs root, Debian's packages, 12 GB of disk and some hours.
#
#	packaging/test-servers.sh [-run REGEXP] [-missing] [-jobs N] [-compare]
#
# With -run it installs and starts only some, with -missing only those without records.
# The installed systems and the records stay in build/servers (or $PORTHOLE_SERVERS_DIR) for the next
# time.
set -euo pipefail
if [ "$(id -u)" != 0 ]; then
	echo "only root can boot a Debian in namespaces" >&2
	exit 1
fi
if [ "${1:-}" = --install ]; then # in a mount namespace of its own
	shift
else
	packaging/prerequisites.sh servers
	mkdir -p "${PORTHOLE_SERVERS_DIR:=build/servers}"
	export PORTHOLE_SERVERS_DIR
	CGO_ENABLED=0 go build -o "$PORTHOLE_SERVERS_DIR/servers" ./e2e/servers
	CGO_ENABLED=0 go build -trimpath -o "$PORTHOLE_SERVERS_DIR/porthole" . # needs no libraries
	unshare --mount --propagation private "$0" --install "$@"
	exec "$PORTHOLE_SERVERS_DIR/servers" "$@" "$PORTHOLE_SERVERS_DIR"
fi

dir=$PORTHOLE_SERVERS_DIR
suite=bookworm
base=$dir/base
. packaging/roots.sh

if [ ! -e "$base.done" ]; then
	echo "== a Debian 12"
	# Without a machine id, which make_base writes, the first boot enables every server.
	make_base "$suite" systemd systemd-sysv dbus libpam-systemd iproute2 procps tmux
	# No server starts at boot, and nothing that configures the machine.
	cat >"$base/etc/systemd/system/porthole-servers.target" <<-END
		[Unit]
		Description=A system without servers
		Requires=sysinit.target dbus.socket
		Wants=systemd-logind.service
		After=sysinit.target dbus.socket systemd-logind.service
		AllowIsolate=yes
	END
	for unit in systemd-sysctl.service systemd-modules-load.service systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service systemd-tmpfiles-setup-dev.service systemd-timesyncd.service sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount apparmor.service kmod-static-nodes.service systemd-remount-fs.service; do
		ln -s /dev/null "$base/etc/systemd/system/$unit"
	done
	touch "$base.done"
fi

"$dir/servers" -layers "$@" | while read -r layer packages; do
	# shellcheck disable=SC2086 # a list of words
	install_layer "$layer" $packages </dev/null
done
