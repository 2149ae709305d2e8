#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A stream over a relay to which both legs are TCP, or TLS, against plain TCP over the
# slower leg, in one boot of the stock kernel, in instruction-counted time: over links
# with a rate and a delay, and over ones without, where all that counts is what the
# three machines, which share one CPU, compute. Prints a table; writes
# build/bench/legs.json.
#
#   legs.sh [-k KERNEL] [options of legs.py]
#
# KERNEL uml is virtual time: then computing takes no time at all.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
kernel=6.12 time=(-i)
if [ "${1:-}" = -k ]; then
	kernel=$2
	[ "$kernel" != uml ] || time=(-v)
	shift 2
fi

export OUT=$root/build/bench
mkdir -p "$OUT"
# shellcheck disable=SC2016 # expands in the VM
"$root/selftests/vm.sh" -k "$kernel" "${time[@]}" -m 1024 -t 7200 -- \
	sh -c 'selftests/bench/legs.py "$@" > $OUT/legs.json' legs "$@"
exec /usr/bin/python3 - "$OUT/legs.json" <<'PYTHON'
import json, statistics, sys

with open(sys.argv[1], encoding="ascii") as file:
    result = json.load(file)
print(f"A stream by a relay, in Mbit/s and against the slower leg; kernel "
      f"{result['kernel']}")
for link, row in result["rows"].items():
    medians = {kind: statistics.median(values) for kind, values in row.items()}
    slower = min(medians["leg of a"], medians["leg of b"])
    print(f"\n{link}: plain TCP {medians['leg of a']:.1f} to the relay, "
          f"{medians['leg of b']:.1f} from it")
    for kind, values in row.items():
        if not kind.startswith("leg"):
            ratios = sorted(value / slower for value in values)
            print(f"  {kind:14} {medians[kind]:8.1f}  "
                  f"{statistics.median(ratios):.2f} x "
                  f"({ratios[0]:.2f} to {ratios[-1]:.2f})")
PYTHON
