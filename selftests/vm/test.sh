#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The runner itself: a test that cannot fail is worth nothing.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
vm=$here/../vm.sh
kernel=${LAYA_TEST_KERNEL:-uml}
# shellcheck source=/dev/null
. "$here/../ktap.sh"
OUT=$(mktemp -d)
export OUT
trap 'rm -rf "$OUT"' EXIT

# status WANTED vm.sh's arguments...
status() {
	local wanted=$1 found

	shift
	"$vm" -n -q -k "$kernel" "$@"
	found=$?
	[ $found = "$wanted" ] || {
		echo "exit status $found and not $wanted"
		return 1
	}
}

ktap_plan 7
# shellcheck disable=SC2016 # expands in the VM
ktap_check "the command's exit status comes back" status 7 -- \
	sh -c 'echo "$(id -u) $PWD" > "$OUT/where"; touch /tmp/x /run/x /etc/laya/x; exit 7'
ktap_equal "as root, in the repository, with \$OUT" \
	"0 $(cd "$here/../.." && pwd)" "$(cat "$OUT/where" 2>/dev/null)"
ktap_check "the host's root is read-only" status 1 -- touch "$here/x"
ktap_equal "output comes back whole" "$(seq 100000 | sha256sum)" \
	"$("$vm" -n -q -k "$kernel" -- seq 100000 | sha256sum)"
ktap_check "what the kernel complains of fails a command that succeeds" \
	status 99 -- sh -c 'echo "BUG: planted by the test of vm.sh" > /dev/kmsg'
ktap_check "a kernel that panics is not a success" \
	status 125 -- sh -c 'echo c > /proc/sysrq-trigger; sleep 10'
ktap_check "a command that never ends is killed" status 124 -t 8 -- sleep 1000
ktap_done
