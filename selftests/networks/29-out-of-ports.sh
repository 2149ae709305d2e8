# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# The NAT has room for twelve flows, of any protocol, for 30 s after the last packet;
# what would be another one is dropped without a word.
#
#    net -- nat -- host
title="NAT out of ports"
families="4" mapping="each" filter="port" udp="few"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	at "$1-nat" nft -f - <<-'NFT'
		table ip ports {
			set flows {
				type ipv4_addr . inet_proto . inet_service . inet_service
				size 12
				flags dynamic, timeout
				timeout 30s
			}
			chain through {
				type filter hook forward priority filter - 10
				iifname != "lan" accept
				update @flows { ip daddr . meta l4proto . th sport . th dport } accept
				drop
			}
		}
	NFT
}
