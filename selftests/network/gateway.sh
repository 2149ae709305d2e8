#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two hosts behind symmetric NATs, and Laya on the router of one of them: that is
# their path, both ways, and the relay sees none of what they say. It is left when
# the gateway is gone, and taken again when it is back.
#
#        rv    r1
#          \   |
#           - net --
#          /        \
#       nat-a      nat-b     symmetric; Laya on nat-a
#         |          |
#         a          b       ProbeMapped = no
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/paced.sh"

ktap_plan 22

topology_internet
topology_public rv
topology_public r1
topology_far r1
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
topology_gateway nat-a

rendezvous_start rv
node_config r1 "Forward = public"
node_rendezvous r1 rv
node_rendezvous nat-a rv
node_config a "ProbeMapped = no"
node_rendezvous a rv
node_peer a b
node_config b "ProbeMapped = no"
node_rendezvous b rv
node_peer b a
ktap_check "the nodes run" \
	eval "node_start r1 && node_start nat-a && node_start a && node_start b"

by_gateway='[ "$(path a b kind)" = gateway ] && [ "$(path b a kind)" = gateway ]'

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "they reach each other by the gateway" wait_for "$by_gateway" 30
ktap_equal "over UDP" udp "$(path b a carrier)"

# searched - the paths of all have found what they carry: no more large probes
searched() {
	for node in a b; do
		at "$node" layactl show -j | python3 -c '
import json, sys
sys.exit(any(path["state"] == "usable" and path["mtu"] < 1436
    for device in json.load(sys.stdin)
    for peer in device["peers"] for path in peer["paths"]))' || return
	done
}
ktap_check "the paths have found what they carry" wait_for searched 60
at r1 nft -f - <<-'NFT'
	table inet seen {
		counter large { }
		counter any { }
		chain in {
			type filter hook input priority filter
			udp dport 5292 counter name any
			udp dport 5292 udp length > 1200 counter name large
		}
	}
NFT
relayed() {
	at r1 nft -j list counter inet seen "$1" |
		sed 's/.*"packets": *\([0-9]*\).*/\1/'
}
ktap_check "a stream of 4 MiB from a to b" talk_stream a b 7001 4
ktap_check "a stream of 4 MiB from b to a" talk_stream b a 7002 4
ktap_check "datagrams both ways" talk_datagrams a b 7003
ktap_equal "none of it came by the relay" 0 "$(relayed large)"
ktap_note "the relay had $(relayed any) packets that keep its paths alive"
ktap_equal "nothing began outside of b's NAT" 0 "$(topology_from_outside nat-b)"

# rtt NODE ADDRESS - milliseconds to there and back
rtt() {
	at "$1" ping -q -i 0.1 -c 20 -W 10 "$2" |
		sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|\1|p'
}
at nat-b nft insert rule ip nat in icmp type echo-request accept
ktap_note "round trips: $(rtt a "$(at a layactl addr b)") ms from a to b by Laya,
plainly $(rtt a "${topology_address[nat-b]}") ms from a to b's router and
$(rtt nat-b "${topology_address[b]}") ms from there to b"

# labels NODE FIELD - the sum over the labels that it gave out
labels() {
	at "$1" layactl show -j | python3 -c '
import json, sys
print(sum(label[sys.argv[1]] for device in json.load(sys.stdin)
    for label in device["labels"]))' "$2"
}
ktap_check "the gateway counts it by label" [ "$(labels nat-a bytes)" -gt 8388608 ]
ktap_refuse "under a key that is not a's" \
	eval 'at nat-a layactl show -j | grep -qF "$(key a)"'
ktap_refuse "nor says whom it is for" \
	eval 'at nat-a layactl show -j | grep -qF "$(key b)"'

paced_begin a b 7004
node_kill nat-a TERM
ktap_check "without layad the gateway forwards all the same" paced_goes_on
ktap_check "by the same path" eval "$by_gateway"
ip -n nat-a link delete laya0
ktap_check "without its device the stream goes on" paced_goes_on
ktap_check "by the relay" wait_for \
	'[ "$(path a b kind)" = relay ] && [ "$(path b a kind)" = relay ]'
began=$(date +%s%N)
ktap_check "the gateway is there again" node_start nat-a
ktap_check "they are back within 30 s" wait_for "$by_gateway" 30
ktap_note "after $((($(date +%s%N) - began) / 1000000)) ms"
ktap_check "the stream goes on" paced_goes_on
paced_end
ktap_check "every byte arrived" paced_whole
ktap_lasted "and never stood still for a second" 1000 "$paced_pause"

[ "$ktap_failures" = 0 ] || logs 100
ktap_done
