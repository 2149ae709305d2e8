#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# Two hosts whose networks pass no TCP at all, and lose, double and mix what they
# pass: signalling by UDP, and attaching to relays by it.
#
#      rv     r1 (relay in the kernel)     r2 (rendezvous and relay, a program)
#         \    |    /
#          -- net --
#         /         \
#     nat-a         nat-b     symmetric; TCP dropped; loss, doubles, reordering
#       |             |
#       a             b       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

# says NODE WORDS - layactl check does
says() {
	at "$1" layactl check | grep -Eq "^ok +$2"
}

# by_udp NODE RENDEZVOUS - it is connected to it so
by_udp() {
	says "$1" "rendezvous: ${topology_address[$2]}:443: connected by udp"
}

# attached NODE FORWARDER
attached() {
	says "$1" "relay: ${topology_address[$2]}:[0-9]+: attached by udp"
}

# tcp_from NAT - how many TCP packets it dropped
tcp_from() {
	at "$1" nft -j list counter inet drops stopped |
		sed 's/.*"packets": *\([0-9]*\).*/\1/'
}

ktap_plan 15

topology_internet
for node in rv r1 r2; do
	topology_public $node
done
for node in a b; do
	topology_nat nat-$node
	topology_behind $node nat-$node
	at nat-$node nft -f - <<-'NFT'
		table inet drops {
			counter stopped {}
			chain through {
				type filter hook forward priority filter - 10
				meta l4proto tcp counter name stopped drop
			}
		}
	NFT
	netem="loss 5% duplicate 2% delay 2ms 1ms reorder 10% 50%"
	# shellcheck disable=SC2086 # words
	tc -n $node qdisc add dev eth0 root netem $netem
	# shellcheck disable=SC2086 # words
	tc -n nat-$node qdisc add dev lan root netem $netem
done

rendezvous_start rv
rendezvous_start r2 --relay
node_config r1 "Forward = public"
node_rendezvous r1 rv
for node in a b; do
	node_config $node "ProbeMapped = no"
	node_rendezvous $node rv r2
done
node_peer a b
node_peer b a
ktap_check "the nodes run" eval "node_start r1 && node_start a && node_start b"
for node in a b; do
	for server in rv r2; do
		ktap_check "$node is registered at $server by UDP" \
			wait_for "by_udp $node $server" 60
	done
	for relay in r1 r2; do
		ktap_check "$node is attached to $relay" \
			wait_for "attached $node $relay" 60
	done
done
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7001 1
ktap_check "TCP was tried at both, and went nowhere" \
	eval "[ $(tcp_from nat-a) -gt 0 ] && [ $(tcp_from nat-b) -gt 0 ]"

# The server asks for a cookie at the new address, as soon as a has pinged.
router_forgets nat-a
before=$(grep -c 'rendezvous.*registered' "$topology_dir/a.log")
router_moves nat-a 198.51.100.250
ktap_check "a's address moves, and a session begins with what rv carries" \
	eval "at b layactl peer del a && at b layactl peer add a $(key a) && \
		wait_for 'at b layactl ping -c 1 a' 60 && talk_stream b a 7003 1"
ktap_equal "without having registered again" "$before" \
	"$(grep -c 'rendezvous.*registered' "$topology_dir/a.log")"

# It knows nothing of what was before, says so, and is dialled again.
node_kill rv
rendezvous_start rv
ktap_check "rv restarts, and both are there again" \
	wait_for 'by_udp a rv && by_udp b rv' 60

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
