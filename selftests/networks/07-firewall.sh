# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# A public address, and a firewall that passes only what was begun inside.
#
#    net -- fw -- host
title="stateful firewall, IPv4"
families="4" mapping="one" filter="port"

build() { # HOST
	topology_public "$1-fw" 4
	topology_routed "$1" "$1-fw" 4
	router_firewall "$1-fw"
}
