# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# Each flow leaves from one of four public addresses, whichever.
#
#    net -- nat -- host
#       203.0.113.X/30
title="NAT with a pool of addresses"
families="4" mapping="each" filter="port"

build() { # HOST
	local address=203.0.113.$((++topology_lans * 4))

	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	ip -n net route add "$address/30" via "${topology_address[$1-nat]}"
	router_nat "$1-nat" "snat to $address-${address%.*}.$((${address##*.} + 3)) fully-random"
}
