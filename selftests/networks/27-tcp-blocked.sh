# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net -- nat -- host
#      drops TCP
title="UDP open, TCP blocked"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	router_drops "$1-nat" "meta l4proto tcp"
}
