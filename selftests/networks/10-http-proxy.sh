# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# No route out; squid has both sides.
#
#    net -- proxy -- host
#           squid
title="only an HTTP proxy"
families="" udp="" carrier="tcp"

build() { # HOST
	topology_public "$1-proxy" 4
	topology_behind "$1" "$1-proxy"
	ip -n "$1" route delete default
	proxy_squid "$1-proxy" "http_access allow all" || return
	lines="Proxy = http://${topology_gateway[$1]}:3128"
}
