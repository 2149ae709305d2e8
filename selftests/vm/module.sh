#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# module.sh KERNEL [make arguments] - build laya.ko for a kernel of kernel.sh, in
# a copy of the sources under build/module-KERNEL, and lay out a /lib/modules for
# it in build/modules-KERNEL/lib/modules/RELEASE.
#
# LAYA_MODULE_DIR=DIR builds in DIR instead, and lays out nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
kernel=$1
shift
RELEASE='' KDIR='' MODULES=''
eval "$("$here/kernel.sh" "$kernel")"

build=${LAYA_MODULE_DIR:-$repo/build/module-$kernel}
mkdir -p "$build"
exec 8> "$build.lock"
flock 8

# --delete removes sources that are gone, and only sources: what is excluded is
# also kept at the destination. Times are not copied: a source that was edited while
# an older copy of it was being compiled would look older than that object.
rsync -rlp --checksum --delete --exclude='*.o' --exclude='.*' --exclude='*.ko' \
	--exclude='*.mod' --exclude='*.mod.c' --exclude='*.mod.o' \
	--exclude='/modules.order' --exclude='/Module.symvers' \
	"$repo/Kbuild" "$repo/kernel" "$repo/include" "$build/"

arch=()
[ "$kernel" = uml ] && arch=(ARCH=um)
# Debian's headers have what type information (BTF) is made from, and would want
# pahole for it
make --no-print-directory CONFIG_DEBUG_INFO_BTF_MODULES= -C "$KDIR" "${arch[@]}" M="$build" \
	-j"$(nproc)" modules "$@" >&2

[ -z "${LAYA_MODULE_DIR:-}" ] || exit 0

# depmod takes seconds; it is needed only when what it reads has changed
dir=$repo/build/modules-$kernel/lib/modules/$RELEASE
module=$build/laya.ko
facts=$({ echo "$MODULES"; modinfo -F alias -F depends "$module"
	modinfo -F depends "$module"; } | sort)
if [ ! -e "$dir/modules.dep" ] || [ "$facts" != "$(cat "$dir/../facts" 2>/dev/null)" ]; then
	rm -rf "${dir:?}"
	mkdir -p "$dir/updates"
	[ -d "$MODULES/kernel" ] && ln -s "$MODULES/kernel" "$dir/kernel"
	cp "$MODULES"/modules.order "$MODULES"/modules.builtin* "$dir/" 2>/dev/null || :
	cp "$module" "$dir/updates/laya.ko"
	depmod -b "$repo/build/modules-$kernel" "$RELEASE"
	echo "$facts" > "$dir/../facts"
else
	# A running VM may be reading the old one
	cp "$module" "$dir/updates/.laya.ko"
	mv "$dir/updates/.laya.ko" "$dir/updates/laya.ko"
fi
