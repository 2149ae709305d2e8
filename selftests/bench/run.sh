#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Plain, WireGuard and Laya, side by side in one boot of the stock kernel, in
# instruction-counted time. Prints a table; writes build/bench/bench.json and,
# with -d, Documentation/benchmarks.rst and .svg.
#
#   run.sh [-d] [-p] [-r REPETITIONS] [-o REGEX_OF_ROWS] [-k KINDS]
#   run.sh -m
#
# With -p, the instructions that each function took go to build/bench/profile/
# (and cost time). KINDS are those to measure, as plain,laya; no table is drawn
# then. With -m it is only said what the kernel takes for a peer, in bytes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
draw='' repeat=3 only='' profile='' kinds='' memory=''
while getopts dmpr:o:k: option; do
	case $option in
	d) draw=1 ;;
	r) repeat=$OPTARG ;;
	p) profile=1 ;;
	o) only=$OPTARG ;;
	k) kinds=$OPTARG ;;
	m) memory=1 ;;
	*) exit 2 ;;
	esac
done

export OUT=$root/build/bench
mkdir -p "$OUT"
if [ -n "$memory" ]; then
	exec "$root/selftests/vm.sh" -k 6.12 -i -m 2048 -t 14400 -- \
		selftests/bench/inside.py --memory
fi
more=()
if [ -n "$profile" ]; then
	rm -rf "$OUT/profile"
	mkdir "$OUT/profile"
	gcc -O2 -Wall -Wextra -shared -fPIC -fvisibility=hidden \
		-o "$OUT/profile.so" "$here/profile.c" -lpthread
	export LAYA_VM_QEMU="-plugin $OUT/profile.so,dir=$OUT/profile"
	more+=(--profile "\$OUT/profile")
fi
[ -z "$kinds" ] || more+=(--kinds "$kinds")
"$root/selftests/vm.sh" -k 6.12 -i -m 2048 -t 14400 -- \
	sh -c "selftests/bench/inside.py --repeat $repeat --only '$only' ${more[*]} > \$OUT/bench.json"
if [ -n "$profile" ]; then
	"$here/profile.py" "$OUT"/profile/kallsyms "$OUT"/profile/*.profile \
		> "$OUT/profile.txt"
fi
[ -z "$kinds" ] || exit 0
exec /usr/bin/python3 "$here/draw.py" "$OUT/bench.json" ${draw:+"$root/Documentation"}
