#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 1800
#
# forwarders.sh with forwarders that are no nodes: laya-rendezvous --relay. Each host
# knows its own alone, and hears of the other's from its peer. Then the far one is
# replaced by one in a kernel, under the same key.
#
#             rv
#              |
#      fa --- net --- fb      rendezvous and relay, one unprivileged program each
#            /   \
#       nat-a     nat-b       symmetric; out: fa or fb alone, and rv's TCP port
#         |         |
#         a         b         ProbeMapped = no
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/confined.sh"

ktap_plan 18

confined_hosts
rendezvous_start fa --relay
rendezvous_start fb --relay
confined_relay a fa
confined_relay b fb
ktap_check "the nodes run" eval "node_start a && node_start b"
ktap_equal "nothing of Laya's kernel is at the relays" "" \
	"$(at fa ip -o link show type laya; at fb ip -o link show type laya)"

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "by two forwarders" wait_for "$confined_two" 30
ktap_check "each sends to its own" confined_own a b fa fb
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7002
ktap_check "it is one of the relays that has dialled the other" \
	grep -q "a trunk to the forwarder" "$topology_dir"/f[ab].log

# no_udp - none passes between the forwarders
no_udp() {
	at net nft -f - <<-NFT
		table ip no_udp {
			chain through {
				type filter hook forward priority filter
				ip saddr ${topology_address[fa]} ip daddr ${topology_address[fb]} \
					meta l4proto udp drop
				ip saddr ${topology_address[fb]} ip daddr ${topology_address[fa]} \
					meta l4proto udp drop
			}
		}
		table ip6 no_udp {
			chain through {
				type filter hook forward priority filter
				meta l4proto udp drop
			}
		}
	NFT
}
# dialled - how often a relay has reached the other
dialled() {
	cat "$topology_dir"/f[ab].log | grep -c "a trunk to the forwarder"
}
before=$(dialled)
ktap_check "between the forwarders UDP passes no more" no_udp
ktap_check "they reach each other anew, by a stream" wait_for \
	'[ "$(dialled)" -gt $before ]' 120
ktap_check "and lead the hosts there" wait_for "$confined_two" 60
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7003 1

node_kill fb
node_config fb "Forward = public"
node_rendezvous fb rv
ktap_check "fb dies, and one in a kernel takes its place" node_start fb
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7004 1
ktap_check "by two forwarders, again" wait_for "$confined_two" 30
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7005 1

at nat-a nft insert rule ip nat through meta l4proto udp drop
ktap_check "a has no UDP either: all but the last leg are streams" wait_for \
	'[ "$(path a b carrier)" = tcp ] && '"$confined_two" 60
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7006 1

[ "$ktap_failures" = 0 ] || logs 100
ktap_done
