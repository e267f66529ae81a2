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
# within ROOT COMMAND ...: run a command of the root, whose servers must not start.
within() { chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${@:2}"; }
# install ROOT PACKAGES ...: all at once, or one at a time if that fails.
install() {
	local root=$1 wanted="" p
	shift
	mount --bind "$dir/packages" "$root/var/cache/apt/archives"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/run"
	for p in "$@"; do
		if within "$root" apt-cache show "$p" >/dev/null 2>&1; then wanted="$wanted $p"; else echo "NOT INSTALLED: $p"; fi
	done
	within "$root" dpkg --configure -a # after an interruption
	# shellcheck disable=SC2086 # a list of words
	within "$root" apt-get install -y --no-install-recommends $wanted && return
	for p in $wanted; do
		within "$root" apt-get install -y --no-install-recommends "$p" || echo "NOT INSTALLED: $p"
	done
}

if [ ! -e "$base.done" ]; then
	echo "== a Debian 12"
	rm -rf "$base"
	mkdir -p "$dir/packages/partial" "$dir/logs" "$dir/layers"
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | head -1)
	debootstrap --variant=minbase --cache-dir="$(realpath "$dir/packages")" "$suite" "$base" "$mirror" >"$dir/logs/debootstrap" 2>&1 || { tail "$dir/logs/debootstrap"; exit 1; }
	apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | grep " $suite" | sort -u >"$base/etc/apt/sources.list"
	printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
	chmod 755 "$base/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$base/etc/dpkg/dpkg.cfg.d/porthole" # nothing there outlives a crash
	printf 'Dpkg::Use-Pty "0";\nAPT::Keep-Downloaded-Packages "1";\n' >"$base/etc/apt/apt.conf.d/porthole"
	echo 4d0f1e6a7b8c49d2a3b4c5d6e7f80912 >"$base/etc/machine-id" # without one, the first boot enables every server
	echo testhost >"$base/etc/hostname"
	printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n10.77.0.2 testhost.test testhost\n' >"$base/etc/hosts"
	{
		within "$base" apt-get update
		install "$base" systemd systemd-sysv dbus libpam-systemd iproute2 procps tmux
		within "$base" useradd --create-home --shell /bin/bash dev
	} >"$dir/logs/base" 2>&1 || { tail "$dir/logs/base"; exit 1; }
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
	upper=$dir/layers/$layer
	missing=
	for p in $packages; do
		grep -qsx "$p" "$upper.done" || missing="$missing $p"
	done
	[ -z "$missing" ] && continue
	echo "== installing the servers of the layer $layer"
	mkdir -p "$upper" "$upper.work" "$upper.root"
	mount -t overlay -o "lowerdir=$base,upperdir=$upper,workdir=$upper.work" overlay "$upper.root"
	# shellcheck disable=SC2086 # a list of words
	install "$(realpath "$upper.root")" $missing </dev/null >"$dir/logs/$layer" 2>&1
	grep "^NOT INSTALLED" "$dir/logs/$layer" || true
	umount -R "$upper.root"
	rm -rf "$upper.work" "$upper.root"
	printf '%s\n' $missing >>"$upper.done"
done
