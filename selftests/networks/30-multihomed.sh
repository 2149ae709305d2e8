# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net -- nat  -- host      the default route
#     +---- nat2 ----+        metric 100
title="multihomed: two NATs"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	topology_public "$1-nat2" 4
	router_symmetric "$1-nat2"
	# A second wire, eth1, and a default route that is not preferred
	ip -n "$1-nat2" link add lan type veth peer name eth1 netns "$1"
	ip -n "$1-nat2" address add 10.250.0.1/24 dev lan
	ip -n "$1-nat2" link set lan up
	ip -n "$1" address add 10.250.0.2/24 dev eth1
	ip -n "$1" link set eth1 up
	ip -n "$1" route add default via 10.250.0.1 metric 100
}
