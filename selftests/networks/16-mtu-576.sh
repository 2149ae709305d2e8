# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# The uplink of the NAT takes 576 bytes, the LAN 1500; what is larger is told by
# ICMP.
#
#    net --576-- nat --1500-- host
title="link MTU 576"
families="4" mapping="each" filter="port" bulk=262144

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	ip -n "$1-nat" link set eth0 mtu 576
	ip -n net link set "${topology_uplink[$1-nat]}" mtu 576
}
