# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net -- nat -- host
#      passes UDP to and from ports 53 and 443, and TCP
title="UDP only to 443 or 53"
families="4" udp="443" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	router_drops "$1-nat" "iifname lan udp dport != { 53, 443 }" \
		"iifname eth0 udp sport != { 53, 443 }"
}
