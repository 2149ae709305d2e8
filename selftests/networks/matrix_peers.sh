#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make matrix-peers`: peers.sh in a VM, in virtual time; a table of what came of it, and
# of all networks that goes into Documentation/matrix.rst and matrix-peers.svg, too. All
# that was said is in build/matrix-peers/log.
#
#   matrix_peers.sh [words for peers.sh]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

command -v turnserver > /dev/null || {
	echo "matrix_peers.sh: turnserver is not there; install coturn" >&2
	exit 1
}
export OUT=$root/build/matrix-peers
mkdir -p "$OUT"
rm -f "$OUT"/*.json
"$root/selftests/vm.sh" -q -v -k uml -m 2048 -t 14400 -- \
	selftests/networks/peers.sh -o "$OUT" "$@" > "$OUT/log"
status=$?
grep -v '^ok ' "$OUT/log"
[ -e "$OUT/laya.json" ] || exit 1
# Part of it is nothing to publish
publish=()
[ $# -gt 0 ] || publish=("$root/Documentation")
/usr/bin/python3 "$here/draw_peers.py" "$OUT" "$(pkg-config --modversion nice)" \
	"$(turnserver --version | tail -n 1)" \
	"${publish[@]}"
exit $status
