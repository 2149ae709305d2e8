#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 1800
#
# Neither host reaches a forwarder of the other's: each one's network lets out
# nothing but what goes to its own forwarder, and TCP to the rendezvous. So the one
# forwarder leads to the other, which the host names. One dies, and comes back; and at
# last they lead nobody anywhere.
#
#             rv
#              |
#      fa --- net --- fb      Forward = public, both
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

ktap_plan 23

# trunks NODE - labels there that one host alone may use
trunks() {
	at "$1" layactl show -j | python3 -c '
import json, sys
print(sum(label["bound"]
    for device in json.load(sys.stdin) for label in device["labels"]))'
}
# forwarder NODE [LINE...] - it forwards; the lines go to [Node]
forwarder() {
	local node=$1

	shift
	node_config "$node" "Forward = public" "$@"
	node_rendezvous "$node" rv
}
# gone NODE - as if its machine were: in the kernel nothing forwards any more
gone() {
	node_kill "$1" && ip -n "$1" link delete laya0
}
# explained TEXT - does one of the hosts explain so
explained() {
	{ at a layactl explain b; at b layactl explain a; } 2>&1 | grep -qF "$1"
}

# fails NODE PEER PORT - a stream to it does, and does not hang
fails() {
	local status=0 said

	said=$(at "$1" timeout 300 layactl nc "$2" "$3" < /dev/null 2>&1) || status=$?
	ktap_note "$said"
	[ "$status" != 0 ] && [ "$status" != 124 ] && [ -n "$said" ]
}

confined_hosts
forwarder fa
forwarder fb
ktap_check "the nodes run" eval "node_start fa && node_start fb &&
	node_start a && node_start b"

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "by two forwarders" wait_for "$confined_two" 30
ktap_equal "a's path is a relay's" relay "$(path a b kind)"
ktap_equal "b's too" relay "$(path b a kind)"
ktap_check "each sends to its own" confined_own a b fa fb
ktap_check "a stream of 4 MiB from b to a" talk_stream b a 7001 4
ktap_check "a stream of 4 MiB from a to b" talk_stream a b 7002 4
ktap_check "datagrams both ways" talk_datagrams a b 7003
ktap_check "what leads there is bound to the host that has asked" eval \
	'[ $(($(trunks fa) + $(trunks fb))) -ge 1 ]'
ktap_check "show says that there are two" eval \
	"at a layactl show | grep -q 'path.*relay/udp.*, by two forwarders'"
ktap_check "explain says so too" explained "${topology_address[fa]}:5292, by two forwarders"
ktap_check "and which the other is" eval \
	'explained "to the peer'\''s forwarder $(key fb)" ||
	explained "to the peer'\''s forwarder $(key fa)"'

gone fa
ktap_check "fa dies: nobody is said to be connected" wait_for \
	'at a layactl explain b | grep -q "not connected" &&
	at b layactl explain a | grep -q "not connected"' 60
ktap_check "and it is said why" wait_for \
	'at a layactl explain b | grep -q "this node is attached to no relay"' 60
ktap_check "a stream fails, with an error" fails a b 7004
ktap_check "fa comes back" node_start fa
ktap_check "and leads them there again" wait_for "$confined_two" 120
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7005 1

gone fa
gone fb
forwarder fa "ForwardTo = no"
forwarder fb "ForwardTo = no"
ktap_check "both come back, and lead to no other" eval "node_start fa && node_start fb"
ktap_check "so there is no path" wait_for \
	'[ "$(trunks fa) $(trunks fb)" = "0 0" ] &&
	explained "our forwarder does not reach that one, or leads to no other"' 120
ktap_check "and nobody is said to be connected" eval \
	'at a layactl explain b | grep -q "not connected"'
ktap_check "fb may again: that is enough" eval \
	'gone fb && forwarder fb && node_start fb && wait_for "$confined_two" 180'

[ "$ktap_failures" = 0 ] || logs 100
ktap_done
