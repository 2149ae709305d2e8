# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# 192.168.1.2 behind 192.168.1.1, as 30-same-prefix-too is: an address of the peer's is
# in the own network, and there is somebody else at it, or nobody.
#
#    net -- nat -- host
#            192.168.1.0/24
title="a prefix that others have too"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat" 192.168.1
	router_symmetric "$1-nat"
}
