# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# Endpoint-independent mapping and filter: whoever sends to the public port of the
# host gets to it.
#
#    net -- nat -- host
title="full-cone NAT"
families="4" mapping="one" filter="anybody"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_full_cone "$1-nat" "${topology_address[$1]}"
}
