# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Two nodes with a session and a direct path, made by hand: to be sourced after
# ktap.sh.
#
#	 a --------------------- b
#	192.0.2.1/24     192.0.2.2/24
#	2001:db8::1/64   2001:db8::2/64
#	laya0            laya0
#
# Node a also knows c, which is nowhere, and D, which may nothing; b likewise.

pair_port=5291

pair_clean() {
	ip netns delete a 2> /dev/null
	ip netns delete b 2> /dev/null
}

# pair_laya NODE OTHER REMOTE - the device of a node; also after it was deleted
pair_laya() {
	local node=$1 orchid

	ip -n "$node" link add laya0 type laya || return
	orchid=$(ip netns exec "$node" laya-pair laya0 "$node" "$2" "$3" $pair_port) ||
		return
	ip netns exec "$node" laya-pair laya0 "$node" c > /dev/null || return
	ip netns exec "$node" laya-pair laya0 "$node" D > /dev/null || return
	ip -n "$node" link set laya0 up || return
	ip -n "$node" address add "$orchid/128" dev laya0 nodad || return
	ip -n "$node" route add 2001:20::/28 dev laya0 || return
	printf -v "pair_orchid_$node" %s "$orchid"
	export "LAYA_ORCHID_${node^}=$orchid"
}

pair_setup() {
	trap pair_clean EXIT
	modprobe laya || ktap_skip_all "the module does not load"
	ip netns add a
	ip netns add b
	ip link add eth0 netns a type veth peer name eth0 netns b
	ip -n a address add 192.0.2.1/24 dev eth0
	ip -n b address add 192.0.2.2/24 dev eth0
	ip -n a address add 2001:db8::1/64 dev eth0 nodad
	ip -n b address add 2001:db8::2/64 dev eth0 nodad
	for node in a b; do
		ip -n $node link set lo up
		ip -n $node link set eth0 up
	done
	pair_laya a b 192.0.2.2 && pair_laya b a 192.0.2.1
}
