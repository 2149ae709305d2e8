#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# UDP does not pass: stream carriers do. Each host behind nat-a may use one
# transport; b has UDP, until that is blocked under a stream, and then not any
# more.
#
#        rv    r1          TCP and UDP port 443
#          \   |
#           - net -----.
#              |        \
#            nat-a     nat-b     symmetric, inbound dropped; nat-a: UDP, and TCP
#          /   |   \      |      but to 443, dropped
#        tcp tls wss https b     ProbeMapped = no
#
# timeout: 900
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/paced.sh"

hosts="tcp tls wss https"
ktap_plan 23

topology_internet
topology_public rv
topology_public r1
topology_nat nat-a
topology_nat nat-b
router_drops nat-a "meta l4proto udp" "ct direction original tcp dport != 443"
for host in $hosts; do
	topology_behind "$host" nat-a
done
topology_behind b nat-b

rendezvous_start rv
node_config r1 "Forward = public" "ListenPort = 443"
node_rendezvous r1 rv
for host in $hosts; do
	node_config "$host" "ProbeMapped = no" "Transports = udp $host"
	node_rendezvous "$host" rv
	node_peer "$host" b
done
node_config b "ProbeMapped = no"
node_rendezvous b rv
# shellcheck disable=SC2086 # words
node_peer b $hosts
ktap_check "the nodes run" \
	eval "node_start r1 && node_start b && for h in $hosts; do node_start \$h || break; done"

port=7000
for host in $hosts; do
	port=$((port + 1))
	ktap_check "$host: a stream of 1 MiB to b" \
		talk_stream "$host" b $port 1
	ktap_equal "$host: by a relay, over $host" "relay $host" \
		"$(path "$host" b kind) $(path "$host" b carrier)"
	ktap_check "$host: a stream of 1 MiB from b" \
		talk_stream b "$host" $((port + 100)) 1
	ktap_check "$host: datagrams both ways" \
		talk_datagrams "$host" b $((port + 200))
done

# Two that have none, and one that has it again
ktap_equal "b has UDP" udp "$(path b tcp carrier)"
paced_begin b tcp 7500
ktap_check "a stream from b to tcp runs" paced_goes_on
router_drops nat-b "meta l4proto udp"
ktap_check "UDP is blocked under it: it goes on" \
	wait_for '[ "$(path b tcp carrier)" = tcp ] && paced_goes_on'
at nat-b nft delete table inet drops
ktap_check "UDP is free again: it goes back" \
	wait_for '[ "$(path b tcp carrier)" = udp ]' 30
paced_end
ktap_check "every byte arrived" paced_whole
ktap_equal "nothing began outside of the NATs" "0 0" \
	"$(topology_from_outside nat-a) $(topology_from_outside nat-b)"

[ "$ktap_failures" = 0 ] || { logs 60; at b layactl show; }
ktap_done
