# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
#    net --1280-- nat -- host
#      drops what is in pieces
title="IP fragments dropped"
families="4" mapping="each" filter="port" bulk=262144

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	# Before conntrack puts them together
	at "$1-nat" nft -f - <<-'NFT'
		table ip fragments {
			chain in {
				type filter hook prerouting priority -500
				ip frag-off & 0x3fff != 0 drop
			}
		}
	NFT
	ip -n "$1-nat" link set eth0 mtu 1280
	ip -n net link set "${topology_uplink[$1-nat]}" mtu 1280
}
