# Functions for root directories with packages of Debian, for other scripts to source.
# The variable dir is the folder of the roots, which exists. The scripts need root and
# their own mount namespace.

# within ROOT COMMAND ...: run a command of the root, whose servers must not start.
within() { chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${@:2}"; }

# make_base SUITE PACKAGES ...: make $dir/base, a small Debian with these packages. Downloaded packages stay in
# $dir/packages, logs in $dir/logs.
make_base() {
	local suite=$1 base=$dir/base mirror
	shift
	rm -rf "$base"
	mkdir -p "$dir/packages/partial" "$dir/logs" "$dir/layers"
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | head -1)
	debootstrap --variant=minbase --cache-dir="$(realpath "$dir/packages")" "$suite" "$base" "$mirror" >"$dir/logs/debootstrap" 2>&1 || { tail "$dir/logs/debootstrap"; return 1; }
	apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | grep " $suite" | sort -u >"$base/etc/apt/sources.list"
	printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
	chmod 755 "$base/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$base/etc/dpkg/dpkg.cfg.d/porthole" # nothing there outlives a crash
	printf 'Dpkg::Use-Pty "0";\nAPT::Keep-Downloaded-Packages "1";\n' >"$base/etc/apt/apt.conf.d/porthole"
	echo 4d0f1e6a7b8c49d2a3b4c5d6e7f80912 >"$base/etc/machine-id"
	echo testhost >"$base/etc/hostname"
	printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n10.77.0.2 testhost.test testhost\n' >"$base/etc/hosts"
	{
		within "$base" apt-get update
		install_in "$base" "$@"
		within "$base" useradd --create-home --shell /bin/bash dev
	} >"$dir/logs/base" 2>&1 || { tail "$dir/logs/base"; return 1; }
}

# install_in ROOT PACKAGES ...: all at once, or one at a time if that fails.
install_in() {
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

# install_layer LAYER PACKAGES ...: install in $dir/layers/LAYER, an overlay of the base, what is missing there.
install_layer() {
	local upper=$dir/layers/$1 missing="" p
	local layer=$1
	shift
	for p in "$@"; do
		grep -qsx "$p" "$upper.done" || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	echo "== installing the layer $layer"
	mkdir -p "$upper" "$upper.work" "$upper.root"
	mount -t overlay -o "lowerdir=$dir/base,upperdir=$upper,workdir=$upper.work" overlay "$upper.root"
	# shellcheck disable=SC2086 # a list of words
	install_in "$(realpath "$upper.root")" $missing </dev/null >"$dir/logs/$layer" 2>&1
	grep "^NOT INSTALLED" "$dir/logs/$layer" || true
	umount -R "$upper.root"
	rm -rf "$upper.work" "$upper.root"
	# shellcheck disable=SC2086 # a list of words
	printf '%s\n' $missing >>"$upper.done"
}
