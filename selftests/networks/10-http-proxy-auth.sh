# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# As 10-http-proxy, by name and password.
#
#    net -- proxy -- host
#           squid
title="only an HTTP proxy that wants a password"
families="" udp="" carrier="tcp"

build() { # HOST
	topology_public "$1-proxy" 4
	topology_behind "$1" "$1-proxy"
	ip -n "$1" route delete default
	echo "laya:$(openssl passwd -apr1 secret)" > "$topology_dir/$1-proxy.users"
	proxy_squid "$1-proxy" \
		"auth_param basic program /usr/lib/squid/basic_ncsa_auth $topology_dir/$1-proxy.users" \
		"acl known proxy_auth REQUIRED" "http_access allow known" || return
	lines="Proxy = http://laya:secret@${topology_gateway[$1]}:3128"
}
