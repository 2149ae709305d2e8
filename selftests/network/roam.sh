#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# A host changes its network under a running stream, which goes on: to another NAT,
# to a network of IPv6 alone, and both hosts at once.
#
#           rv    r1
#             \   /
#     nat-1 -- net -- nat-2 (IPv4)
#            / | \
#        nat-b |  fw-3 (IPv6)
#          |   |
#          b   fw-4 (IPv6)
#
#     a is moved from nat-1 to nat-2, to fw-3, and back when b moves to fw-4
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 12

topology_servers
talk_pace r1
topology_nat nat-1
topology_nat nat-2
topology_nat nat-b
topology_public fw-3 6
topology_public fw-4 6
topology_behind a nat-1
topology_behind b nat-b
router_firewall fw-3
router_firewall fw-4
# Each network's first guest makes its switch and its prefix
topology_behind guest-2 nat-2
topology_routed guest-3 fw-3 6
topology_routed guest-4 fw-4 6
node_pair a b
ktap_check "the nodes run" eval "node_start a && node_start b"

# move NODE ROUTER ADDRESS/PREFIX GATEWAY - the wire goes to another switch
move() {
	local node=$1 router=$2 port=moved$((++topology_ports))

	ip -n "$node" link delete eth0
	ip link add "$port" netns "$router" type veth peer name eth0 netns "$node"
	ip -n "$router" link set "$port" master lan up
	ip -n "$node" address add "$3" dev eth0
	ip -n "$node" link set eth0 up
	ip -n "$node" route add default via "$4"
}

inside2=${topology_address[guest-2]%.*}
inside3=${topology_address6[guest-3]%2}
inside4=${topology_address6[guest-4]%2}
inside1=${topology_address[a]%.*}

ktap_check "a stream of 16 MiB from a to b runs" \
	eval "talk_flow a b 7000 16 && talk_flow_at 2"
move a nat-2 "$inside2.9/24" "$inside2.1"
ktap_check "a moved to another NAT before its end" talk_flow_runs
ktap_check "it arrives whole" talk_flow_whole

ktap_check "a stream of 16 MiB from b to a runs" \
	eval "talk_flow b a 7001 16 && talk_flow_at 2"
move a fw-3 "${inside3}9/64" "${inside3}1"
ktap_check "a moved to a network of IPv6 before its end" talk_flow_runs
ktap_check "it arrives whole" talk_flow_whole
ktap_check "datagrams both ways" talk_datagrams a b 7002

ktap_check "a stream of 16 MiB from a to b runs" \
	eval "talk_flow a b 7003 16 && talk_flow_at 2"
move a nat-1 "$inside1.9/24" "$inside1.1"
move b fw-4 "${inside4}9/64" "${inside4}1"
ktap_check "both moved before its end" talk_flow_runs
ktap_check "it arrives whole" talk_flow_whole
ktap_check "datagrams both ways" talk_datagrams b a 7004

[ "$ktap_failures" = 0 ] || logs 80
ktap_done
