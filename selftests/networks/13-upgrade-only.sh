# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# A load balancer ends TLS and passes HTTP on to the host that a request names.
#
#    net -- box -- host
#          nginx
title="only HTTPS, with WebSocket upgrade"
families="4" udp="" carrier="wss"

build() { # HOST
	topology_public "$1-box" 4
	topology_behind "$1" "$1-box"
	router_symmetric "$1-box"
	router_drops "$1-box" "iifname lan meta l4proto { tcp, udp }"
	proxy_nginx "$1-box" upgrade
}
