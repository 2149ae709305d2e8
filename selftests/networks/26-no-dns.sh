# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# No name can be looked up: the configuration has addresses and keys.
#
#    net -- nat -- host
title="DNS that lies"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	# ip netns exec shows this as /etc/resolv.conf. Nothing answers there.
	mkdir -p "/etc/netns/$1"
	echo "nameserver ${topology_address[$1-nat]}" > "/etc/netns/$1/resolv.conf"
}
