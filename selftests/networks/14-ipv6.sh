# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# No IPv4 at all.
#
#    net -- fw -- host
title="IPv6 only, stateful firewall"
families="6" mapping="one" filter="port"

build() { # HOST
	topology_public "$1-fw" 6
	topology_routed "$1" "$1-fw" 6
	router_firewall "$1-fw"
}
