# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2119,SC2154,SC2317
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
topology_links=0
declare -A topology_address topology_inside topology_config

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

# at NODE COMMAND... - run in the node's network namespace
at() {
	local node=$1

	shift
	ip netns exec "$node" "$@"
}

# topology_node NODE - a network namespace with nothing but lo
topology_node() {
	ip netns add "$1" || return
	topology_nodes+=("$1")
	ip -n "$1" link set lo up
	# A new address must be usable at once, and nothing may be advertised
	at "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_ra=0
}

# topology_internet - the node "net"
topology_internet() {
	topology_node net
	at net sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# topology_public NODE - a node with a public IPv4 and IPv6 address, eth0
topology_public() {
	local node=$1 n=$((++topology_links))

	topology_node "$node"
	ip link add "v$n" netns net type veth peer name eth0 netns "$node"
	ip -n net address add "198.51.100.$((n * 4 + 1))/30" dev "v$n"
	ip -n net address add "2001:db8:0:$n::1/64" dev "v$n" nodad
	ip -n net link set "v$n" up
	ip -n "$node" address add "198.51.100.$((n * 4 + 2))/30" dev eth0
	ip -n "$node" address add "2001:db8:0:$n::2/64" dev eth0 nodad
	ip -n "$node" link set eth0 up
	ip -n "$node" route add default via "198.51.100.$((n * 4 + 1))"
	ip -n "$node" route add default via "2001:db8:0:$n::1"
	topology_address[$node]=198.51.100.$((n * 4 + 2))
}

# topology_far NODE - a public node is farther away than others: which path is the
# better one then does not depend on how busy this machine is
topology_far() {
	at "$1" tc qdisc add dev eth0 root netem delay 20ms
}

# topology_nat NODE - a public node that is a NAT, as topology_masquerade makes it.
# It has no IPv6: a host behind it has IPv4 alone.
topology_nat() {
	topology_public "$1"
	ip -n "$1" -6 address flush dev eth0 scope global
	topology_masquerade "$1"
}

# topology_masquerade NODE - a symmetric NAT for IPv4, outside of which is eth0, and
# which lets nothing in: each flow from inside leaves from a random port (APDM),
# only what answers it comes back (APDF), and what was begun outside is dropped and
# counted.
topology_masquerade() {
	local node=$1

	at "$node" sysctl -qw net.ipv4.ip_forward=1
	at "$node" nft -f - <<-'NFT'
		table ip nat {
			counter from_outside { }
			chain out {
				type nat hook postrouting priority srcnat
				oifname "eth0" masquerade fully-random
			}
			chain through {
				type filter hook forward priority filter
				policy drop
				ct state established,related accept
				iifname "eth0" counter name from_outside drop
				accept
			}
			chain in {
				type filter hook input priority filter
				policy drop
				ct state established,related accept
				iifname "eth0" counter name from_outside drop
				accept
			}
		}
	NFT
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

# topology_behind NODE NAT - a host on a network inside of NAT: the first is
# 10.X.0.2 behind lan1 (10.X.0.1), others join the same switch
topology_behind() {
	local node=$1 nat=$2 x host

	topology_node "$node"
	if [ -z "${topology_inside[$nat]:-}" ]; then
		topology_inside[$nat]=$((++topology_links)):1
		x=$topology_links
		ip -n "$nat" link add lan type bridge
		ip -n "$nat" address add "10.$x.0.1/24" dev lan
		ip -n "$nat" link set lan up
	fi
	x=${topology_inside[$nat]%:*}
	host=$((${topology_inside[$nat]#*:} + 1))
	topology_inside[$nat]=$x:$host
	ip link add "lan$host" netns "$nat" type veth peer name eth0 netns "$node"
	ip -n "$nat" link set "lan$host" master lan up
	ip -n "$node" address add "10.$x.0.$host/24" dev eth0
	ip -n "$node" link set eth0 up
	ip -n "$node" route add default via "10.$x.0.1"
	topology_address[$node]=10.$x.0.$host
}

# topology_from_outside NAT - how many packets the NAT saw begin a flow inwards
topology_from_outside() {
	at "$1" nft -j list counter ip nat from_outside |
		sed 's/.*"packets": *\([0-9]*\).*/\1/'
}

# key NODE - the node's public key (made on first use)
key() {
	local file=$topology_dir/$1.key

	if [ ! -e "$file" ]; then
		(umask 077 && layactl genkey > "$file") || return
	fi
	layactl pubkey < "$file"
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

# node_rendezvous NODE RENDEZVOUS...
node_rendezvous() {
	local node=$1 rv

	shift
	for rv; do
		printf '\n[Rendezvous]\nPublicKey = %s\nAddress = %s\n' \
			"$(key "$rv")" "${topology_address[$rv]}:443"
	done >> "${topology_config[$node]}"
}

# node_peer NODE PEER...
node_peer() {
	local node=$1 peer

	shift
	for peer; do
		printf '\n[Peer]\nName = %s\nPublicKey = %s\n' \
			"$peer" "$(key "$peer")"
	done >> "${topology_config[$node]}"
}

# node_start NODE - layad, until its control socket answers
node_start() {
	local node=$1

	LAYA_STATE_DIR=$topology_dir/$node.state \
		ip netns exec "$node" layad -v -c "${topology_config[$node]}" \
		>> "$topology_dir/$node.log" 2>&1 &
	echo $! > "$topology_dir/$node.pid"
	wait_for "node_running $node" || {
		ktap_note "layad at $node does not run:
$(tail -n 20 "$topology_dir/$node.log")"
		return 1
	}
}

node_running() {
	node_lives "$1" && at "$1" layactl show > /dev/null
}

# node_lives NODE - its program runs. By a file: what starts it may be a subshell.
node_lives() {
	ip netns pids "$1" | grep -qx "$(cat "$topology_dir/$1.pid")"
}

# node_kill NODE [SIGNAL] - and see that it is dead
node_kill() {
	node_lives "$1" || return
	kill -"${2:-KILL}" "$(cat "$topology_dir/$1.pid")"
	wait_for "! node_lives $1"
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
