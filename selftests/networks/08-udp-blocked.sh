# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net -- fw -- host
#      drops UDP; TCP is free
title="UDP blocked, IPv4 and IPv6"
families="4 6" udp="" carrier="tcp"

build() { # HOST
	topology_public "$1-fw"
	topology_routed "$1" "$1-fw" "4 6"
	router_firewall "$1-fw"
	router_drops "$1-fw" "meta l4proto udp"
}
