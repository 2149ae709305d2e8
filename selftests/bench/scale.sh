#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What ten thousand attached hosts cost a forwarder, and what attackers do: laya.ko and
# laya-rendezvous --relay, in the stock kernel, in instruction-counted time. Prints
# tables; writes build/bench/scale.json and floods.json and, with -d,
# Documentation/benchmarks.rst.
#
#   scale.sh [-d] [-r REPETITIONS] [-n HOSTS]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
draw='' repeat=3 hosts=10000
while getopts dr:n: option; do
	case $option in
	d) draw=1 ;;
	r) repeat=$OPTARG ;;
	n) hosts=$OPTARG ;;
	*) exit 2 ;;
	esac
done

export OUT=$root/build/bench
mkdir -p "$OUT"
"$root/selftests/vm.sh" -k 6.12 -i -t 3600 -- \
	sh -c "selftests/bench/floods.py --repeat $repeat > \$OUT/floods.json"
"$root/selftests/vm.sh" -k 6.12 -i -m 2048 -t 14400 -- \
	sh -c "selftests/bench/scale.py --repeat $repeat --hosts $hosts > \$OUT/scale.json"
exec /usr/bin/python3 "$here/draw_relay.py" "$OUT" ${draw:+"$root/Documentation"}
