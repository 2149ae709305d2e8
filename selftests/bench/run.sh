#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Plain, WireGuard and Laya, side by side in one boot of the stock kernel, in
# instruction-counted time. Prints a table; writes build/bench/bench.json and,
# with -d, Documentation/benchmarks.rst and .svg.
#
#   run.sh [-d] [-r REPETITIONS] [-o REGEX_OF_ROWS]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
draw='' repeat=3 only=''
while getopts dr:o: option; do
	case $option in
	d) draw=1 ;;
	r) repeat=$OPTARG ;;
	o) only=$OPTARG ;;
	*) exit 2 ;;
	esac
done

export OUT=$root/build/bench
mkdir -p "$OUT"
"$root/selftests/vm.sh" -k 6.12 -i -t 3000 -- \
	sh -c "selftests/bench/inside.py --repeat $repeat --only '$only' > \$OUT/bench.json"
exec /usr/bin/python3 "$here/draw.py" "$OUT/bench.json" ${draw:+"$root/Documentation"}
