#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Identity is route: ORCHIDs on another device reach no socket, leave by none, and
# without a Laya device nothing goes out in clear. And what is sent to Laya's UDP
# port is never written to, be it the pages of a file. See pair.sh for the nodes.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

pair_setup || ktap_skip_all "no two nodes"
ktap_plan 17

tool="$here/guard.py"
on() {
	local node=$1

	shift
	ip netns exec "$node" "$@"
}

# drops NODE - what its device has counted
drops() {
	on "$1" laya-nl device-get dev=laya0 |
		grep -o 'drop:ORCHID on another device=[0-9]*' | grep -o '[0-9]*$' ||
		echo 0
}

a=${pair_orchid_a:?} b=${pair_orchid_b:?}
mac=$(on a cat /sys/class/net/eth0/address)

# --- in: a neighbour on the LAN speaks in b's name ---

# An honest listener on all addresses, which an unmodified program would have
on a python3 "$tool" listen 6000 > /tmp/heard &
listener=$!
wait_for '[ -s /tmp/heard ]'
ktap_check "an honest datagram arrives" \
	on b python3 "$tool" forge eth0 "$mac" 2001:db8::2 2001:db8::1 6000 honest
wait_for 'grep -q honest /tmp/heard'
before=$(drops a)
n=0
for way in "$b $a" "2001:db8::2 $a" "$b 2001:db8::1" "2001:2f::1 $a" \
	   "$b 2001:2a::9"; do
	# shellcheck disable=SC2086 # source and destination
	on b python3 "$tool" forge eth0 "$mac" $way 6000 forged || break
	n=$((n + 1))
done
ktap_equal "five forged datagrams were sent" 5 "$n"
on b python3 "$tool" forge eth0 "$mac" 2001:db8::2 2001:db8::1 6000 last
wait_for 'grep -q last /tmp/heard'
ktap_refuse "none of them reaches a socket" grep -q forged /tmp/heard
ktap_equal "the device counts them" $((before + 5)) "$(drops a)"
# From an ordinary address, to which an answer would find its way
on b python3 "$tool" syn eth0 "$mac" 2001:db8::2 "$a" 6000 > /tmp/answer
ktap_equal "a forged SYN has no answer" "nothing" "$(cat /tmp/answer)"
on b python3 "$tool" syn eth0 "$mac" 2001:db8::2 2001:db8::1 6000 > /tmp/answer
ktap_equal "an honest one has" "answer" "$(cat /tmp/answer)"

# --- through Laya, an unmodified program ---

ktap_check "over laya0 the listener hears" \
	on b python3 "$tool" send "$a" 6000 welcome
ktap_check "so it does" wait_for 'grep -q welcome /tmp/heard'
ktap_check "a node speaks to its own ORCHID" \
	on a python3 "$tool" send "$a" 6000 myself
ktap_check "and hears" wait_for 'grep -q myself /tmp/heard'

# --- pages of a file, spliced to Laya's port ---

on a python3 "$tool" splice 192.0.2.1 "${pair_port:?}" /tmp/page > /tmp/spliced 2>&1
ktap_equal "spliced datagrams change no file" "unchanged" "$(cat /tmp/spliced)"
ktap_check "though they were looked at" \
	sh -c "ip netns exec a laya-nl device-get dev=laya0 |
		grep -q 'drop:failed to open='"

# --- out: no Laya device, and a default route ---

on b python3 "$tool" watch eth0 > /tmp/seen &
watcher=$!
wait_for '[ -s /tmp/seen ]'
ip -n a -6 route add default via 2001:db8::2
ip -n a link delete laya0
ktap_check "a datagram is refused" \
	on a python3 "$tool" refused-send "$b" 6000
ktap_check "a connection is refused in time" \
	on a timeout $((20 * ${ktap_slow:?})) python3 "$tool" refused-connect "$b" 6000
ktap_check "it counts as no route" \
	sh -c "ip netns exec a grep -Eq 'Ip6OutNoRoutes[^0-9]+[1-9]' /proc/net/snmp6"
# From an ORCHID that is on a device of another kind
ip -n a link add dummy0 type dummy
ip -n a link set dummy0 up
ip -n a address add "$a/128" dev dummy0 nodad
on a python3 "$tool" send 2001:db8::2 6000 from-orchid "$a" 2> /dev/null
on a python3 "$tool" send 2001:db8::2 6000 the-end
wait_for 'grep -q "2001:db8::1 2001:db8::2 17" /tmp/seen'
ktap_check "the watcher sees what is honest" \
	grep -q "2001:db8::1 2001:db8::2 17" /tmp/seen
ktap_refuse "no ORCHID leaves" grep -q '2001:2[0-9a-f]:' /tmp/seen
kill $listener $watcher
ktap_done
