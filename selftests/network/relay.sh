#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two programs behind two symmetric NATs talk; neither NAT lets anything in.
#
#        rv (rendezvous)   r1 (relay)
#              \           /
#               -- net ----
#              /           \
#          nat-a           nat-b     symmetric, inbound dropped and counted
#            |               |
#            a               b       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 12

topology_internet
topology_public rv
topology_public r1
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b

rendezvous_start rv
node_config r1 "Forward = public"
node_rendezvous r1 rv
node_config a "ProbeMapped = no"
node_rendezvous a rv
node_peer a b
node_config b "ProbeMapped = no"
node_rendezvous b rv
node_peer b a
ktap_check "the relay runs" node_start r1
ktap_check "a runs" node_start a
ktap_check "b runs" node_start b

ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_equal "a reaches b by a relay" relay "$(path a b kind)"
ktap_equal "over UDP" udp "$(path a b carrier)"
ktap_equal "b reaches a by a relay" relay "$(path b a kind)"
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7001 1
ktap_check "datagrams both ways" talk_datagrams a b 7002
ktap_check "an unmodified program: ping over laya0" \
	at a ping -c 3 -i 0.2 -W 10 "$(at a layactl addr b)"
ktap_equal "nothing began outside of a's NAT" 0 "$(topology_from_outside nat-a)"
ktap_equal "nothing began outside of b's NAT" 0 "$(topology_from_outside nat-b)"

[ "$ktap_failures" = 0 ] || logs
ktap_done
