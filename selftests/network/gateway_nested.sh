#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A home router and the CGNAT above it, both with Laya: packets carry two labels.
# Then only one of them has it; at last neither is reached from outside, and the
# home router takes them from a relay.
#
#        rv    r1
#          \   |
#           - net --
#          /        \
#        cgn       nat-b     all of them symmetric
#         |          |
#        home        b       ProbeMapped = no
#         |
#         a
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 19

topology_internet
topology_public rv
topology_public r1
topology_far r1
topology_nat cgn
topology_nat nat-b
topology_behind home cgn
router_symmetric home
topology_behind a home
topology_behind b nat-b

rendezvous_start rv
node_config r1 "Forward = public"
node_rendezvous r1 rv
topology_gateway cgn
topology_gateway home
node_rendezvous home rv
node_config a "ProbeMapped = no"
node_rendezvous a rv
node_peer a b
node_config b "ProbeMapped = no"
node_rendezvous b rv
node_peer b a

# labels NODE PEER - how many the path in use has, and to where it goes
labels() {
	path "$1" "$2" labels
}
# relayed_home - how many labels the relay gave to the home router
relayed_home() {
	at r1 layactl show -j | python3 -c '
import json, sys
print(sum(label["public-key"] == sys.argv[1]
    for device in json.load(sys.stdin) for label in device["labels"]))' "$(key home)"
}
by_gateway='[ "$(path a b kind)" = gateway ] && [ "$(path b a kind)" = gateway ]'

ktap_check "the nodes run" eval "node_start r1 && node_start cgn &&
	node_start home && node_start a && node_start b"
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "they reach each other by gateways" wait_for "$by_gateway" 30
ktap_equal "b's packets have two labels" 2 "$(labels b a)"
ktap_equal "as have a's" 2 "$(labels a b)"
ktap_equal "b dials the CGNAT" "${topology_address[cgn]}:5292" "$(path b a remote)"
ktap_check "a stream of 4 MiB from a to b" talk_stream a b 7001 4
ktap_check "a stream of 4 MiB from b to a" talk_stream b a 7002 4
ktap_check "datagrams both ways" talk_datagrams a b 7003

# The CGNAT alone: a finds it by the anycast address, beyond its own router
node_kill home TERM
ip -n home link delete laya0
ktap_check "Laya on the CGNAT alone: still by a gateway, with one label" wait_for \
	"$by_gateway"' && [ "$(labels b a)" = 1 ]' 60
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7004 1

# The home router alone, which nobody reaches from outside: but it reaches relays,
# and a does not
node_kill cgn TERM
ip -n cgn link delete laya0
ktap_check "the CGNAT has none, the home router has" node_start home
at home nft insert rule ip nat through meta l4proto '{ tcp, udp }' th dport 5292 drop
ktap_check "a restarts, and reaches no relay" eval "node_kill a && node_start a"
ktap_check "the home router takes a label of the relay for a" wait_for \
	'[ "$(relayed_home)" -ge 1 ]' 30
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7005 1
ktap_equal "by the relay" relay "$(path b a kind)"
ktap_equal "and the home router: two labels" 2 "$(labels b a)"
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7006 1
ktap_check "datagrams both ways" talk_datagrams b a 7007

[ "$ktap_failures" = 0 ] || logs 100
ktap_done
