#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Have a kernel ready to test with, and say where it is.
#
#   kernel.sh 6.12|6.1     Debian's kernel, unpacked into the cache
#   kernel.sh uml|debug    built from Debian's 6.12 source, with ../kernels/X.config
#   kernel.sh source       only the source
#
# Prints shell assignments on stdout, and what it is doing on stderr:
#
#   SOURCE=   the source (source, uml, debug)
#   RELEASE=  what `uname -r` says in it
#   KDIR=     what modules are built against
#   IMAGE=    what boots
#   MODULES=  its own modules, as in /lib/modules/$RELEASE
#
# Everything is kept in ${XDG_CACHE_HOME:-~/.cache}/laya and nothing is
# installed: neither /boot nor /lib/modules nor /usr/src of this machine is
# touched.  Delete that folder to have newer kernels.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/laya
jobs=$(nproc)

say() {
	echo "laya: $*" >&2
}

die() {
	say "$*"
	exit 1
}

# download PACKAGE... - into the current directory, as whoever we are
download() {
	local sandbox=()

	# As root, apt drops to a user that may not be able to write here
	[ "$(id -u)" = 0 ] && sandbox=(-o APT::Sandbox::User=root)
	apt-get -q -q "${sandbox[@]}" download "$@" >&2 ||
		die "cannot download $*: is 'apt-get update' needed?"
}

# unpack PACKAGE... - into the current directory, keeping no archive
unpack() {
	local deb

	for deb in "$@"; do
		say "downloading $deb"
		download "$deb"
		dpkg-deb -x ./*.deb .
		rm -f ./*.deb
	done
}

# The newest of Debian's ordinary kernels of a version, by name.  Read from the
# package names and not from the metapackage, whose name differs between
# Debian 12 and 13.
stock_name() {
	apt-cache pkgnames "linux-image-$1." |
		grep -E "^linux-image-${1//./\\.}\.[0-9]+([-+].+)?-amd64\$" |
		grep -vE -- '-(cloud|rt)-amd64$' |
		sort -V | tail -n 1
}

# The modules that tests may want.  The rest (graphics, sound, storage ...)
# would only make depmod slow.
trim_modules() {
	local from=$1 to=$2 name dir

	mkdir -p "$to"
	for dir in arch crypto lib net kernel fs/9p fs/netfs fs/fscache \
		fs/overlayfs fs/fuse drivers/virtio drivers/block/virtio_blk \
		drivers/char/virtio_console drivers/char/hw_random/virtio-rng \
		drivers/crypto/virtio drivers/net/wireguard drivers/net/vxlan \
		drivers/net/ipvlan drivers/net/ovpn drivers/net/bonding; do
		for name in "$from/kernel/$dir" "$from/kernel/$dir".ko*; do
			[ -e "$name" ] || continue
			mkdir -p "$to/kernel/$(dirname "$dir")"
			cp -r "$name" "$to/kernel/$(dirname "$dir")/"
		done
	done
	mkdir -p "$to/kernel/drivers/net"
	for name in "$from"/kernel/drivers/net/*.ko*; do
		cp "$name" "$to/kernel/drivers/net/"
	done
	# Under software emulation unpacking them costs more than reading them
	find "$to" -name '*.ko.xz' -exec xz -d {} +
	find "$to" -name '*.ko.zst' -exec zstd -q -d --rm {} +
	cp "$from"/modules.builtin* "$from"/modules.order "$to/" 2>/dev/null || :
	sed -i 's/\.ko\.\(xz\|zst\)$/.ko/' "$to/modules.order"
	depmod -b "${to%/lib/modules/*}" "${to##*/}"
}

