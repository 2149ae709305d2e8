# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net -- nat -- host
#      drops what belongs to no connection
title="a box that forgets TCP after 60 s"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	# What it does not know is not picked up, but dropped without a word
	at "$1-nat" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 \
		net.netfilter.nf_conntrack_tcp_timeout_established=60
	at "$1-nat" nft insert rule ip nat through ct state invalid drop
}
