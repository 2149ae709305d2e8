#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two hosts on one switch behind one NAT: the path does not leave the switch.
#
#        rv    r1
#          \   /
#           net
#            |
#          nat-a     symmetric, no hairpin
#          /   \
#         a     b    ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 5

topology_internet
topology_public rv
topology_public r1
topology_nat nat-a
topology_behind a nat-a
topology_behind b nat-a

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

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "a reaches b on the LAN" wait_for '[ "$(path a b kind)" = lan ]'
ktap_check "b reaches a on the LAN" wait_for '[ "$(path b a kind)" = lan ]'
ktap_check "datagrams both ways" talk_datagrams a b 7002

[ "$ktap_failures" = 0 ] || logs
ktap_done