prepare_stock() {
	local want=$1 image release headers kbuild common dir tmp

	dir=$cache/stock-$want
	if [ ! -e "$dir/ready" ]; then
		[ -z "$ready_only" ] || return 1
		image=$(stock_name "$want")
		[ -n "$image" ] || die "no linux-image-$want package in apt's lists"
		release=${image#linux-image-}
		headers=linux-headers-$release
		common=${headers%-amd64}-common
		kbuild=$(apt-cache depends "$headers" |
			sed -n 's/.*Depends: \(linux-kbuild-.*\)/\1/p' | head -n 1)
		[ -n "$kbuild" ] || die "$headers depends on no linux-kbuild"

		tmp=$dir.new
		rm -rf "$tmp"
		mkdir -p "$tmp/root"
		cd "$tmp/root"
		unpack "$headers" "$common" "$kbuild" "$image"
		say "unpacking $release"
		sed -i "s,include /usr/src/,include $dir/root/usr/src/," \
			"usr/src/$headers/Makefile"
		mv "boot/vmlinuz-$release" ../vmlinuz
		mv "boot/config-$release" ../config
		rm -rf boot
		# usr/lib where Debian merged the two
		if [ -d "lib/modules/$release/kernel" ]; then
			trim_modules "lib/modules/$release" \
				"../modules/lib/modules/$release"
		else
			trim_modules "usr/lib/modules/$release" \
				"../modules/lib/modules/$release"
		fi
		rm -rf lib/modules usr/lib/modules
		echo "$release" > ../ready
		cd /
		rm -rf "$dir"
		mv "$tmp" "$dir"
	fi

	release=$(cat "$dir/ready")
	echo "RELEASE=$release"
	echo "KDIR=$dir/root/usr/src/linux-headers-$release"
	echo "IMAGE=$dir/vmlinuz"
	echo "MODULES=$dir/modules/lib/modules/$release"
}

prepare_source() {
	local dir=$cache/source-6.12 tmp

	if [ ! -e "$dir/ready" ]; then
		[ -z "$ready_only" ] || return 1
		tmp=$dir.new
		rm -rf "$tmp"
		mkdir -p "$tmp"
		cd "$tmp"
		unpack linux-source-6.12
		say "unpacking linux-source-6.12"
		tar -xf usr/src/linux-source-6.12.tar.xz
		mv linux-source-6.12 linux
		rm -rf usr
		make -s -C linux kernelversion > ready
		cd /
		rm -rf "$dir"
		mv "$tmp" "$dir"
	fi
	echo "SOURCE=$dir/linux"
}

# A kernel of our own.  Its folder is named by all that decides what comes out:
# the configuration, the version of the source and the compiler.
prepare_built() {
	local kind=$1 arch=$2 target=$3 config source key dir

	config=$here/../kernels/$kind.config
	source=$cache/source-6.12/linux
	key=$({ grep -v '^# [^C]' "$config"; cat "$cache/source-6.12/ready"
		gcc -dumpfullversion; } | sha256sum | cut -c1-12)
	dir=$cache/$kind-$key

	if [ ! -e "$dir/ready" ]; then
		[ -z "$ready_only" ] || return 1
		say "building the $kind kernel, once (about ten minutes on two cores; log in $dir/log)"
		mkdir -p "$dir"
		cp "$config" "$dir/.config"
		if ! {
			make -C "$source" ARCH="$arch" O="$dir" olddefconfig &&
			make -C "$source" ARCH="$arch" O="$dir" -j"$jobs" \
				"$target" modules &&
			make -C "$source" ARCH="$arch" O="$dir" \
				INSTALL_MOD_PATH="$dir/modules" modules_install
		} > "$dir/log" 2>&1; then
			tail -n 20 "$dir/log" >&2
			die "the $kind kernel did not build: $dir/log"
		fi
		make -s -C "$source" ARCH="$arch" O="$dir" kernelrelease |
			tail -n 1 > "$dir/ready.new"
		mv "$dir/ready.new" "$dir/ready"
	fi

	echo "RELEASE=$(cat "$dir/ready")"
	echo "KDIR=$dir"
	case $kind in
	uml)	echo "IMAGE=$dir/linux" ;;
	*)	echo "IMAGE=$dir/arch/x86/boot/bzImage" ;;
	esac
	echo "MODULES=$dir/modules/lib/modules/$(cat "$dir/ready")"
}

# settle LOCK COMMAND... - one at a time in the cache; what is ready is said
# without waiting for whoever is building something
settle() {
	local lock=$1

	shift
	ready_only=1
	"$@" && return
	ready_only=
	(
		flock 9
		"$@"
	) 9> "$cache/lock-$lock"
}

[ $# = 1 ] || die "usage: kernel.sh 6.12|6.1|uml|debug|source"
mkdir -p "$cache"
case $1 in
6.1|6.12)
	settle "$1" prepare_stock "$1"
	;;
uml|debug)
	settle source prepare_source
	case $1 in
	uml)	settle uml prepare_built uml um linux ;;
	debug)	settle debug prepare_built debug x86_64 bzImage ;;
	esac
	;;
source)
	settle source prepare_source
	;;
*)
	die "unknown kernel '$1': 6.12, 6.1, uml or debug"
	;;
esac
