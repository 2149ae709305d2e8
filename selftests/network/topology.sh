# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2119,SC2154,SC2317
#
# Networks of network namespaces, and Laya's programs in them; to be sourced by
# a test that runs in a VM (selftests/vm.sh).
#
#                     +-------- net: the internet ---------+
#                     |  routes between all public nodes   |
#                     +--+-------+--------+---------+------+
#                        |       |        |         |
#                       rv      r1      nat-a     nat-b     topology_public
#                   rendezvous relay      |         |
#                                         a         b       topology_behind
#
# Each public node has a subnet of its own, so that nobody is anybody's
# neighbour unless a test says so. Everything is gone after topology_clean,
# which runs at exit.

topology_dir=$(mktemp -d /tmp/topology.XXXXXX)
topology_nodes=()
# What was numbered so far: public links, networks inside, ports of switches
topology_links=0
topology_lans=0
topology_ports=0
declare -A topology_address topology_address6 topology_uplink topology_switch \
	topology_gateway topology_inside topology_config

topology_clean() {
	local node

	# That its children were killed is nothing to tell of
	exec 2> /dev/null
	for node in "${topology_nodes[@]}"; do
		ip netns pids "$node" 2> /dev/null | xargs -r kill -KILL 2> /dev/null
		ip netns delete "$node" 2> /dev/null
	done
	rm -rf "$topology_dir"
}
trap topology_clean EXIT
. "$(dirname "${BASH_SOURCE[0]}")/routers.sh"

# at NODE COMMAND... - run in the node's network namespace
at() {
	local node=$1

	shift
	ip netns exec "$node" "$@"
}

