#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# A box that kills TCP connections, without a word or by RST: streams over UDP do
# not notice, and who was cut off from the rendezvous is found there again.
#
#        rv    r1    b
#          \   |    /
#           - net --
#              |
#            nat-a     symmetric; what it does not know is dropped, or reset
#              |
#              a       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

command -v conntrack > /dev/null || ktap_skip_all "no conntrack here"
ktap_plan 7

topology_servers
topology_public b
talk_pace b
topology_nat nat-a
topology_behind a nat-a
at nat-a sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
at nat-a nft insert rule ip nat through ct state invalid drop
node_pair a b
ktap_check "the nodes run" eval "node_start a && node_start b"

# b has not met a yet, and asks where nobody knows that a is cut off
router_forgets nat-a -p tcp
ktap_check "a is found again after a connection was cut without a word" \
	eval 'wait_for "talk_stream b a 7000 1" 60'

ktap_check "a stream of 16 MiB runs" eval "talk_flow b a 7001 16 && talk_flow_at 2"
router_forgets nat-a -p tcp
ktap_check "TCP was cut before its end" talk_flow_runs
ktap_check "it arrives whole" talk_flow_whole

# Now by RST, and b forgets what it knows of a
at nat-a nft insert rule ip nat through ct state invalid meta l4proto tcp \
	reject with tcp reset
router_forgets nat-a -p tcp
ktap_check "b restarts" eval \
	"node_kill b && ip -n b link delete laya0 && node_start b"
ktap_check "a is found again after a connection was reset" \
	eval 'wait_for "talk_stream b a 7002 1" 60'

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
