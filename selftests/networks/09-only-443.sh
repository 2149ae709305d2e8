# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net -- nat -- host
#      passes nothing but TCP to 443
title="only TCP to port 443"
families="4" udp="" carrier="tcp"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	router_drops "$1-nat" "ct direction original tcp dport != 443" \
		"meta l4proto != { tcp, icmp }"
}
