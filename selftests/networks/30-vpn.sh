# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# All but the VPN's own packets goes through it, so the host has the VPN's NAT.
#
#    net -- nat -- host
#     |             :  tun0: WireGuard
#    vpn ...........:
title="full-tunnel VPN as the default route"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	topology_public "$1-vpn" 4
	router_symmetric "$1-vpn"
	# IP in UDP stands for any VPN: the host's packets leave at its far end
	at "$1-vpn" nft insert rule ip nat in udp dport 5555 accept
	ip -n "$1" link add tun0 mtu 1400 type wireguard
	ip -n "$1-vpn" link add tun0 mtu 1400 type wireguard
	key "$1-vpn" > /dev/null
	key "$1-tunnel" > /dev/null
	at "$1-vpn" wg set tun0 listen-port 5555 \
		private-key "$topology_dir/$1-vpn.key" \
		peer "$(key "$1-tunnel")" allowed-ips 10.251.0.2/32
	at "$1" wg set tun0 private-key "$topology_dir/$1-tunnel.key" \
		peer "$(key "$1-vpn")" allowed-ips 0.0.0.0/0 \
		endpoint "${topology_address[$1-vpn]}:5555"
	ip -n "$1-vpn" address add 10.251.0.1/24 dev tun0
	ip -n "$1-vpn" link set tun0 up
	ip -n "$1" address add 10.251.0.2/24 dev tun0
	ip -n "$1" link set tun0 up
	ip -n "$1" route add "${topology_address[$1-vpn]}" \
		via "$(ip -n "$1" -4 route show default | sed 's/.* via \([^ ]*\).*/\1/')"
	ip -n "$1" route replace default dev tun0
}
