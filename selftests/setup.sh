#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Install what `make demo` and `make test` need and this machine lacks, from
# Debian 12 or 13, without questions.  No kernel is installed, nothing that
# decides how the machine boots is touched: see vm/kernel.sh.
#
#   setup.sh [peers]    and what Laya is compared with: make bench, make matrix-peers
set -euo pipefail

if [ ! -e /etc/debian_version ]; then
	echo "setup: this is not Debian: install by hand what the list in $0 says" >&2
	exit 0
fi

packages=(
	# the module, and the kernels that are built
	build-essential flex bison bc libelf-dev libssl-dev xz-utils zstd rsync
	kmod cpio pkg-config python3 python3-yaml python3-jsonschema
	# userspace
	libnl-3-dev libnl-genl-3-dev libsodium-dev libcbor-dev libuv1-dev
	libjansson-dev libcurl4-openssl-dev libcmocka-dev
	# VMs
	qemu-system-x86 busybox-static util-linux procps
	# what the tests and the demo use
	iproute2 nftables iperf3 wireguard-tools iputils-ping socat
	ethtool tcpdump curl openssl strace
	# make check
	sparse shellcheck codespell cppcheck perl
)
# only for some tests, which are skipped without it
optional=(python3-dissononce conntrack mitmproxy)
# Boxes of the matrix of networks, which come with services. Not where those would
# begin to run: let whoever has the machine decide that.
services=(squid dante-server nginx-light tayga)
if [ "${1:-}" = peers ]; then
	packages+=(libnice-dev)
	services+=(coturn)
fi
[ -d /run/systemd/system ] || optional+=("${services[@]}")

as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo > /dev/null || {
		echo "setup: neither root nor sudo here" >&2
		exit 1
	}
	as_root=(sudo)
fi

apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
		-o Dpkg::Options::=--force-confold "$@"
}

# quietly STEP COMMAND... - a line for the step; what it says only if it fails
quietly() {
	local step=$1 log

	shift
	log=$(mktemp)
	echo "setup: $step ..."
	if ! "$@" > "$log" 2>&1; then
		tail -n 30 "$log"
		rm -f "$log"
		echo "setup: $step: failed" >&2
		return 1
	fi
	rm -f "$log"
}

# add_packages PACKAGE... - whose services do not begin to run: a policy says so meanwhile
add_packages() {
	local policy=/usr/sbin/policy-rc.d

	if [ ! -e $policy ]; then
		trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
		printf '%s\n' '#!/bin/sh' 'exit 101' |
			"${as_root[@]}" install -m 755 /dev/stdin $policy
	fi
	apt install --no-install-recommends "$@"
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for package in "${packages[@]}"; do
	installed "$package" || missing+=("$package")
done
wanted=()
for package in "${optional[@]}"; do
	installed "$package" || wanted+=("$package")
done

# The lists are also what kernel.sh chooses kernels by
if [ ${#missing[@]} -gt 0 ] || [ -z "$(apt-cache pkgnames linux-image-6.12.)" ]; then
	quietly "reading the lists of packages" apt update
fi
# `apt-cache show` succeeds for a name that is only another package's dependency
for package in "${wanted[@]}"; do
	[ -z "$(apt-cache madison "$package")" ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
	quietly "installing ${missing[*]}" add_packages "${missing[@]}"
fi
