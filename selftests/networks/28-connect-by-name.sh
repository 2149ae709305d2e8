# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# As 10-http-proxy; CONNECT to a literal address is refused.
#
#    net -- proxy -- host
#           squid
title="an HTTP proxy that wants host names"
families="" udp="" carrier="tcp" names="yes"

build() { # HOST
	topology_public "$1-proxy" 4
	topology_behind "$1" "$1-proxy"
	ip -n "$1" route delete default
	proxy_squid "$1-proxy" "hosts_file $topology_dir/names" \
		'acl literal dstdom_regex ^[0-9.]+$ ^\[?[0-9a-f:]+\]?$' \
		"http_access deny CONNECT literal" "http_access allow all" || return
	lines="Proxy = http://${topology_gateway[$1]}:3128"
}
