#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 1500
#
# What attackers do to a forwarder in the kernel (abuse_user.sh: to laya-rendezvous
# --relay): labels guessed, one label flooded, return flows forged, attaching again
# and again. In packets and bytes: who is not there must hear nothing, who sent
# something at most three times that, and others must notice nothing.
#
#	a, others ------- 192.0.2.0/24 --------.
#	x, forges addresses --- 203.0.113.0/24 -- f, forwards
#	v, a victim ------ 198.18.0.0/24 ------'  \
#	                                           198.51.100.0/24 --- b, hosts that attach
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"

clean() {
	local node

	for node in a x v b f; do
		ip netns pids $node 2> /dev/null | xargs -r kill -KILL 2> /dev/null
		ip netns delete $node 2> /dev/null
	done
}
trap clean EXIT

[ "${abuse_of:-kernel}" != kernel ] || modprobe laya ||
	ktap_skip_all "the module does not load"
ip netns add f
ip -n f link set lo up
# It is attackers' providers that should have dropped forged addresses
ip netns exec f sysctl -qw net.ipv4.conf.all.rp_filter=0 \
	net.ipv4.conf.default.rp_filter=0
for link in a:192.0.2 x:203.0.113 v:198.18.0 b:198.51.100; do
	node=${link%:*}
	net=${link#*:}
	ip netns add "$node"
	ip -n "$node" link set lo up
	ip link add eth0 netns "$node" type veth peer name "$node" netns f
	ip -n "$node" address add "$net.1/24" dev eth0
	ip -n f address add "$net.2/24" dev "$node"
	ip -n "$node" link set eth0 up
	ip -n f link set dev "$node" up
done

ktap_plan 25
ktap_from env ABUSE_SLOW="${ktap_slow:?}" timeout 1400 python3 "$here/abuse.py" \
	 "${abuse_of:-kernel}"
ktap_done
