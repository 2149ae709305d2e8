# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2004,SC2154
#
# What the routers of a test network do to packets (topology.sh sources this).
# Each makes a router of a node that has eth0 to the outside; whatever else it has
# is inside. Names as in RFC 4787: a mapping is endpoint-independent (one public
# port for all destinations) or address-and-port-dependent (another for each); a
# filter lets in anybody, known addresses, or known addresses and ports.
#
#                    mapping    filter
#   full_cone        one        anybody
#   address          one        addresses that were sent to
#   port             one        addresses and ports that were sent to
#   symmetric        each       addresses and ports that were sent to
#   firewall         (no NAT)   addresses and ports that were sent to
#
# A "one" is Linux keeping the port that the inside has, which it does as long as no
# two hosts inside have the same.
#
# What was begun outside and not let in is counted: topology_from_outside.

# router_nat NODE SNAT [ACCEPT] [TABLE...] - for the others: what the postrouting
# chain does, and what is let in though begun outside
router_nat() {
	local node=$1 snat=$2 accept=${3:-} tables=${4:-}

	at "$node" sysctl -qw net.ipv4.ip_forward=1
	at "$node" nft -f - <<-NFT
		table ip nat {
			counter from_outside { }
			$tables
			chain out {
				type nat hook postrouting priority srcnat
				oifname "eth0" $snat
			}
			chain through {
				type filter hook forward priority filter
				policy drop
				ct state established,related accept
				$accept
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

# router_symmetric NODE - each flow leaves from a random port
router_symmetric() {
	router_nat "$1" "masquerade fully-random"
}

# router_port NODE - port-restricted: what home routers mostly are
router_port() {
	router_nat "$1" "masquerade persistent"
}

# router_full_cone NODE INSIDE - whoever sends to the outside gets to the host INSIDE
router_full_cone() {
	router_nat "$1" "masquerade persistent" 'iifname "eth0" ct status dnat accept' "
			chain back {
				type nat hook prerouting priority dstnat
				iifname \"eth0\" udp dport >= 1024 dnat to $2
			}"
}

# router_address NODE INSIDE - address-restricted: the same, for those that were
# sent to from inside
router_address() {
	router_nat "$1" "masquerade persistent" 'iifname "eth0" ct status dnat accept' "
			set sent_to {
				type ipv4_addr
				size 1024
				flags dynamic, timeout
				timeout 5m
			}
			chain note {
				type filter hook forward priority filter - 1
				oifname \"eth0\" update @sent_to { ip daddr }
			}
			chain back {
				type nat hook prerouting priority dstnat
				iifname \"eth0\" ip saddr @sent_to udp dport >= 1024 dnat to $2
			}"
}

# router_firewall NODE - passes what is begun inside, IPv4 and IPv6, and changes
# no address
router_firewall() {
	at "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	at "$1" nft -f - <<-'NFT'
		table inet firewall {
			counter from_outside { }
			chain through {
				type filter hook forward priority filter
				policy drop
				ct state established,related accept
				iifname "eth0" counter name from_outside drop
				accept
			}
		}
	NFT
}

# router_drops NODE RULE... - drop what matches one of the rules on its way through,
# besides what the router does already
router_drops() {
	local node=$1 rule

	shift
	at "$node" nft -f - <<-NFT
		table inet drops {
			chain through {
				type filter hook forward priority filter - 10
				$(for rule; do echo "$rule drop"; done)
			}
		}
	NFT
}

# router_forgets NODE [FILTER...] - the flows that it knows, all unless conntrack's
# filter says which: as a reboot does, or a timer that no traffic helps against
router_forgets() {
	local node=$1

	shift
	if [ $# = 0 ]; then
		at "$node" conntrack -F
	else
		# Fails when there is none
		at "$node" conntrack -D "$@" || :
	fi 2> /dev/null > /dev/null
}

# router_moves NODE ADDRESS - its public address becomes another, which the internet
# has a route to
router_moves() {
	local node=$1 address=$2 gateway

	gateway=$(ip -n "$node" -4 route show default)
	gateway=${gateway#*via }
	gateway=${gateway%% *}
	ip -n "$node" address add "$address/32" dev eth0
	ip -n net route replace "$address/32" dev "${topology_uplink[$node]}"
	# In this order there is never no route
	ip -n "$node" address flush dev eth0 to "${topology_address[$node]}"
	ip -n "$node" route replace "$gateway" dev eth0 scope link src "$address"
	ip -n "$node" route replace default via "$gateway" src "$address"
	topology_address[$node]=$address
}

# topology_from_outside NAT - how many packets the NAT saw begin a flow inwards
topology_from_outside() {
	at "$1" nft -j list counter ip nat from_outside |
		sed 's/.*"packets": *\([0-9]*\).*/\1/'
}
