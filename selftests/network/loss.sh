#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 64 MiB over a network that loses, reorders and repeats packets.
#
#        rv    r1    b (public)
#          \   |    /
#           - net --     5% loss, reordering, duplicates, both ways at a
#              |
#            nat-a
#              |
#              a
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 2

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

netem="loss 5% duplicate 1% delay 2ms 1ms reorder 10% 50% limit 10000"
# shellcheck disable=SC2086 # words
tc -n a qdisc add dev eth0 root netem $netem
# shellcheck disable=SC2086 # words
tc -n nat-a qdisc add dev lan root netem $netem
TALK_TIMEOUT=1200
ktap_check "64 MiB arrive whole" talk_stream a b 7000 64

[ "$ktap_failures" = 0 ] || logs
ktap_done
