#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# The clock is hours wrong, and put right: nodes that met before meet again, whose
# offers have stamps of the future.
#
#        rv    r1    b (public)
#          \   |    /
#           - net --
#              |
#            nat-a     symmetric
#              |
#              a
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 8

topology_servers
topology_public b
topology_nat nat-a
topology_behind a nat-a
node_pair a b

# clock CHANGE - the time of day, but not how long the test has run
clock() {
	local seconds=$SECONDS

	date -s "$1" > /dev/null
	SECONDS=$seconds
}

again() {
	local node

	for node in a b; do
		node_kill "$node" TERM || return
		ip -n "$node" link delete laya0
		node_start "$node" || return
	done
}

ktap_check "the nodes run" eval "node_start a && node_start b"
ktap_check "a stream of 1 MiB" talk_stream a b 7000 1
clock "+7 hours"
ktap_check "it goes on seven hours later" talk_stream b a 7001 1
ktap_check "the nodes restart" again
ktap_check "a stream of 1 MiB" talk_stream a b 7002 1
clock "9 hours ago"
ktap_check "the nodes restart two hours before it began" again
ktap_check "a stream of 1 MiB" talk_stream a b 7003 1
ktap_check "the other way" talk_stream b a 7004 1

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
