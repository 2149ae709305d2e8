# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# Endpoint-independent mapping; in comes who was sent to, from any of its ports.
#
#    net -- nat -- host
title="address-restricted NAT"
families="4" mapping="one" filter="address"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_address "$1-nat" "${topology_address[$1]}"
}
