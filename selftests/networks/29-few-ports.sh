# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# Of each protocol; a ninth flow to the same destination is dropped.
#
#    net -- nat -- host
title="NAT with 8 ports"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_nat "$1-nat" "meta l4proto { tcp, udp } masquerade to :40000-40007"
	# Two flows to one destination cannot have the same port
}
