#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# relay.sh with relays that are no nodes: laya-rendezvous --relay, without layad
# and without the module. Two of them, of which the one in use is killed.
#
#     r1, r2 (rendezvous and relay, one unprivileged program each)
#              \           /
#               -- net ----
#              /           \
#          nat-a           nat-b     symmetric, inbound dropped and counted
#            |               |
#            a               b       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

# forwarder NODE PEER - address of the relay that the path in use goes through
forwarder() {
	path "$1" "$2" remote | sed 's/:[0-9]*$//'
}

# relay_in_use - r1 or r2: the one through which a sends to b
relay_in_use() {
	local node

	for node in r1 r2; do
		[ "$(forwarder a b)" = "${topology_address[$node]}" ] && echo $node
	done
}

attached() { # NODE N - to so many forwarders
	[ "$(grep -c 'attached to the forwarder' "$topology_dir/$1.log")" -ge "$2" ]
}

ktap_plan 15

topology_internet
topology_public r1
topology_public r2
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b

rendezvous_start r1 --relay
rendezvous_start r2 --relay
node_config a "ProbeMapped = no"
node_rendezvous a r1 r2
node_peer a b
node_config b "ProbeMapped = no"
node_rendezvous b r1 r2
node_peer b a
ktap_check "a runs" node_start a
ktap_check "b runs" node_start b
ktap_equal "nothing of Laya's kernel is at the relays" "" \
	"$(at r1 ip -o link show type laya; at r2 ip -o link show type laya)"

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_equal "a reaches b by a relay" relay "$(path a b kind)"
ktap_equal "over UDP" udp "$(path a b carrier)"
ktap_equal "b reaches a by a relay" relay "$(path b a kind)"
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7002
ktap_check "an unmodified program: ping over laya0" \
	at a ping -c 3 -i 0.2 -W 10 "$(at a layactl addr b)"

[ "$ktap_failures" = 0 ] || logs
ktap_done
