#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initramfs.sh MODULES OUTPUT - the initramfs of a QEMU kernel: busybox, and of
# the kernel's modules those that are needed to reach the host's root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=$1 output=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

mkdir -p "$tmp"/{bin,dev,proc,root,modules}
cp "$(command -v busybox)" "$tmp/bin/busybox"
ln -s busybox "$tmp/bin/sh"
cp "$here/initramfs-init" "$tmp/init"
chmod +x "$tmp/init"

# --show-depends prints the files in the order in which to load them; what is
# built in prints "builtin NAME"
release=${modules##*/}
base=${modules%/lib/modules/*}
for name in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
	modprobe -d "$base" -S "$release" --show-depends "$name" 2>/dev/null |
		sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | awk '!seen[$0]++' | while read -r file; do
	cp "$file" "$tmp/modules/"
	echo "${file##*/}" >> "$tmp/modules/order"
done

(cd "$tmp" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 > "$output.new"
mv "$output.new" "$output"
