# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# IPv4 is behind 2001:db8:64::/96 (tayga), and no DNS tells.
#
#    net -- nat64 -- host
title="IPv6 only, NAT64 without DNS64"
families="6"

build() { # HOST
	topology_public "$1-nat64"
	topology_routed "$1" "$1-nat64" 6
	router_firewall "$1-nat64"
	router_nat64 "$1-nat64"
}
