#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 1800
#
# A host names forwarders to its own that are none, or that are somewhere else: what
# those hear of it is counted where they are. Once with a forwarder in the kernel, and
# once with laya-rendezvous --relay.
#
#      f ---- net ---- many   198.18.0.0/15, all of it: drops, and counts
#           /  |  \
#          x   |   far        a forwarder, which is named under another's key
#              |
#           victim            TCP port 5292 takes connections and says nothing
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"

ktap_plan 18

# count NODE - begin to count what comes from f, and to which addresses
count() {
	at "$1" nft -f - <<-NFT
		add table ip seen
		delete table ip seen
		table ip seen {
			counter from_f { }
			counter udp_from_f { }
			set to { type ipv4_addr; size 65536; flags dynamic; }
			chain in {
				type filter hook prerouting priority raw
				ip saddr ${topology_address[f]} counter name from_f
				ip saddr ${topology_address[f]} meta l4proto udp \
					counter name udp_from_f
				ip saddr ${topology_address[f]} add @to { ip daddr }
			}
		}
	NFT
}
# counted NODE COUNTER - bytes of it
counted() {
	at "$1" nft -j list counter ip seen "$2" | python3 -c '
import json, sys
print(next(o["counter"]["bytes"] for o in json.load(sys.stdin)["nftables"]
    if "counter" in o))'
}
# addresses NODE - to how many of them something came
addresses() {
	at "$1" nft -j list set ip seen to | python3 -c '
import json, sys
print(next(len(o["set"].get("elem", ())) for o in json.load(sys.stdin)["nftables"]
    if "set" in o))'
}
# name KEY [+]ADDRESS COUNT - a host attaches to f and names that, so many times
name() {
	at x bash -c 'exec 3<> "/dev/udp/$2/5292" && exec laya-attach "$1" "$2" 5292 3 "${@:3}"' \
		name "$(key f)" "${topology_address[f]}" "$1" "$2:5292" "$3"
}
# silent NODE - take connections, and say nothing
silent() {
	at "$1" python3 -c '
import socket
server = socket.create_server(("0.0.0.0", 5292), backlog=1000)
kept = []
while True:
    kept.append(server.accept()[0])
' &
	wait_for "at $1 ss -Hltn 'sport = :5292' | grep -q ."
}

hostile() {
	local said bytes n i

	count many
	said=$(name random +198.18.0.0 10000)
	n=$(addresses many)
	ktap_note "of ten thousand: $said; $n addresses heard of it, $(counted many from_f) bytes in all"
	# Four at once, one in five seconds; this lasts no longer than twenty
	ktap_check "of ten thousand that are named some hear" [ "$n" -ge 1 ]
	ktap_check "but no more than they may" [ "$n" -le 8 ]
	ktap_check "and none by UDP" [ "$(counted many udp_from_f)" = 0 ]

	count victim
	for i in 1 2 3 4 5; do
		said=$(name random "${topology_address[victim]}" 200) || return
	done
	bytes=$(counted victim from_f)
	ktap_note "the last of five hosts that name a victim 200 times each: $said; it received $bytes bytes"
	# Three at once, one in ten seconds, of some 400 bytes; this lasts a minute
	ktap_check "a victim hears little" [ "$bytes" -ge 1 ]
	ktap_check "though many hosts name it" [ "$bytes" -le 6000 ]
	ktap_check "and nothing by UDP" [ "$(counted victim udp_from_f)" = 0 ]

	count many
	said=$(name random 10.99.0.1 10)
	ktap_check "nobody is led to private addresses" \
		[ "$said $(addresses many)" = "0 led 10 unreachable 0 limited 0" ]

	count far
	said=$(name "$(key victim)" "${topology_address[far]}" 1)
	ktap_check "nor to a forwarder of another key" \
		[ "$said $(counted far udp_from_f)" = "0 led 1 unreachable 0 limited 0" ]
	ktap_equal "but to one that has been named" "1 led 0 unreachable 0 limited" \
		"$(name "$(key far)" "${topology_address[far]}" 1)"
}

topology_internet
for node in f x far victim many; do
	topology_public $node 4
done
for prefix in 198.18.0.0/15 10.99.0.0/24; do
	ip -n net route add $prefix via "${topology_address[many]}"
	ip -n many route add local $prefix dev lo
done
at many nft -f - <<-NFT
	table ip deaf {
		chain in {
			type filter hook input priority filter
			policy drop
		}
	}
NFT
silent victim
key victim > /dev/null
node_config far "Forward = public"
node_start far

ktap_note "the forwarder is in the kernel"
node_config f "Forward = public"
node_start f
hostile
node_kill f
ip -n f link delete laya0

ktap_note "the forwarder is a program"
rendezvous_start f --relay
hostile

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
