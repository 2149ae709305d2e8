# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2119,SC2154,SC2317
#
# A network, what can be wrong in it, and the sentence by which "layactl explain"
# at a has to name it; to be sourced after topology.sh and ktap.sh.
#
#        rv (rendezvous)   r1 (relay)
#              \           /
#               -- net ----
#              /           \
#             a            nat-b     symmetric, inbound dropped; IPv4 only
#     firewall: nothing      |
#     comes in first         b
#
# faults_begin FAULT starts a and b anew with that fault, faults_end undoes it.

# fault: what is grepped for
declare -A faults=(
	[none]=""
	[rendezvous-down]='rendezvous 198\.51\.100\.[0-9]*:443: .*refused'
	[relay-udp-dropped]='relay 198\.51\.100\.[0-9]*:5292: UDP: no answer to [0-9]+ probe'
	[relay-closed]='relay 198\.51\.100\.[0-9]*:5292: .*refused'
	[probe-mapped-no]='not dialled: ProbeMapped = no'
	[peer-unknown]='no rendezvous knows the peer'
	[peer-does-not-know-us]='the peer does not answer our offer'
	[preshared-key]="the peer's answer does not open"
	[small-mtu]='path MTU 12[0-9]*: a whole packet takes'
	[no-ipv6]='not dialled: we have no address of that family'
)

faults_topology() {
	topology_internet
	topology_public rv
	topology_public r1
	topology_public a
	topology_nat nat-b
	topology_behind b nat-b
	at a nft -f - <<-'NFT'
		table inet firewall {
			chain in {
				type filter hook input priority filter
				policy drop
				iifname { "lo", "laya0" } accept
				ct state established,related accept
				meta l4proto ipv6-icmp accept
			}
		}
	NFT
	at r1 nft add table inet fault
	at r1 nft add chain inet fault in '{ type filter hook input priority filter; }'
	faults_ipv6=$(ip -n a -6 -o address show dev eth0 scope global |
		sed 's/.*inet6 \([^/]*\).*/\1/')
	rendezvous_start rv
	node_config r1 "Forward = public"
	node_rendezvous r1 rv
	node_start r1 && wait_for 'grep -q registered "$topology_dir/r1.log"'
}

# faults_peer NODE PEER KEY [LINE...] - as node_peer, with any key
faults_peer() {
	local node=$1 peer=$2 key=$3

	shift 3
	{
		printf '\n[Peer]\nName = %s\nPublicKey = %s\n' "$peer" "$key"
		[ $# = 0 ] || printf '%s\n' "$@"
	} >> "${topology_config[$node]}"
}

# The link of a, on both ends
faults_mtu() {
	local peer

	peer=$(at a cat /sys/class/net/eth0/iflink)
	ip -n a link set eth0 mtu "$1"
	peer=$(ip -n net -o link show | sed -n "s/^$peer: \([^@:]*\).*/\1/p")
	ip -n net link set "$peer" mtu "$1"
}

faults_begin() {
	local fault=$1 a b psk=() mapped=yes

	a=$(key a)
	b=$(key b)
	case $fault in
	rendezvous-down)
		node_kill rv
		# Who has met finds each other all the same
		rm -f "$topology_dir/a.state/known" "$topology_dir/b.state/known"
		;;
	relay-udp-dropped) at r1 nft add rule inet fault in udp dport 5292 drop ;;
	relay-closed)
		at r1 nft add rule inet fault in tcp dport 5292 reject with tcp reset
		at r1 nft add rule inet fault in udp dport 5292 reject
		;;
	probe-mapped-no) mapped=no ;;
	peer-unknown) b=$(key nobody) ;;
	peer-does-not-know-us) a=$(key nobody) ;;
	preshared-key)
		(umask 077 && layactl genpsk > "$topology_dir/psk")
		psk=("PresharedKeyFile = $topology_dir/psk")
		;;
	small-mtu) faults_mtu 1280 ;;
	no-ipv6) at a sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 ;;
	esac
	node_config a "ProbeMapped = $mapped"
	node_rendezvous a rv
	faults_peer a b "$b" "${psk[@]}"
	node_config b
	node_rendezvous b rv
	faults_peer b a "$a"
	node_start a && node_start b
}

faults_end() {
	local node

	for node in a b; do
		node_kill $node
		ip -n $node link delete laya0
	done
	case $1 in
	rendezvous-down)
		rendezvous_start rv
		;;
	small-mtu) faults_mtu 1500 ;;
	no-ipv6)
		at a sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
		ip -n a address add "$faults_ipv6/64" dev eth0 nodad
		ip -n a route add default via "${faults_ipv6%2}1"
		;;
	esac
	at r1 nft flush chain inet fault in
	rm -f "$topology_dir/psk"
}

# faults_named - which faults the explanation on standard input names, in a line
faults_named() {
	local fault found="" text

	text=$(cat)
	grep -q connected <<< "$text" || { echo nothing; return; }
	for fault in "${!faults[@]}"; do
		[ "$fault" != none ] &&
			grep -Eqi "${faults[$fault]}" <<< "$text" &&
			found="$found $fault"
	done
	found=${found# }
	echo "${found:-none}"
}
