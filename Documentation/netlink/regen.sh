#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Generate the uapi header and the kernel's netlink policies from the YAML
# spec, with the generator of the kernel source.
#
#   regen.sh KERNEL_SOURCE [OUTPUT_ROOT]
#
# OUTPUT_ROOT is the project's root unless given; `make check` gives a scratch
# folder and compares, so that what is committed cannot drift from the spec.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] || { echo "usage: $0 KERNEL_SOURCE [OUTPUT_ROOT]" >&2; exit 2; }
ksrc=$1
out=${2:-$root}
gen=$ksrc/tools/net/ynl/ynl-gen-c.py
[ -f "$gen" ] || { echo "$0: $gen: not there; is $1 the source of Linux 6.12?" >&2; exit 1; }

# The generator looks for the schema in the folder above the spec's, and climbs
# to a folder with MAINTAINERS to name the spec's path in what it generates.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/Documentation/netlink/specs"
cp "$ksrc/Documentation/netlink/genetlink-legacy.yaml" "$tmp/Documentation/netlink/"
cp "$here/specs/laya.yaml" "$tmp/Documentation/netlink/specs/"
mkdir -p "$out/include/uapi/linux" "$out/kernel"
: > "$tmp/MAINTAINERS"

run() {
	/usr/bin/python3 "$gen" \
		--spec "$tmp/Documentation/netlink/specs/laya.yaml" "$@"
}
run --mode uapi --header -o "$out/include/uapi/linux/laya_netlink.h"
run --mode kernel --header -o "$out/kernel/netlink_gen.h"
run --mode kernel --source -o "$out/kernel/netlink_gen.c"

# struct genl_ops has one policy for do and dump; where an operation has both, the
# generator writes two, and names in the table of operations one that is neither.
sed -i 's/_do_nl_policy\[/_nl_policy[/' \
	"$out/kernel/netlink_gen.h" "$out/kernel/netlink_gen.c"
sed -i -e '/^\/\* LAYA_CMD_.* - dump \*\/$/d' \
	-e '/_dump_nl_policy\[/,/^$/d' "$out/kernel/netlink_gen.c"

# Linux 6.1 points at ranges that it does not promise to leave alone.
sed -i 's/^static const struct netlink_range_validation/static struct netlink_range_validation/' \
	"$out/kernel/netlink_gen.c"

# The groups are in netlink.c, with a flag that the generator does not know.
sed -i '/struct genl_multicast_group .*_mcgrps\[/,/^};$/d' "$out/kernel/netlink_gen.c"
sed -i -e '${/^$/d}' -e '/./b' -e '$!N' -e '/^\n$/D' "$out/kernel/netlink_gen.c"
