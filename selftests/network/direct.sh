#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One of the two hosts is reachable: no relay is used, whoever begins.
#
#        rv    r1    b (public)
#          \   |    /
#           - net --
#              |
#            nat-a     symmetric, inbound dropped and counted
#              |
#              a       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 7

topology_internet
topology_public rv
topology_public r1
topology_public b
topology_nat nat-a
topology_behind a nat-a

rendezvous_start rv
node_config r1 "Forward = public"
node_rendezvous r1 rv
node_config a "ProbeMapped = no"
node_rendezvous a rv
node_peer a b
node_config b "ProbeMapped = no"
node_rendezvous b rv
node_peer b a
ktap_check "the nodes run" eval "node_start r1 && node_start a && node_start b"

# b, whom anybody can reach, begins: the path is still dialled by a
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7000 1
ktap_check "b reaches a directly" wait_for '[ "$(path b a kind)" = direct ]' 60
ktap_check "a reaches b directly" wait_for '[ "$(path a b kind)" = direct ]' 60
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7001 1
ktap_check "datagrams both ways" talk_datagrams b a 7002
ktap_equal "nothing began outside of a's NAT" 0 "$(topology_from_outside nat-a)"

[ "$ktap_failures" = 0 ] || logs
ktap_done
