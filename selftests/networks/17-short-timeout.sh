# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net -- nat -- host
#      15 s without a packet, and the mapping is gone
title="NAT that forgets UDP after 15 s"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	at "$1-nat" sysctl -qw net.netfilter.nf_conntrack_udp_timeout=15 \
		net.netfilter.nf_conntrack_udp_timeout_stream=15
}
