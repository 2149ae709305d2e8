# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2119,SC2154,SC2317
#
# Two hosts whose networks let out nothing but what goes to a forwarder of their own,
# and TCP to the rendezvous; to be sourced after topology.sh. The forwarders reach
# each other, and are the test's to start.
#
#             rv
#              |
#      fa --- net --- fb
#            /   \
#       nat-a     nat-b       symmetric
#         |         |
#         a         b         ProbeMapped = no

# For wait_for: the paths in use of both are by two forwarders. What is asked again and
# again is asked of layactl alone: python takes long to start in some VMs.
confined_two='confined_over_two a && confined_over_two b'
confined_over_two() {
	at "$1" layactl show | grep -q '^[^o]*path.*by two forwarders'
}

# confined_only NAT FORWARDER - what is behind NAT reaches that and the rendezvous
confined_only() {
	at "$1" nft insert rule ip nat through iifname lan \
		ip daddr != "{ ${topology_address[$2]}, ${topology_address[rv]} }" drop
}

# confined_hosts - all of it, with the rendezvous running and the hosts configured
confined_hosts() {
	local node

	topology_internet
	for node in rv fa fb; do
		topology_public $node
	done
	for node in a b; do
		topology_nat nat-$node
		topology_behind $node nat-$node
		confined_only nat-$node f$node
	done
	rendezvous_start rv
	node_pair a b
}

# confined_relay NODE RELAY - the node knows it by its configuration
confined_relay() {
	printf '\n[Relay]\nPublicKey = %s\nAddress = %s:5292\n' "$(key "$2")" \
		"${topology_address[$2]}" >> "${topology_config[$1]}"
}

# confined_own A B FA FB - the path in use of each goes to its own forwarder
confined_own() {
	[[ $(path "$1" "$2" remote) == ${topology_address[$3]}:* ]] &&
		[[ $(path "$2" "$1" remote) == ${topology_address[$4]}:* ]]
}
