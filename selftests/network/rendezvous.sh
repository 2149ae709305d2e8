#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# The rendezvous is down at the start, restarts under a running stream, and one of
# two is gone for good.
#
#        rv   rv2   r1
#          \   |   /
#           - net -
#            /   \
#       nat-a     nat-b    symmetric
#         |         |
#         a         b      ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 10

topology_servers
talk_pace r1
topology_public rv2
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
node_pair a b
node_rendezvous a rv2
node_rendezvous b rv2
node_kill rv
ktap_check "the nodes run without a rendezvous" eval "node_start a && node_start b"
ktap_check "a peer that cannot be found is told of" eval \
	"! at a timeout 120 layactl nc b 7000 < /dev/null 2> $topology_dir/said && grep . $topology_dir/said"
rendezvous_start rv
ktap_check "a stream of 1 MiB once the rendezvous is there" \
	eval 'wait_for "talk_stream a b 7001 1" 60'

ktap_check "a stream of 16 MiB runs" eval "talk_flow a b 7002 16 && talk_flow_at 1"
node_kill rv
rendezvous_start rv
ktap_check "the rendezvous restarted before its end" talk_flow_runs
ktap_check "it arrives whole" talk_flow_whole

# rv2 with rv gone: who knows only rv2 from now on finds who knows both
node_kill rv
rendezvous_start rv2
ktap_check "the relay and the nodes restart" eval \
	"node_rendezvous r1 rv2 && node_kill r1 && node_start r1 &&
	 node_kill a && ip -n a link delete laya0 && node_start a"
ktap_check "a stream of 1 MiB by the second rendezvous" \
	eval 'wait_for "talk_stream a b 7003 1" 60'
ktap_check "and the other way" talk_stream b a 7004 1
ktap_check "datagrams both ways" talk_datagrams a b 7005

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
