#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# Streams of 4 MiB over links of 1280, 1124 and 576 bytes, over one that drops what
# is larger than 1280 without a word, and over one that becomes so under the stream.
#
#        rv    r1
#          \   /
#           net
#          /   \
#       nat     nat-b     symmetric
#        |        |
#      16-mtu-*   b       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 16

topology_servers
talk_pace r1
topology_nat nat-b
topology_behind b nat-b
hosts=()
for file in "$(dirname "$0")"/../networks/16-*.sh; do
	# shellcheck source=/dev/null
	. "$file"
	name=$(basename "$file" .sh)
	build "$name"
	hosts+=("$name")
done
node_config b "ProbeMapped = no"
node_rendezvous b rv
for name in "${hosts[@]}"; do
	node_config "$name" "ProbeMapped = no"
	node_rendezvous "$name" rv
	node_peer "$name" b
	node_peer b "$name"
	node_launch "$name"
done
node_start b
for name in "${hosts[@]}"; do
	ktap_check "$name runs" node_wait "$name"
	ktap_check "a stream of 4 MiB from $name" talk_stream "$name" b 7000 4
	ktap_check "a stream of 4 MiB to $name" talk_stream b "$name" 7001 4
done

# b's network was wide so far
talk_flow 16-mtu-1280 b 7002 8
talk_flow_at 2
at b ethtool -K eth0 tso off gso off tx-udp-segmentation off
at net ethtool -K "${topology_uplink[nat-b]}" tso off gso off tx-udp-segmentation off
router_drops nat-b "ip length > 1100"
ktap_check "a stream whose path becomes narrower arrives whole" talk_flow_whole

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
