# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# As 16-mtu-hole, and UDP does not pass: no probe of Laya's finds out what does.
#
#   net --1280-- nat -- host
title="path MTU black hole (1280), UDP blocked"
families="4" udp="" carrier="tcp" bulk=262144

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	at net ethtool -K "${topology_uplink[$1-nat]}" tso off gso off \
		tx-udp-segmentation off
	at "$1" ethtool -K eth0 tso off gso off tx-udp-segmentation off
	router_drops "$1-nat" "ip length > 1280" "meta l4proto udp"
}
