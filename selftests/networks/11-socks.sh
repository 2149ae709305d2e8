# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# No route out; dante has both sides.
#
#    net -- proxy -- host
#           danted
title="only a SOCKS5 proxy"
families="" udp="" carrier="tcp"

build() { # HOST
	topology_public "$1-proxy" 4
	topology_behind "$1" "$1-proxy"
	ip -n "$1" route delete default
	proxy_dante "$1-proxy" || return
	lines="Proxy = socks5h://${topology_gateway[$1]}:1080"
}
