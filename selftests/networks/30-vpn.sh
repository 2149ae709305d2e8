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

# vpn_far HOST - the far end: IP in UDP stands for any VPN, the host's packets leave
# there
vpn_far() {
	topology_public "$1-vpn" 4
	router_symmetric "$1-vpn"
	at "$1-vpn" nft insert rule ip nat in udp dport 5555 accept
	ip -n "$1-vpn" link add tun0 mtu 1400 type wireguard
	key "$1-vpn" > /dev/null
	at "$1-vpn" wg set tun0 listen-port 5555 \
		private-key "$topology_dir/$1-vpn.key" \
		peer "$(key "$1-tunnel")" allowed-ips 10.251.0.2/32
	topology_ip "$1-vpn" "address add 10.251.0.1/24 dev tun0" "link set tun0 up"
}

# vpn_up HOST - it takes the default route
vpn_up() {
	ip -n "$1" link add tun0 mtu 1400 type wireguard
	at "$1" wg set tun0 private-key "$topology_dir/$1-tunnel.key" \
		peer "$(key "$1-vpn")" allowed-ips 0.0.0.0/0 \
		endpoint "${topology_address[$1-vpn]}:5555"
	topology_ip "$1" "address add 10.251.0.2/24 dev tun0" "link set tun0 up" \
		"route add ${topology_address[$1-vpn]} via ${topology_gateway[$1]}" \
		"route replace default dev tun0"
}

# vpn_down HOST - and gives it back
vpn_down() {
	topology_ip "$1" "link delete tun0" \
		"route add default via ${topology_gateway[$1]}" \
		"route delete ${topology_address[$1-vpn]} via ${topology_gateway[$1]}"
}

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	vpn_far "$1"
	vpn_up "$1"
}
