#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# Several relays, two of which each host holds: new hosts go where there is room,
# those that are attached stay, and a relay that is gone is replaced.
#
#     rv   r1   r3   r4     rv is a relay too; it and r1 take four hosts at most
#       \   |    |   /
#        --- net ---
#       /   |   |   \
#      a    b   c    d       a and b are there before r3 and r4
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 10

topology_internet
topology_public rv 4
for node in r1 r3 r4 a b c d; do
	topology_public $node 4
done
rendezvous_start rv --relay --relay-hosts 4
for relay in r1 r3 r4; do
	node_config $relay "Forward = public"
	node_rendezvous $relay rv
done
sed -i '2i ForwardHosts = 4' "${topology_config[r1]}"
for host in a b c d; do
	node_config $host
	node_rendezvous $host rv
	# The load is told with labels
	node_peer $host nobody
done

# relays HOST - those that it is attached to
relays() {
	at "$1" layactl show -j | python3 -c '
import json, sys
names = dict(pair.rsplit("=", 1) for pair in sys.argv[1:])
print(*sorted(names[peer["public-key"]] for device in json.load(sys.stdin)
    for peer in device["peers"] if peer["public-key"] in names
    and any(path["state"] == "usable" for path in peer["paths"])))
' "$(key r1)=r1" "$(key r3)=r3" "$(key r4)=r4" "$(key rv)=rv"
}

ktap_check "a relay with as little room" node_start r1
ktap_check "and two hosts" eval 'node_start a && node_start b'
ktap_check "have both, since there are no others" wait_for \
	'[ "$(relays a)" = "r1 rv" ] && [ "$(relays b)" = "r1 rv" ]' 30
ktap_check "two more relays" eval 'node_start r3 && node_start r4'
ktap_check "are known to the rendezvous" wait_for \
	'[ "$(grep -l ": registered" "$topology_dir"/r[34].log | wc -l)" = 2 ]'
ktap_check "and two more hosts" eval 'node_start c && node_start d'
ktap_check "go there" wait_for \
	'[ "$(relays c)" = "r3 r4" ] && [ "$(relays d)" = "r3 r4" ]' 60
ktap_equal "those that are attached stay" "r1 rv, r1 rv" "$(relays a), $(relays b)"

# No room, no choice: there are always two
node_kill r4
ip -n r4 link delete laya0
ktap_check "a relay is gone: its hosts take what there is" wait_for \
	'[[ $(relays c) =~ ^(r1 r3|r3 rv)$ ]] && [[ $(relays d) =~ ^(r1 r3|r3 rv)$ ]]' 90
ktap_equal "the others have both still" "r1 rv, r1 rv" "$(relays a), $(relays b)"

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