# topology_node NODE - a network namespace with nothing but lo
topology_node() {
	# A new address must be usable at once, and nothing may be advertised. New
	# namespaces have it from the first one.
	[ ${#topology_nodes[@]} -gt 0 ] ||
		sysctl -qw net.core.devconf_inherit_init_net=1 \
			net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_ra=0
	ip netns add "$1" || return
	topology_nodes+=("$1")
	ip -n "$1" link set lo up
}

# topology_ip NODE LINE... - what ip(8) is to do there, at once: to start a program
# takes long in some VMs
topology_ip() {
	local node=$1

	shift
	printf '%s\n' "$@" | ip -n "$node" -batch -
}

# topology_internet - the node "net"
topology_internet() {
	topology_node net
	at net sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# topology_public NODE [FAMILIES] - a node with a public address of each of the
# families (4 6 unless given) on eth0
topology_public() {
	local node=$1 families=${2:-4 6} n=$((++topology_links)) net=() own=()

	topology_node "$node"
	ip link add "v$n" netns net type veth peer name eth0 netns "$node"
	topology_uplink[$node]=v$n
	net+=("link set v$n up")
	own+=("link set eth0 up")
	if [[ $families == *4* ]]; then
		net+=("address add 198.51.100.$((n * 4 + 1))/30 dev v$n")
		own+=("address add 198.51.100.$((n * 4 + 2))/30 dev eth0"
			"route add default via 198.51.100.$((n * 4 + 1))")
		topology_address[$node]=198.51.100.$((n * 4 + 2))
	fi
	if [[ $families == *6* ]]; then
		net+=("address add 2001:db8:0:$n::1/64 dev v$n nodad")
		own+=("address add 2001:db8:0:$n::2/64 dev eth0 nodad"
			"route add default via 2001:db8:0:$n::1")
		topology_address6[$node]=2001:db8:0:$n::2
	fi
	topology_ip net "${net[@]}"
	topology_ip "$node" "${own[@]}"
}

# topology_far NODE - a public node is farther away than others: which path is the
# better one then does not depend on how busy this machine is
topology_far() {
	at "$1" tc qdisc add dev eth0 root netem delay 20ms
}

# topology_nat NODE - a public node that is a symmetric NAT for IPv4
# (router_symmetric). It has no IPv6: a host behind it has IPv4 alone.
topology_nat() {
	topology_public "$1" 4
	router_symmetric "$1"
}

# topology_gateway NAT [LINE...] - Laya on a router: its firewall lets Laya's port
# in, on all sides, so that what layad refuses is refused by layad. The lines go
# to [Node].
topology_gateway() {
	local node=$1

	at "$node" nft insert rule ip nat in meta l4proto '{ tcp, udp }' \
		th dport 5292 accept
	shift
	node_config "$node" "Gateway = yes" "$@"
}

# topology_join NODE ROUTER - a wire from eth0 to a switch that is ROUTER's "lan"
topology_join() {
	local node=$1 router=$2 port=lan$((++topology_ports))

	topology_node "$node"
	if [ -z "${topology_switch[$router]:-}" ]; then
		topology_switch[$router]=lan
		topology_ip "$router" "link add lan type bridge" "link set lan up"
	fi
	ip link add "$port" netns "$router" type veth peer name eth0 netns "$node"
	ip -n "$router" link set "$port" master lan up
}

# topology_behind NODE NAT [PREFIX] - a host on a network inside of NAT: the first
# is PREFIX.2 (10.X.0.2 unless given) behind PREFIX.1, others join the same switch
topology_behind() {
	local node=$1 nat=$2 prefix host

	topology_join "$node" "$nat"
	if [ -z "${topology_inside[$nat]:-}" ]; then
		prefix=${3:-10.$((++topology_lans)).0}
		topology_inside[$nat]=$prefix:1
		ip -n "$nat" address add "$prefix.1/24" dev lan
	fi
	prefix=${topology_inside[$nat]%:*}
	host=$((${topology_inside[$nat]#*:} + 1))
	topology_inside[$nat]=$prefix:$host
	topology_ip "$node" "link set eth0 up" \
		"address add $prefix.$host/24 dev eth0" \
		"route add default via $prefix.1"
	topology_address[$node]=$prefix.$host
	topology_gateway[$node]=$prefix.1
}

# topology_routed NODE ROUTER [FAMILIES] - a host inside of ROUTER, which is public
# and no NAT, with addresses that the internet has a route to
topology_routed() {
	local node=$1 router=$2 families=${3:-4} n=$((++topology_lans))

	topology_join "$node" "$router"
	ip -n "$node" link set eth0 up
	if [[ $families == *4* ]]; then
		ip -n "$router" address add "203.0.113.$((n * 4 + 1))/30" dev lan
		ip -n net route add "203.0.113.$((n * 4))/30" \
			via "${topology_address[$router]}"
		topology_ip "$node" "address add 203.0.113.$((n * 4 + 2))/30 dev eth0" \
			"route add default via 203.0.113.$((n * 4 + 1))"
		topology_address[$node]=203.0.113.$((n * 4 + 2))
	fi
	if [[ $families == *6* ]]; then
		ip -n "$router" address add "2001:db8:1:$n::1/64" dev lan nodad
		ip -n net route add "2001:db8:1:$n::/64" \
			via "${topology_address6[$router]}"
		topology_ip "$node" "address add 2001:db8:1:$n::2/64 dev eth0 nodad" \
			"route add default via 2001:db8:1:$n::1"
		topology_address6[$node]=2001:db8:1:$n::2
	fi
}

# key NODE - the node's public key (made on first use)
key() {
	local file=$topology_dir/$1

	# Kept, since asked for often: a program takes long to start in some VMs
	if [ ! -e "$file.pub" ]; then
		(umask 077 && layactl genkey > "$file.key") &&
			layactl pubkey < "$file.key" > "$file.pub" || return
	fi
	echo "$(< "$file.pub")"
}

# rendezvous_start NODE [OPTION...] - laya-rendezvous on port 443
rendezvous_start() {
	local node=$1

	shift
	key "$node" > /dev/null
	ip netns exec "$node" laya-rendezvous --listen 0.0.0.0:443 --listen '[::]:443' \
		--private-key "$topology_dir/$node.key" "$@" \
		>> "$topology_dir/$node.log" 2>&1 &
	echo $! > "$topology_dir/$node.pid"
	wait_for "at $node ss -Hltn 'sport = :443' | grep -q ."
}

# node_config NODE [LINE...] - begin the node's configuration; the lines go to
# [Node]
node_config() {
	local node=$1

	shift
	key "$node" > /dev/null
	topology_config[$node]=$topology_dir/$node.conf
	{
		echo "[Node]"
		echo "PrivateKeyFile = $topology_dir/$node.key"
		[ $# = 0 ] || printf '%s\n' "$@"
	} > "${topology_config[$node]}"
}

# node_rendezvous NODE RENDEZVOUS... - at its IPv4 address, if the node has one
node_rendezvous() {
	local node=$1 rv address

	shift
	for rv; do
		address=${topology_address[$rv]}
		[ -n "${topology_address[$node]:-}" ] ||
			address=[${topology_address6[$rv]}]
		printf '\n[Rendezvous]\nPublicKey = %s\nAddress = %s\n' \
			"$(key "$rv")" "$address:443"
	done >> "${topology_config[$node]}"
}

# node_peer NODE PEER...
node_peer() {
	local node=$1 peer

	shift
	for peer; do
		echo
		node_peer_lines "$peer"
	done >> "${topology_config[$node]}"
}

# node_peer_lines PEER - what others have of it in their configuration
node_peer_lines() {
	printf '[Peer]\nName = %s\nPublicKey = %s\n' "$1" "$(key "$1")"
}

# node_pair A B [LINE...] - configure two nodes that look for each other at rv, with
# ProbeMapped off; the lines go to [Node] of both
node_pair() {
	local a=$1 b=$2

	shift 2
	node_config "$a" "ProbeMapped = no" "$@"
	node_config "$b" "ProbeMapped = no" "$@"
	node_rendezvous "$a" rv
	node_rendezvous "$b" rv
	node_peer "$a" "$b"
	node_peer "$b" "$a"
}

# topology_servers [RELAY...] - the internet with a rendezvous, rv, and relays (r1
# unless given), all running
topology_servers() {
	local relay

	[ $# -gt 0 ] || set -- r1
	topology_internet
	topology_public rv
	rendezvous_start rv
	for relay; do
		topology_public "$relay"
		node_config "$relay" "Forward = public"
		node_rendezvous "$relay" rv
		node_start "$relay" || return
	done
}

# node_start NODE - layad, until its control socket answers
node_start() {
	node_launch "$1"
	node_wait "$1"
}

# node_launch NODE - layad, which begins by itself: see node_wait
node_launch() {
	local node=$1

	LAYA_STATE_DIR=$topology_dir/$node.state \
		ip netns exec "$node" layad -v -c "${topology_config[$node]}" \
		>> "$topology_dir/$node.log" 2>&1 &
	echo $! > "$topology_dir/$node.pid"
}

node_wait() {
	local node=$1

	wait_for "node_running $node" || {
		ktap_note "layad at $node does not run:
$(tail -n 20 "$topology_dir/$node.log")"
		return 1
	}
}

node_running() {
	# Not show, which tells the kernel's part without layad
	node_lives "$1" && at "$1" layactl peer list > /dev/null
}

# node_lives NODE - its program runs. By a file: what starts it may be a subshell.
node_lives() {
	local stat

	read -r stat 2> /dev/null < "/proc/$(< "$topology_dir/$1.pid")/stat" &&
		[[ ${stat##*) } != Z* ]]
}

# node_kill NODE [SIGNAL] - and see that it is dead
node_kill() {
	node_lives "$1" || return
	kill -"${2:-KILL}" "$(< "$topology_dir/$1.pid")"
	wait_for "! node_lives $1"
}

# node_anew NODE... - end layad and its device, and begin again in this order
node_anew() {
	local node

	for node; do
		node_kill "$node"
		ip -n "$node" link delete laya0
	done
	for node; do
		node_start "$node" || return
	done
}

# path NODE PEER FIELD - of the path in use: kind, carrier-type, id, ...
path() {
	at "$1" layactl show -j 2> /dev/null |
		python3 -c '
import json, sys
key, field = sys.argv[1:]
for device in json.load(sys.stdin):
    for peer in device["peers"]:
        if peer["public-key"] == key:
            for path in peer["paths"]:
                if path.get("in-use"):
                    print(path[field])
' "$(key "$2")" "$3"
}

# logs - what the programs said, for a failed test
logs() {
	local file

	for file in "$topology_dir"/*.log; do
		ktap_note "--- ${file##*/}
$(tail -n "${1:-30}" "$file")"
	done
}
