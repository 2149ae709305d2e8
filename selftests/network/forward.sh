#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The forwarder in the kernel, packet by packet: no layad, no relay program.
#
#	  a ------------------ f ------------------ b
#	192.0.2.1       .2 laya0 .2      198.51.100.1  laya0
#	2001:db8:1::1   ::2             attached to f over UDP
#
# a is no node at all: it sends labelled packets that forward.py makes.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"

clean() {
	local node

	for node in a f b; do
		ip netns delete $node 2> /dev/null
	done
}
trap clean EXIT

modprobe laya || ktap_skip_all "the module does not load"
for node in a f b; do
	ip netns add $node
	ip -n $node link set lo up
	ip netns exec $node sysctl -qw net.ipv6.conf.default.accept_dad=0
done
ip link add eth0 netns a type veth peer name eth0 netns f
ip link add eth0 netns b type veth peer name eth1 netns f
ip -n a address add 192.0.2.1/24 dev eth0
ip -n f address add 192.0.2.2/24 dev eth0
ip -n a address add 2001:db8:1::1/64 dev eth0 nodad
ip -n f address add 2001:db8:1::2/64 dev eth0 nodad
ip -n f address add 198.51.100.2/24 dev eth1
ip -n b address add 198.51.100.1/24 dev eth0
for end in "a eth0" "f eth0" "f eth1" "b eth0"; do
	# shellcheck disable=SC2086 # a name and a device
	set -- $end
	ip -n "$1" link set "$2" up
done
for node in f b; do
	ip -n $node link add laya0 type laya
	ip -n $node link set laya0 up
done

ktap_plan 68
ktap_from env FORWARD_SLOW="${ktap_slow:?}" timeout 600 python3 "$here/forward.py"

# With flows and labels in place, and packets on their way
ktap_check "the device goes" ip -n f link delete laya0
ktap_done
