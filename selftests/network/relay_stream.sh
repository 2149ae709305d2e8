#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where no UDP passes, packets go over streams through a relay without the module:
# laya-rendezvous --relay.
#
#           r1 (rendezvous and relay, one unprivileged program)
#            |
#     ----- net -----
#     |             |
#     a             b     all UDP is dropped, in both directions
#
# shellcheck disable=SC2016,SC2119,SC2154,SC2317 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

no_udp() {
	at "$1" nft -f - <<-'NFT'
		table inet no_udp {
			chain out {
				type filter hook output priority filter
				oifname "eth0" meta l4proto udp drop
			}
			chain in {
				type filter hook input priority filter
				iifname "eth0" meta l4proto udp drop
			}
		}
	NFT
}

streams() {
	local log=$topology_dir/r1.log before

	before=$(grep -c 'relay: hosts' "$log")
	kill -USR1 "$(cat "$topology_dir/r1.pid")"
	wait_for "[ \"\$(grep -c 'relay: hosts' $log)\" -gt $before ]" || return
	sed -n 's/.*streams \([0-9]*\),.*/\1/p' "$log" | tail -n 1
}

ktap_plan 10
topology_internet
topology_public r1
topology_public a
topology_public b
no_udp a
no_udp b

rendezvous_start r1 --relay
for node in a b; do
	node_config $node
	node_rendezvous $node r1
done
node_peer a b
node_peer b a
ktap_check "a runs" node_start a
ktap_check "b runs" node_start b

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_equal "a reaches b by the relay" relay "$(path a b kind)"
ktap_check "over a stream ($(path a b carrier))" \
	[ "$(path a b carrier)" != udp ]
ktap_check "b reaches a over a stream" eval \
	'[ "$(path b a kind)" = relay ] && [ "$(path b a carrier)" != udp ]'
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7002
ktap_check "the relay has their streams" [ "$(streams)" -ge 2 ]
ktap_check "they are gone when the nodes are" eval \
	'node_kill a && node_kill b && ip -n a link delete laya0 &&
	 ip -n b link delete laya0 && wait_for "[ \"\$(streams)\" = 0 ]"'

[ "$ktap_failures" = 0 ] || logs
ktap_done
