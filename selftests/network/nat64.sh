#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A host that has IPv6 alone, in a world that has IPv4 alone: by the NAT64 of its
# network, whose prefix DNS tells (RFC 7050), or nobody does.
#
#        rv    r1         IPv4 only
#          \   |
#           - net --
#          /        \
#       nat64       nat-b    symmetric
#         |           |
#       told, untold  b      the first two: IPv6 only
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/../networks/proxies.sh"

command -v tayga > /dev/null || ktap_skip_all "there is no tayga"
ktap_plan 6

topology_internet
topology_public rv 4
topology_public r1 4
topology_public nat64
topology_nat nat-b
topology_routed told nat64 6
topology_routed untold nat64 6
topology_behind b nat-b
router_firewall nat64
router_nat64 nat64

# What a DNS64 makes of ipv4only.arpa, 192.0.0.170
mkdir -p /etc/netns/told /etc/netns/untold
echo "2001:db8:64::c000:aa ipv4only.arpa" > /etc/netns/told/hosts
for node in told untold; do
	echo "nameserver 192.0.2.1" > /etc/netns/$node/resolv.conf
done

rendezvous_start rv
node_config r1 "Forward = public"
node_rendezvous r1 rv
node_config b "ProbeMapped = no"
node_rendezvous b rv
node_peer b told untold
for node in told untold; do
	node_config $node "ProbeMapped = no"
	# As people write it, wherever they are
	printf '\n[Rendezvous]\nPublicKey = %s\nAddress = %s:443\n' \
		"$(key rv)" "${topology_address[rv]}" \
		>> "${topology_config[$node]}"
	node_peer $node b
done
ktap_check "the nodes run" \
	eval "node_start r1 && node_start b && node_start told && node_start untold"
ktap_check "the prefix is found" \
	wait_for 'grep -q "which is 2001:db8:64::/96" $topology_dir/told.log'
ktap_check "or supposed" \
	wait_for 'grep -q "perhaps 64:ff9b::/96" $topology_dir/untold.log' 60
# There is nothing behind the supposed one here
ktap_check "a stream of 1 MiB to b" talk_stream told b 7000 1
ktap_check "a stream of 1 MiB from b" talk_stream b told 7001 1
ktap_equal "by a relay, over UDP" "relay udp" \
	"$(path told b kind) $(path told b carrier)"

[ "$ktap_failures" = 0 ] || logs
ktap_done
