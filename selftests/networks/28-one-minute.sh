# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# As 10-http-proxy; no connection lives longer.
#
#    net -- proxy -- host
#           squid
title="an HTTP proxy that ends all after a minute"
families="" udp="" carrier="tcp"

build() { # HOST
	topology_public "$1-proxy" 4
	topology_behind "$1" "$1-proxy"
	ip -n "$1" route delete default
	proxy_squid "$1-proxy" "client_lifetime 1 minute" "http_access allow all" ||
		return
	lines="Proxy = http://${topology_gateway[$1]}:3128"
}
