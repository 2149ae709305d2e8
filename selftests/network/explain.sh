#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# clock: virtual
#
# layactl explain and check say what is the matter: explain_faults.sh has the
# network and the faults, of which each is injected once.
# shellcheck disable=SC2016,SC2119,SC2317,SC2034,SC2154 # for wait_for; and of others
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/explain_faults.sh"

ktap_plan 50

# What these set has to outlive them, so they are not for ktap_check.
faults_topology
ktap_equal "the network is there" 0 $?

# explain FAULT CONNECTED - what a says of b, with that fault and no other
explain() {
	local fault=$1 connected=$2 text

	faults_begin "$fault"
	ktap_equal "$fault: a and b run" 0 $?
	text=$(at a layactl explain b)
	ktap_equal "$fault: the exit status tells whether they are connected" \
		"$connected" $?
	ktap_equal "$fault: that is named, and nothing else" "$fault" \
		"$(faults_named <<< "$text")" || ktap_note "$text"
}

explain none 0
text=$(at a layactl explain b)
# shows NAME PATTERN - a line of what was explained is like that
shows() {
	ktap_check "$1" grep -Eq "$2" <<< "$text" || ktap_note "$text"
}
shows "it tells the path in use" \
	'^b, .*: connected, relay/udp 198\.51\.100\.10:5292'
shows "and why not a better one" \
	'relay [0-9.]* ms is preferred to direct: direct does not answer'
shows "a candidate without an answer has its probes counted" \
	'host .* no answer .* UDP: no answer to [0-9]* probes over [0-9]+ m?s'
shows "a path with an answer has its figures" \
	'relay .* in use .* answers in [0-9.]* ms, path MTU 1436'
shows "what the peer tries is told" \
	'relay .* usable .* answers in|relay .* nothing came'
# In JSON the same
ktap_equal "JSON tells it to programs" "True in use no answer" "$(at a layactl explain -j b |
	python3 -c '
import json, sys
told = json.load(sys.stdin)
verdicts = {c["type"]: c["verdict"] for c in reversed(told["candidates-received"])}
print(told["connected"], verdicts["relay"], verdicts["host"])')"
check=$(at a layactl check)
ktap_equal "check finds nothing wrong" 0 $?
text=$check
shows "check: UDP" '^ok +UDP: 198\.51\.100\.10:5292 answers'
shows "check: no NAT" '^ok +NAT: none: 198\.51\.100\.[0-9]* is this machine'
shows "check: rendezvous" '^ok +rendezvous: 198\.51\.100\.6:443: connected by tcp'
shows "check: path MTU" '^ok +path MTU: 1436 to 198\.51\.100\.10:5292'
shows "check: routers" '^ok +IPv4: 198.* leads outside by 198\.51\.100\.[0-9]* \(eth0\)'
text=$(at b layactl check)
shows "check: a NAT" '^ok +NAT: this machine is behind one, and is seen at 198\.51\.100\.18'
shows "check: one relay does not tell how it maps" '^unknown +mapping: one relay'
shows "check: no IPv6" '^note +IPv6: no default route'
ktap_refuse "a peer that is not configured" at a layactl explain "$(key nobody)"
ktap_refuse "a name that is none" at a layactl explain nobody
faults_end none

explain rendezvous-down 1
ktap_refuse "check says that no rendezvous is there" at a layactl check
faults_end rendezvous-down

explain relay-udp-dropped 0
text=$(at a layactl check)
shows "check: UDP is blocked" '^note +UDP: 198\.51\.100\.10:5292, .* UDP: no answer to [0-9]+ probe'
faults_end relay-udp-dropped

for fault in relay-closed peer-unknown peer-does-not-know-us preshared-key; do
	explain $fault 1
	faults_end $fault
done
for fault in probe-mapped-no small-mtu no-ipv6; do
	explain $fault 0
	faults_end $fault
done

[ "$ktap_failures" = 0 ] || logs
ktap_done
