#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# Names that lead to the wrong machine, or nowhere, do no harm beside addresses.
#
#        rv    r1
#          \   /
#           net
#          /   \
#       nat-a  nat-b    symmetric
#         |      |
#         a      b      names are looked up in a file that lies
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 5

topology_servers
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
node_pair a b
for node in a b; do
	# ip netns exec shows these as /etc/hosts and /etc/resolv.conf
	mkdir -p "/etc/netns/$node"
	echo "${topology_address[r1]} lies.example.org" > "/etc/netns/$node/hosts"
	echo "nameserver 192.0.2.1" > "/etc/netns/$node/resolv.conf"
	for name in lies.example.org:5292 nowhere.example.org:443; do
		printf '\n[Rendezvous]\nPublicKey = %s\nAddress = %s\n' \
			"$(key "$name")" "$name" >> "${topology_config[$node]}"
	done
done
ktap_check "the nodes run" eval "node_start a && node_start b"
ktap_check "a stream of 1 MiB" talk_stream a b 7000 1
ktap_check "datagrams both ways" talk_datagrams b a 7002
ktap_check "the name that lies is told of" \
	wait_for 'grep -q "lies.example.org.*Noise\|lies.example.org.*key\|lies.example.org.*closed" $topology_dir/a.log'
ktap_check "the name that leads nowhere is told of" \
	wait_for 'grep -q "cannot resolve nowhere.example.org" $topology_dir/a.log' 60

[ "$ktap_failures" = 0 ] || logs
ktap_done
