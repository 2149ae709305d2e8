#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The matrix: a host in each of the networks NN-*.sh, all up at once in one machine,
# and every host connected with every other. In a VM (selftests/vm.sh); `make matrix`
# does that.
#
#   run.sh [-r] [-m off|on] [-o FILE] [WORD...]
#
#     -r       a ring: each host with the next one only, that is two for each
#     -m MODE  only with ProbeMapped off, or on
#     -o FILE  JSON of what was seen
#     WORD     only conditions whose name has one of the words
#
# The networks are built by networks.sh. A condition is a file that sets
#
#   title      for people
#   families   the address families that it gives: "4", "6", "4 6"
#   open       those in which anybody may send to the host's own address
#   mapping    "one" port for all destinations, or "each" its own (routers.sh)
#   filter     who is let in: "anybody", "address", "port"
#   udp        "any" unless set; empty where none passes; the only port; "few" flows
#   carrier    what its packets must go by, where there is only one way
#   bulk       bytes of its streams, where it takes many to see the condition
#   lines      what its configuration has in [Node] besides
#   names      "yes" where servers must be dialled by name: rv.example.org, and
#              r2.example.org as r2 tells; their certificate is of the CA of the test
#   needs      what Laya must have to cross it; left out until it has
#
# and has a function build HOST, which makes the node HOST behind the node "net", of
# topology.sh and routers.sh. To have your office's network in the matrix, add a file.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/networks.sh"

ring='' modes="off on" output=$topology_dir/cells.json
while getopts rm:o: option; do
	case $option in
	r) ring=1 ;;
	m) modes=$OPTARG ;;
	o) output=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
rm -f "$output"

networks_build "$@"
count=${#hosts[@]}
pairs=$((ring ? count : count * (count - 1) / 2))
ktap_plan $((pairs * $(wc -w <<< "$modes")))
for line in "${later[@]}"; do
	ktap_note "not yet: ${line//$'\t'/, }"
done
networks_servers

status=0
number=0
for mode in $modes; do
	mapped=no option=()
	[ "$mode" = off ] || mapped=yes option=(--mapped)
	networks_start $mapped
	# Of hours of it nothing is lost when it is killed; that alone is a failure
	for _ in 1 2 3; do
		"$here/pairs.py" ${ring:+--ring} "${option[@]}" --number $number \
			--timeout $((30 * ktap_slow)) "$topology_dir" "$output"
		ended=$?
		[ $ended = 0 ] || status=1
		[ $ended -ge 128 ] || break
		ktap_note "pairs.py was killed ($ended), and goes on"
	done
	number=$((number + pairs))
	networks_stop
done
if [ "$output" != "$topology_dir/cells.json" ]; then
	cp "$topology_dir/hosts" "${output%.json}.hosts"
	cp "$topology_dir/later" "${output%.json}.later"
fi
exit $status
