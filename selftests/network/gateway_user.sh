#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# A relay that is no node, laya-rendezvous --relay, finds out for hosts whether their
# gateway is reached from outside.
#
#       r1 (rendezvous and relay, one unprivileged program)
#         \
#          -- net --
#         /         \
#      nat-a       nat-b     symmetric; Laya on nat-a, closed at first
#        |           |
#        a           b       ProbeMapped = no
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 9

topology_internet
topology_public r1
topology_far r1
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
topology_gateway nat-a
rendezvous_start r1 --relay
for node in a b; do
	node_config $node "ProbeMapped = no"
	node_rendezvous $node r1
done
node_peer a b
node_peer b a

# dialled - how many packets of the relay's the gateway's firewall has dropped
at nat-a nft -f - <<-'NFT'
	table inet closed {
		counter dialled { }
		chain in {
			type filter hook input priority filter - 1
			iifname eth0 udp dport 5292 counter name dialled drop
		}
	}
NFT
dialled() {
	at nat-a nft -j list counter inet closed dialled |
		sed 's/.*"packets": *\([0-9]*\).*/\1/'
}
reached() {
	grep -q "reached from outside at ${topology_address[nat-a]}:5292" \
		"$topology_dir/a.log"
}

ktap_check "the nodes run" eval 'node_start nat-a && node_start b && node_start a'
ktap_check "the relay dials the gateway for a" wait_for '[ "$(dialled)" -ge 3 ]' 60
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7000 1
ktap_equal "by the relay" relay "$(path b a kind)"
ktap_refuse "the gateway has not been reached" reached
ktap_check "nor was it dialled more than three times for each time that a asked" \
	eval '[ "$(dialled)" -le $((3 * $(grep -c "telling it 1 cand" "$topology_dir/a.log"))) ]'
at nat-a nft delete table inet closed
ktap_check "it opens, and is reached" wait_for reached 150
ktap_check "b goes by the gateway" wait_for '[ "$(path b a kind)" = gateway ]' 30
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7001 1

[ "$ktap_failures" = 0 ] || logs 80
ktap_done
