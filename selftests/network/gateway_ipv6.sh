#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# A gateway where there is no IPv4: what hosts know of their router is a link-local
# address, and there they find it. The anycast addresses lead nowhere here.
#
#        rv    r1
#          \   |
#           - net --
#          /        \
#        fw-a      fw-b      stateful, no NAT; Laya on fw-a
#         |          |
#         a          b       IPv6 alone; ProbeMapped = no
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 7

topology_servers r1
topology_far r1
for side in a b; do
	topology_public fw-$side 6
	topology_routed $side fw-$side 6
	router_firewall fw-$side
done
node_config fw-a "Gateway = yes"
node_rendezvous fw-a rv
node_pair a b
ip -n fw-a address add fe80::1/64 dev lan nodad
ip -6 -n a route replace default via fe80::1 dev eth0
ip -6 -n a route add unreachable 2001:1::2

# way NODE PEER KIND - there is a path of that kind that works. Two firewalls that
# change no port let a direct one through, when both sides dial it at once.
way() {
	at "$1" layactl show -j | python3 -c '
import json, sys
sys.exit(not any(path["kind"] == sys.argv[2] and path["state"] == "usable"
    for device in json.load(sys.stdin)
    for peer in device["peers"] if peer["public-key"] == sys.argv[1]
    for path in peer["paths"]))' "$(key "$2")" "$3"
}

ktap_check "the nodes run" eval 'node_start fw-a && node_start a && node_start b'
ktap_check "a finds its gateway by its link-local address" \
	wait_for 'grep -q "attached to the gateway \[fe80::1%" "$topology_dir/a.log"' 30
ktap_check "and is reached from outside by it" \
	wait_for 'grep -q "reached from outside at \[${topology_address6[fw-a]}\]:5292" \
		"$topology_dir/a.log"' 30
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7000 1
ktap_check "b reaches a by the gateway" wait_for "way b a gateway" 30
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7003

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
