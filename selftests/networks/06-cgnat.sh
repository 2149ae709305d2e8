# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# The provider's NAT around the home router's.
#
#    net -- cgn -- nat -- host
#       public  100.64   10
title="symmetric NAT behind a symmetric CGNAT"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-cgn" 4
	topology_behind "$1-nat" "$1-cgn" 100.64.6
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-cgn"
	router_symmetric "$1-nat"
}
