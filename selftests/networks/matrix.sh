#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make matrix`: run.sh in a VM, all pairs, and what came of it as a table, JSON
# (build/matrix/matrix.json) and Documentation/matrix.rst and .svg. What is not "ok"
# is shown; all that was said is in build/matrix/log.
#
#   matrix.sh [-k KERNEL] [options and words for run.sh]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
kernel=uml
if [ "${1:-}" = -k ]; then
	kernel=$2
	shift 2
fi

export OUT=$root/build/matrix
mkdir -p "$OUT"
rm -f "$OUT"/matrix.*
virtual=()
[ "$kernel" != uml ] || virtual=(-v)
"$root/selftests/vm.sh" -q "${virtual[@]}" -k "$kernel" -m 2048 -t 7200 -- \
	selftests/networks/run.sh -o "$OUT/matrix.json" "$@" > "$OUT/log"
status=$?
grep -v '^ok ' "$OUT/log"
[ -e "$OUT/matrix.json" ] || {
	echo "0 passed, 1 failed"
	exit 1
}
# Part of it is nothing to publish
publish=()
[ $# -gt 0 ] || publish=("$root/Documentation")
/usr/bin/python3 "$here/draw.py" "$OUT/matrix.json" "${publish[@]}"
exit $status
