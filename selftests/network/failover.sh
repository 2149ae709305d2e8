#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The relay in use dies under a running stream, and a second one is there: the
# stream goes on within a second, without an error, and every byte arrives.
#
#        rv    r1    r2
#          \   |    /
#           - net --
#          /        \
#       nat-a      nat-b    symmetric, inbound dropped
#         |          |
#         a          b      ProbeMapped = no
#
# clock: virtual
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/paced.sh"

ktap_plan 7

topology_internet
topology_public rv
topology_public r1
topology_public r2
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b

rendezvous_start rv
for relay in r1 r2; do
	node_config $relay "Forward = public"
	node_rendezvous $relay rv
done
node_config a "ProbeMapped = no"
node_rendezvous a rv
node_peer a b
node_config b "ProbeMapped = no"
node_rendezvous b rv
node_peer b a
ktap_check "the nodes run" \
	eval "node_start r1 && node_start r2 && node_start a && node_start b"
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1

# usable NODE PEER - addresses of forwarders with a usable path
usable() {
	at "$1" layactl show -j | python3 -c '
import json, sys
for device in json.load(sys.stdin):
    for peer in device["peers"]:
        if peer["public-key"] == sys.argv[1]:
            print("\n".join(sorted({path["remote"].rsplit(":", 1)[0]
                for path in peer["paths"] if path["state"] == "usable"})))
' "$(key "$2")"
}
ktap_check "paths over both relays are usable" \
	wait_for '[ "$(usable a b | wc -l)" = 2 ] && [ "$(usable b a | wc -l)" = 2 ]' 30

paced_begin a b 7001

# The relay whose path is in use goes as a machine that loses its power does
address=$(path a b remote | sed 's/:[0-9]*$//')
victim=r1
[ "$address" = "${topology_address[r1]}" ] || victim=r2
ktap_note "a reaches b over $victim ($address)"
ip -n "$victim" link set eth0 down
ktap_check "the stream goes on over the other relay" paced_goes_on
ktap_check "both ends say so" wait_for \
	'[ "$(path a b remote)" != "" ] && ! path a b remote | grep -qF "$address:" && ! path b a remote | grep -qF "$address:"'
paced_end
ktap_check "every byte arrived" paced_whole
ktap_lasted "within a second" 1000 "$paced_pause"

[ "$ktap_failures" = 0 ] || logs
ktap_done
