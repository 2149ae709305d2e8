#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Load the module with its KUnit suites on, in a VM whose kernel has KUnit, and
# print each case as a KTAP result.
#
#   kunit.sh [-k uml|debug] [-n]      -n: do not build the module
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kernel=uml
build=()
while getopts k:n option; do
	case $option in
	k) kernel=$OPTARG ;;
	n) build=(-n) ;;
	*) exit 2 ;;
	esac
done

# shellcheck disable=SC2016 # expands in the VM
exec "$here/vm.sh" -k "$kernel" -K "${build[@]}" -- bash -c '
modprobe laya || { echo "not ok 1 modprobe laya"; exit 1; }
cd /sys/kernel/debug/kunit || exit
cat */results > /tmp/results 2>/dev/null || {
	echo "1..0 # SKIP the module has no suites"
	exit 0
}
# Cases stand four columns in, below a "# Subtest" that names the suite; the
# results of parameters stand deeper and belong to their case.
awk "
/^    # Subtest: / { suite = \$3; next }
/^    (not )?ok [0-9]/ {
	bad = \$1 == \"not\"
	sub(/^ *(not )?ok [0-9]+ (- )?/, \"\")
	number++
	if (bad)
		printf \"%s\", held
	printf \"%s %d %s.%s\\n\", bad ? \"not ok\" : \"ok\", number, suite, \$0
	failures += bad
	held = \"\"
	next
}
/^ / { held = held \"# \" \$0 \"\\n\" }
END { printf \"1..%d\\n\", number; exit failures != 0 || number == 0 }
" /tmp/results
'
