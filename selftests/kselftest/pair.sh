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

# pair_address NODE DEVICE ADDRESS - of an IPv4 or IPv6 subnet of the usual size
pair_address() {
	case $3 in
	*:*)	ip -n "$1" address add "$3/64" dev "$2" nodad ;;
	*)	ip -n "$1" address add "$3/24" dev "$2" ;;
	esac
}

# pair_dial NODE OTHER REMOTE KIND - one more path
pair_dial() {
	local key kind

	key=$(printf %s "$2" | tr "[:lower:]" "[:upper:]")
	case $4 in
	lan)	kind=1 ;;
	direct)	kind=2 ;;
	esac
	case $3 in
	*:*)	set -- "$1" "$2" "[$3]" ;;
	esac
	ip netns exec "$1" laya-nl path-new dev=laya0 public-key="$key" kind=$kind \
		remote="$3:$pair_port" > /dev/null
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

# pair_setup [FAMILY] - both nodes, and paths over IPv4 unless FAMILY is 6
pair_setup() {
	trap pair_clean EXIT
	modprobe laya || ktap_skip_all "the module does not load"
	ip netns add a
	ip netns add b
	ip link add eth0 netns a type veth peer name eth0 netns b
	pair_address a eth0 192.0.2.1
	pair_address b eth0 192.0.2.2
	pair_address a eth0 2001:db8::1
	pair_address b eth0 2001:db8::2
	for node in a b; do
		ip -n $node link set lo up
		ip -n $node link set eth0 up
	done
	case ${1:-4} in
	4)	pair_laya a b 192.0.2.2 && pair_laya b a 192.0.2.1 ;;
	6)	pair_laya a b 2001:db8::2 && pair_laya b a 2001:db8::1 ;;
	esac
}
