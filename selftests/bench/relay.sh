#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Instructions to relay a packet of 1200 bytes: laya.ko, laya-rendezvous --relay and
# coturn, in one boot of the stock kernel, in instruction-counted time. Prints a
# table; writes build/bench/relay.json and, with -d, Documentation/benchmarks.rst.
#
#   relay.sh [-d] [-r REPETITIONS] [-p PACKETS]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
draw='' repeat=3 packets=4000
while getopts dr:p: option; do
	case $option in
	d) draw=1 ;;
	r) repeat=$OPTARG ;;
	p) packets=$OPTARG ;;
	*) exit 2 ;;
	esac
done
command -v turnserver > /dev/null || {
	echo "relay.sh: turnserver is not there; install coturn" >&2
	exit 1
}

export OUT=$root/build/bench
mkdir -p "$OUT"
"$root/selftests/vm.sh" -k 6.12 -i -t 3000 -- \
	sh -c "selftests/bench/relay.py --repeat $repeat --packets $packets > \$OUT/relay.json"
exec /usr/bin/python3 "$here/draw_relay.py" "$OUT" ${draw:+"$root/Documentation"}
