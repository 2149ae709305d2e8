#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# relay.sh with relays that are no nodes: laya-rendezvous --relay, without layad
# and without the module. Two of them, of which the one in use is killed.
#
#     r1, r2 (rendezvous and relay, one unprivileged program each)
#              \           /
#               -- net ----
#              /           \
#          nat-a           nat-b     symmetric, inbound dropped and counted
#            |               |
#            a               b       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/paced.sh"

# in_use NODE PEER - r1 or r2: the relay that the path in use goes through
in_use() {
	local relay address

	address=$(path "$1" "$2" remote | sed 's/:[0-9]*$//')
	for relay in r1 r2; do
		[ "$address" != "${topology_address[$relay]}" ] || echo $relay
	done
}

# usable NODE PEER - through how many relays there is a usable path
usable() {
	at "$1" layactl show -j | python3 -c '
import json, sys
print(len({path["remote"].rsplit(":", 1)[0] for device in json.load(sys.stdin)
    for peer in device["peers"] if peer["public-key"] == sys.argv[1]
    for path in peer["paths"] if path["state"] == "usable"}))
' "$(key "$2")"
}

# forwarded RELAY - packets that the relay says it has passed on
forwarded() {
	local log=$topology_dir/$1.log before

	before=$(grep -c 'relay: hosts' "$log")
	kill -USR1 "$(cat "$topology_dir/$1.pid")"
	wait_for "[ \"\$(grep -c 'relay: hosts' $log)\" -gt $before ]" || return
	sed -n 's/.*forwarded \([0-9]*\) packets.*/\1/p' "$log" | tail -n 1
}

ktap_plan 21

topology_internet
topology_public r1
topology_public r2
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b

rendezvous_start r1 --relay
rendezvous_start r2 --relay
node_config a "ProbeMapped = no"
node_rendezvous a r1 r2
node_peer a b
node_config b "ProbeMapped = no"
node_rendezvous b r1 r2
node_peer b a
ktap_check "a runs" node_start a
ktap_check "b runs" node_start b
ktap_equal "nothing of Laya's kernel is at the relays" "" \
	"$(at r1 ip -o link show type laya; at r2 ip -o link show type laya)"

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_equal "a reaches b by a relay" relay "$(path a b kind)"
ktap_equal "over UDP" udp "$(path a b carrier)"
ktap_equal "b reaches a by a relay" relay "$(path b a kind)"
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7002
ktap_check "an unmodified program: ping over laya0" \
	at a ping -c 3 -i 0.2 -W 10 "$(at a layactl addr b)"

ktap_check "paths over both relays are usable" \
	wait_for '[ "$(usable a b)" = 2 ] && [ "$(usable b a)" = 2 ]' 30
carried=$(($(forwarded r1) + $(forwarded r2)))
ktap_check "it is the relays that carried it ($carried packets)" \
	[ "$carried" -gt 1500 ]

paced_begin a b 7003
ktap_check "a stream runs" paced_goes_on

# The NAT of a reboots: it has another address, with which masquerading forgets
# the mappings of the old one
old=${topology_address[nat-a]}
new=${old%.*}.$((${old##*.} - 1))
ip -n net address flush dev v3 scope global
ip -n net address add "$old/30" dev v3
ip -n nat-a address flush dev eth0 scope global
ip -n nat-a address add "$new/30" dev eth0
ip -n nat-a route replace default via "$old"
ktap_check "it goes on when a has another address" paced_goes_on 30

victim=$(in_use a b)
ktap_note "a reaches b over $victim, which is killed"
ktap_check "the relay in use is killed" node_kill "$victim"
ktap_check "the stream goes on over the other" paced_goes_on 10
ktap_check "both say so" wait_for \
	'[ -n "$(in_use a b)" ] && [ "$(in_use a b)" != "$victim" ] && [ "$(in_use b a)" != "$victim" ]'
paced_end
ktap_check "every byte arrived" paced_whole
ktap_equal "nothing began outside of b's NAT" 0 "$(topology_from_outside nat-b)"

# It has forgotten everything, and is found again all the same
rendezvous_start "$victim" --relay
ktap_check "the killed relay is used again when it is back" \
	wait_for '[ "$(usable a b)" = 2 ] && [ "$(usable b a)" = 2 ]' 90
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7004 1

[ "$ktap_failures" = 0 ] || logs
ktap_done
