#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# Two relays, which both hosts are attached to: the nearer one is used, traffic leaves
# it when it is clearly farther away than the other, and stays where it is when that is
# little. When one is gone a third takes its place.
#
#          rv   r1   r2   r3    r1 at 10 ms, r2 at 20 ms; r3 comes later
#           \    |    |   /
#            ---- net ----
#           /             \
#        nat-a           nat-b     symmetric, inbound dropped
#          |               |
#          a               b       ProbeMapped = no
#
# timeout: 900
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/paced.sh"

ktap_plan 22

topology_servers r1 r2
topology_public r3
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
node_pair a b

# away RELAY MS - so long it takes to go there and come back
away() {
	tc -n "$1" qdisc replace dev eth0 root netem delay "$2ms"
}

# relays HOST - those that it is attached to
relays() {
	at "$1" layactl show -j | python3 -c '
import json, sys
names = dict(pair.rsplit("=", 1) for pair in sys.argv[1:])
print(*sorted(names[peer["public-key"]] for device in json.load(sys.stdin)
    for peer in device["peers"] if peer["public-key"] in names
    and any(path["state"] == "usable" for path in peer["paths"])))
' "$(key r1)=r1" "$(key r2)=r2" "$(key r3)=r3"
}

# used NODE PEER - the relays whose path was in use, one after the other. From the log,
# which costs little to look at.
used() {
	local address relay

	sed -n "s/.*$2: path [0-9]* by \([0-9.]*\):.* in use$/\1/p" \
		"$topology_dir/$1.log" | uniq |
	while read -r address; do
		for relay in r1 r2 r3; do
			[ "$address" != "${topology_address[$relay]}" ] || echo $relay
		done
	done
}

# by NODE PEER - the relay that is in use
by() {
	used "$1" "$2" | tail -n 1
}

# moves NODE PEER - how often its traffic has moved to another relay
moves() {
	used "$1" "$2" | wc -l
}

# attached NODE RELAY - it has said that it is
attached() {
	grep -q "attached to the forwarder ${topology_address[$2]}:" \
		"$topology_dir/$1.log"
}

# sends NODE PACKETS - until so many more have been sent, a few dozen a second. That
# takes a while, in which the network shall do nothing but carry them.
sends() {
	local end=$(($(sent "$1") + $2))

	until [ "$(sent "$1")" -ge $end ]; do
		node_lives "$1" || return
		sleep 2
	done
}

sent() {
	at "$1" cat /sys/class/net/laya0/statistics/tx_packets
}

away r1 10
away r2 20
ktap_check "the hosts run" eval "node_start a && node_start b"
ktap_check "they attach to two relays" wait_for \
	"attached a r1 && attached a r2 && attached b r1 && attached b r2" 60
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "the nearer one is used" wait_for \
	'[ "$(by a b)" = r1 ] && [ "$(by b a)" = r1 ]' 60

paced_begin a b 7001
begun=$(moves a b)
away r1 22
ktap_check "much is sent" sends a 2000
ktap_check "to where it is a tenth farther away now" \
	[ "$(path a b rtt-us)" -gt 43000 ]
ktap_equal "traffic stays" "r1 $begun" "$(by a b) $(moves a b)"

# By turns, so that a difference stays where it was
for ms in 20 22 19; do
	away r2 $ms
	sends a 1000
done
ktap_equal "though the other is better and worse by turns" "r1 $begun" \
	"$(by a b) $(moves a b)"

away r1 60
ktap_check "far away: traffic moves" wait_for \
	'[ "$(by a b)" = r2 ] && [ "$(by b a)" = r2 ]' 120
moved=$(moves a b)
ktap_equal "once" $((begun + 1)) "$moved"
ktap_check "much is sent" sends a 2000
ktap_equal "it stays there" "r2 $moved" "$(by a b) $(moves a b)"
ktap_check "the stream goes on" paced_goes_on
ktap_equal "both are attached to both still" "r1 r2, r1 r2" "$(relays a), $(relays b)"

node_config r3 "Forward = public"
node_rendezvous r3 rv
ktap_check "a third relay" node_start r3
ktap_check "is known" wait_for 'grep -q ": registered" "$topology_dir/r3.log"'
ip -n r2 link set eth0 down
ktap_check "the one in use is gone: the stream goes on" paced_goes_on
ktap_check "by another" wait_for '[[ $(by a b) =~ ^r[13]$ ]]'
ktap_check "each host attaches to the third" wait_for \
	"attached a r3 && attached b r3" 90
ktap_equal "and so has two again" "r1 r3, r1 r3" "$(relays a), $(relays b)"
ktap_check "the stream goes on" paced_goes_on
paced_end
ktap_check "every byte arrived" paced_whole

[ "$ktap_failures" = 0 ] || { logs 60; at a layactl show; }
ktap_done
