#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# Condition 25: no internet, no rendezvous, no endpoint: peers on one switch find each
# other. d is on it too, hears all, and says that everybody is where it is.
#
#        a ---- sw ---- b        LocalDiscovery = yes
#                |
#                d
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 11

# dialled - how often somebody called the forger
dialled() {
	at d nft -j list counter inet count syns |
		python3 -c 'import json, sys
print(json.load(sys.stdin)["nftables"][1]["counter"]["packets"])'
}

topology_node sw
n=0
for node in a b d; do
	topology_join $node sw
	topology_ip $node "link set eth0 up" "address add 192.168.7.$((++n))/24 dev eth0"
done
at d nft -f - << EOT
table inet count {
	counter syns {
	}
	chain in {
		type filter hook input priority 0
		tcp flags & (syn | ack) == syn counter name syns
	}
}
EOT
at d python3 "$(dirname "$0")/mdns_forger.py" 192.168.7.3 eth0 \
	> "$topology_dir/heard" 2> "$topology_dir/d.log" &
echo $! > "$topology_dir/d.pid"
wait_for "at d ss -Hlun 'sport = :5353' | grep -q ."

node_config a "LocalDiscovery = yes"
node_peer a b
node_config b "LocalDiscovery = yes"
node_peer b a
ktap_check "the nodes run" eval "node_start a && node_start b"
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "and from b to a" talk_stream b a 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7002
ktap_check "by the LAN" wait_for '[ "$(path a b kind)" = lan ]'
ktap_check "b begins anew, and asks first" eval 'node_anew b && talk_stream b a 7003 1'

topology_ip b "address del 192.168.7.2/24 dev eth0" "address add 192.168.7.22/24 dev eth0"
ktap_check "b has another address" eval 'node_anew a && wait_for "talk_stream a b 7004 1" 90'
ip -n b link set eth0 down
ip -n b link set eth0 up
topology_ip b "address replace 192.168.7.22/24 dev eth0"
ktap_check "its link was down" eval 'node_anew a && wait_for "talk_stream a b 7005 1" 90'

# IPv6 alone
for node in a b; do
	topology_ip $node "address flush dev eth0 scope global" \
		"address add 2001:db8:7::$node/64 dev eth0 nodad"
done
ktap_check "a stream of 1 MiB by IPv6 alone" \
	eval 'node_anew a b && wait_for "talk_stream a b 7006 1" 90'

ktap_check "the forger has heard and answered" grep -qx "[0-9a-f]\{32\}" \
	"$topology_dir/heard"
ktap_equal "and nobody has called it" 0 "$(dialled)"

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
