#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 900
#
# Stream carriers in the kernel, without layad: TCP, and AF_UNIX through a pump.
#
#	 a ------ eth0 192.0.2.0/24 ------ b
#	 | eth1 198.51.100.0/24
#	 e
#
# carrier.py owns the devices of a and b, connects the sockets, and pumps what goes
# through AF_UNIX. e is reached over UDP. See pair.sh for the rest.
# shellcheck disable=SC2154 # pair.sh and ktap.sh set some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

clean() {
	pair_clean
	ip netns delete e 2> /dev/null
}

pair_setup || ktap_skip_all "no two nodes"
trap clean EXIT
ip netns add e
ip link add eth1 netns a type veth peer name eth0 netns e
ip -n a address add 198.51.100.1/24 dev eth1
ip -n e address add 198.51.100.2/24 dev eth0
ip -n a link set eth1 up
ip -n e link set eth0 up
pair_laya e a 198.51.100.1 || ktap_skip_all "no third node"

ktap_plan 62
ktap_from env CARRIER_SLOW="${ktap_slow:?}" timeout 800 python3 "$here/carrier.py" "$@"
ktap_done
