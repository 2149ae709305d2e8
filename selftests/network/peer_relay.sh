#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A friend's machine that can be reached forwards for its peers, and for nobody
# else. There is no public relay.
#
#        rv    f (Forward = peers)
#          \   |
#           - net ------- s      a stranger
#          /        \
#       nat-a      nat-b     symmetric
#         |          |
#         a          b       ProbeMapped = no
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 10

topology_internet
topology_public rv
topology_public f
topology_public s
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b

# node_relay NODE RELAY - the relay, whom no rendezvous tells about
node_relay() {
	printf '\n[Relay]\nPublicKey = %s\nAddress = %s\n' "$(key "$2")" \
		"${topology_address[$2]}:5292" >> "${topology_config[$1]}"
}

rendezvous_start rv
node_config f "Forward = peers"
node_rendezvous f rv
node_peer f a b
for node in a b s; do
	node_config $node "ProbeMapped = no"
	node_rendezvous $node rv
	node_relay $node f
done
node_peer a b f
node_peer b a f
node_peer s a
ktap_check "the nodes run" eval \
	"node_start f && node_start a && node_start b && node_start s"

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_equal "a reaches b over their peer" peer-relay "$(path a b kind)"
ktap_equal "b reaches a over their peer" peer-relay "$(path b a kind)"
ktap_equal "which is f" "${topology_address[f]}:5292" "$(path a b remote)"
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7002
ktap_check "a stream of 1 MiB from a to f itself" talk_stream a f 7003 1
ktap_equal "directly" direct "$(path a f kind)"
ktap_check "a stranger is not attached" \
	wait_for 'grep -q "a stranger wants to attach" "$topology_dir/f.log"'

[ "$ktap_failures" = 0 ] || logs 100
ktap_done
