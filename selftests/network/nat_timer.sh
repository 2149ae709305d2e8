#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# A host that only receives, behind a NAT that forgets idle UDP flows after 15 s,
# stays reachable; and comes back when the NAT forgets flows that are not idle.
#
#        rv    r1    b (public)
#          \   |    /
#           - net --
#              |
#            nat-a     symmetric, UDP mappings last 15 s
#              |
#              a       ProbeMapped = no; says nothing by itself
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

command -v conntrack > /dev/null || ktap_skip_all "no conntrack here"
ktap_plan 6

topology_servers
topology_public b
topology_nat nat-a
topology_behind a nat-a
at nat-a sysctl -qw net.netfilter.nf_conntrack_udp_timeout=15 \
	net.netfilter.nf_conntrack_udp_timeout_stream=15
node_pair a b
ktap_check "the nodes run" eval "node_start a && node_start b"

# What idles is all that there is to see: longer than two lives of a mapping
idle=$((SECONDS + 35))
wait_for '[ $SECONDS -gt $idle ]' 60
ktap_check "b reaches a that has said nothing for 35 s" talk_stream b a 7000 1
idle=$((SECONDS + 35))
wait_for '[ $SECONDS -gt $idle ]' 60
ktap_check "and again" talk_stream b a 7001 1
ktap_equal "no packet came to a mapping that was gone" 0 \
	"$(topology_from_outside nat-a)"

router_forgets nat-a
ktap_check "a stream from b to a after the NAT forgot all" talk_stream b a 7002 1
router_forgets nat-a -p udp
ktap_check "datagrams, after it forgot again" talk_datagrams b a 7003

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
