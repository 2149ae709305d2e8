# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# As 13-upgrade-only, but a request stays a request.
#
#    net -- box -- host
#          nginx
title="only HTTPS, upgrades stripped"
families="4" udp="" carrier="https"

build() { # HOST
	topology_public "$1-box" 4
	topology_behind "$1" "$1-box"
	router_symmetric "$1-box"
	router_drops "$1-box" "iifname lan meta l4proto { tcp, udp }"
	proxy_nginx "$1-box"
}
