#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# A NAT reboots under a running stream: all its mappings are gone, and it has
# another public address. The stream goes on, whichever way it flows.
#
#        rv    r1
#          \   /
#           net
#          /   \
#       nat-a  nat-b    symmetric, inbound dropped
#         |      |
#         a      b      ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

command -v conntrack > /dev/null || ktap_skip_all "no conntrack here"
ktap_plan 8

topology_servers
talk_pace r1
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
node_pair a b
ktap_check "the nodes run" eval "node_start a && node_start b"

reboot() { # NAT ADDRESS
	router_moves "$1" "$2"
	router_forgets "$1"
}

ktap_check "a stream of 16 MiB from a to b runs" \
	eval "talk_flow a b 7000 16 && talk_flow_at 4"
reboot nat-a 198.51.100.250
ktap_check "a's NAT rebooted before its end" talk_flow_runs
ktap_check "it arrives whole" talk_flow_whole
ktap_check "a stream of 16 MiB from b to a runs" \
	eval "talk_flow b a 7001 16 && talk_flow_at 4"
reboot nat-a 198.51.100.251
ktap_check "a's NAT rebooted before its end" talk_flow_runs
ktap_check "it arrives whole" talk_flow_whole
ktap_check "datagrams both ways" talk_datagrams a b 7002

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
