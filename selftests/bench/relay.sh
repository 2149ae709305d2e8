#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Instructions to relay a packet of 1200 bytes: laya.ko, laya-rendezvous --relay and
# coturn, in one boot of the stock kernel, in instruction-counted time. Prints a
# table; writes build/bench/relay.json.
#
#   relay.sh [-r REPETITIONS] [-p PACKETS]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
repeat=3 packets=4000
while getopts r:p: option; do
	case $option in
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
exec /usr/bin/python3 - "$OUT/relay.json" <<'PYTHON'
import json, sys

with open(sys.argv[1], encoding="ascii") as file:
    result = json.load(file)

# What else the machine does only adds
least = min

print(f"Instructions for each packet of {result['size']} bytes, kernel "
      f"{result['kernel']}; a run is {result['run']} packets.\n"
      "added: all that is executed, less what the same takes without a relay.")
for way, row in result["rows"].items():
    base = least([v[0] for v in row["no relay"]])
    coturn = least([v[0] for v in row["coturn"]]) - base
    process = least([v[1] for v in row["coturn"]])
    print(f"\n{way} (without a relay {base:.0f})")
    for name in "laya.ko", "--relay", "coturn":
        added = sorted(v[0] - base for v in row[name])
        own = least([v[1] for v in row[name]])
        line = f"  {name:8} added {added[0]:7.0f} (to {added[-1]:.0f})"
        # Packets that leave as a run cost the receiver less than as they came
        line += f", {coturn / added[0]:5.1f} x coturn" if added[0] > 0 else ""
        if name != "laya.ko":
            line += f"; its process {own:7.0f}, {process / own:5.1f} x"
        print(line)
PYTHON
