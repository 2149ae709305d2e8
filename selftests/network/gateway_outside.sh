#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# Peers are told of a gateway's address only when somebody outside has reached it: not
# of one that is behind another NAT, nor of one whose firewall lets nothing in.
#
#        rv    r1   nat-b - b
#          \    |    /
#           -- net --
#          /         \
#        cgn        nat-g     Laya; its firewall is closed at first
#         |           |
#       nat-a         g       Laya on nat-a; all NATs are symmetric
#         |
#         a                   ProbeMapped = no
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 15

topology_servers r1
topology_far r1
topology_nat nat-b
topology_behind b nat-b
topology_nat cgn
topology_behind nat-a cgn
router_symmetric nat-a
topology_behind a nat-a
topology_nat nat-g
topology_behind g nat-g
topology_gateway nat-a
topology_gateway nat-g
node_rendezvous nat-a rv
node_rendezvous nat-g rv
node_config b "ProbeMapped = no"
node_rendezvous b rv
for host in a g; do
	node_config $host "ProbeMapped = no"
	node_rendezvous $host rv
	node_peer $host b
	node_peer b $host
done

# sent NODE TO - how many packets a node has sent there
for node in b r1; do
	at $node nft -f - <<-NFT
		table inet seen {
			counter inside { }
			counter gateway { }
			chain out {
				type filter hook output priority filter
				ip daddr ${topology_address[nat-a]} counter name inside
				ip daddr ${topology_address[nat-g]} counter name gateway
			}
		}
	NFT
done
sent() {
	at "$1" nft -j list counter inet seen "$2" |
		sed 's/.*"packets": *\([0-9]*\).*/\1/'
}
said() {
	grep -q "$2" "$topology_dir/$1.log"
}
at nat-g nft insert rule ip nat in iifname eth0 udp dport 5292 drop

ktap_check "the nodes run" eval 'node_start nat-a && node_start nat-g &&
	node_start b && node_start a && node_start g'

# Behind another NAT
ktap_check "a attaches itself to its gateway" \
	wait_for 'said a "attached to the gateway"' 30
ktap_check "the relay does not dial what it does not see" \
	wait_for 'said r1 "is not seen at its gateway"' 30
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7000 1
ktap_equal "by the relay" relay "$(path b a kind)"
ktap_equal "b was told of no address inside" 0 "$(sent b inside)"
ktap_equal "and the relay sent nothing there" 0 "$(sent r1 inside)"

# Behind a firewall
ktap_check "g attaches itself to its gateway" \
	wait_for 'said g "attached to the gateway"' 30
ktap_check "the relay dials it for g" wait_for '[ "$(sent r1 gateway)" -gt 0 ]' 60
ktap_check "a stream of 1 MiB from b to g" talk_stream b g 7001 1
ktap_equal "by the relay" relay "$(path b g kind)"
ktap_equal "b was not told of the gateway" 0 "$(sent b gateway)"
at nat-g nft delete rule ip nat in handle "$(at nat-g nft -a list chain ip nat in |
	sed -n 's/.*iifname "eth0" udp dport 5292 drop # handle //p')"
ktap_check "it opens: g is reached from outside" \
	wait_for 'said g "reached from outside at ${topology_address[nat-g]}"' 150
ktap_check "and b goes by the gateway" wait_for '[ "$(path b g kind)" = gateway ]' 30
ktap_check "a stream of 1 MiB from g to b" talk_stream g b 7002 1

[ "$ktap_failures" = 0 ] || logs 80
ktap_done
