#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# Both behind one CGNAT that does not hairpin: what they see of each other is the
# same public address, which leads nowhere from inside.
#
#           rv    r1
#             \   /
#              net
#               |
#              cgn      symmetric, no hairpin
#             /   \
#         nat-a   nat-b   symmetric
#           |       |
#           a       b     ProbeMapped = no, then yes
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 8

topology_servers
topology_nat cgn
topology_behind nat-a cgn 100.64.0
topology_behind nat-b cgn
router_symmetric nat-a
router_symmetric nat-b
topology_behind a nat-a
topology_behind b nat-b
for mapped in no yes; do
	node_pair a b
	sed -i "s/^ProbeMapped.*/ProbeMapped = $mapped/" "${topology_config[a]}" \
		"${topology_config[b]}"
	ktap_check "the nodes run, ProbeMapped = $mapped" \
		eval "node_start a && node_start b"
	ktap_check "a stream of 1 MiB" talk_stream a b 7000 1
	ktap_equal "by a relay" relay "$(path a b kind)"
	ktap_check "datagrams both ways" talk_datagrams b a 7002
	for node in a b; do
		node_kill $node TERM
		ip -n $node link delete laya0
	done
done

[ "$ktap_failures" = 0 ] || logs
ktap_done
