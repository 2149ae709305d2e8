#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Laya on one router, then on the other as well, then on that one alone: whichever
# it is, no relay is needed. Laya on a and b has run before all of it.
#
#        rv    r1
#          \   |
#           - net --
#          /        \
#       nat-a      nat-b     symmetric
#         |          |
#         a          b       ProbeMapped = no; b chooses its gateway by key
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/paced.sh"

ktap_plan 15

topology_internet
topology_public rv
topology_public r1
topology_far r1
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b

rendezvous_start rv
node_config r1 "Forward = public"
node_rendezvous r1 rv
for nat in nat-a nat-b; do
	topology_gateway $nat
	node_rendezvous $nat rv
done
node_config a "ProbeMapped = no"
node_rendezvous a rv
node_peer a b
node_config b "ProbeMapped = no"
printf '\n[Gateway]\nPublicKey = %s\n' "$(key nat-b)" >> "${topology_config[b]}"
node_rendezvous b rv
node_peer b a

# gateways NODE PEER - of which gateways there is a path to the peer that works
gateways() {
	at "$1" layactl show -j | python3 -c '
import json, sys
names = dict(pair.rsplit("=", 1) for pair in sys.argv[2:])
for device in json.load(sys.stdin):
    for peer in device["peers"]:
        if peer["public-key"] == sys.argv[1]:
            print(*sorted({names[path["forwarder"]] for path in peer["paths"]
                if path["kind"] == "gateway" and path["state"] == "usable"
                and "forwarder" in path}))
' "$(key "$2")" "$(key nat-a | sed 's/.*/&=nat-a/')" "$(key nat-b | sed 's/.*/&=nat-b/')"
}
both_by='[ "$(path a b kind)" = gateway ] && [ "$(path b a kind)" = gateway ]'

ktap_check "the hosts run, and no gateway" \
	eval "node_start r1 && node_start a && node_start b"
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_equal "by the relay" relay "$(path a b kind)"
paced_begin a b 7001

# Nobody has told the hosts, and their networks have not changed: they look again
# when their own addresses do.
ktap_check "b's router becomes a gateway" node_start nat-b
at b ip address add 10.99.0.1/32 dev eth0
ktap_check "they move to it" wait_for "$both_by" 30
ktap_equal "which is b's" nat-b "$(gateways a b)"
ktap_check "a's router becomes one too" node_start nat-a
at a ip address add 10.99.0.2/32 dev eth0
ktap_check "so a and b dial each other's" wait_for \
	'[ "$(gateways b a)" = nat-a ] && [ "$(gateways a b)" = nat-b ]' 30
ktap_check "the stream goes on" paced_goes_on

node_kill nat-b TERM
ip -n nat-b link delete laya0
ktap_check "b's is one no more, the stream goes on" paced_goes_on
ktap_check "by a's" wait_for "$both_by && [ \"\$(gateways a b)\" = '' ]" 30
paced_end
ktap_check "every byte arrived" paced_whole
ktap_lasted "and it never stood still for a second" 1000 "$paced_pause"

# Restricted to another key, b does not take what it finds
sed -i "/^\[Gateway\]/{n;s|=.*|= $(key a)|}" "${topology_config[b]}"
node_kill b
ktap_check "nat-b is back, and b restarts with another [Gateway]" \
	eval "node_start nat-b && node_start b"
ktap_check "b does not attach itself to it" wait_for \
	'grep -q "has the key of no \[Gateway\]" "$topology_dir/b.log"'

[ "$ktap_failures" = 0 ] || logs 100
ktap_done
