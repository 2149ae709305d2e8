#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# layad is killed at both hosts under a running stream: the stream goes on.
# Restarted, both adopt what the kernel has, and rekey when it is time.
#
#        rv    r1
#          \   /
#           net
#          /   \
#       nat-a  nat-b    symmetric, inbound dropped
#         |      |
#         a      b      ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 10

# So that a new session is due within the test
modprobe laya rekey_after_sec=20

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
ktap_check "the nodes run" eval "node_start r1 && node_start a && node_start b"

at b layactl nc -l a 7001 < /dev/null > "$topology_dir/got" \
	2>> "$topology_dir/b.log" &
reader=$!
wait_for "talk_listening b 7001"
python3 -c '
import os, sys, time
end = time.monotonic() + 300
with open(sys.argv[1], "wb") as sent:
    while not os.path.exists(sys.argv[2]) and time.monotonic() < end:
        block = os.urandom(4096)
        sent.write(block)
        sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        time.sleep(0.02)
' "$topology_dir/sent" "$topology_dir/stop" |
	at a layactl nc b 7001 > /dev/null 2>> "$topology_dir/a.log" &
writer=$!

grows() {
	local before now

	before=$(stat -c %s "$topology_dir/got")
	wait_for "[ \$(stat -c %s $topology_dir/got) -gt $((before + 40960)) ]"
}
ktap_check "a stream from a to b runs" grows

# age NODE PEER - of the current session, in milliseconds: it only grows
age() {
	at "$1" layactl show -j | python3 -c '
import json, sys
for device in json.load(sys.stdin):
    for peer in device["peers"]:
        if peer["public-key"] == sys.argv[1]:
            for session in peer["sessions"]:
                if session["slot"] == "current":
                    print(session["age-ms"])
' "$(key "$2")"
}

ktap_check "both layads are killed" eval "node_kill a && node_kill b"
ktap_check "it goes on without layad" grows
before=$(age a b)
ktap_check "the session is still there" [ -n "$before" ]
ktap_check "a's layad starts again" node_start a
ktap_check "b's layad starts again" node_start b
ktap_check "and they make a new session" \
	wait_for '[ "$(age a b)" -lt "$before" ]' 60
ktap_check "the stream goes on" grows
touch "$topology_dir/stop"
wait $writer
wait $reader
ktap_check "every byte arrived" talk_same "$topology_dir/sent" "$topology_dir/got"

[ "$ktap_failures" = 0 ] || logs
ktap_done
