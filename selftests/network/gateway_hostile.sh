#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a gateway must not let others do, and what it cannot do to others.
#
#        rv    r1    v (a bystander)
#          \   |    /
#           - net ------- b      a node whose port is known
#               |
#             nat-a              keeps ports where it can; Laya on it
#             /   \
#            a     c             c sends from the gateway's port
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 14

topology_internet
topology_public rv
topology_public r1
topology_far r1
topology_public v
topology_public b
topology_nat nat-a
topology_behind a nat-a
topology_behind c nat-a
topology_gateway nat-a
at nat-a nft flush chain ip nat out
at nat-a nft add rule ip nat out oifname eth0 masquerade

rendezvous_start rv
node_config r1 "Forward = public"
node_rendezvous r1 rv
node_rendezvous nat-a rv
node_config a "ProbeMapped = no"
node_rendezvous a rv
node_peer a b
node_config b "ProbeMapped = no" "ListenPort = 7777"
node_rendezvous b rv
node_peer b a

# knock NODE ADDRESS - ask the gateway for its key: prints how many bytes it says
knock() {
	at "$1" timeout 20 python3 -c '
import socket, sys
s = socket.create_connection((sys.argv[1], 5292), 10)
s.sendall(b"\0\x09laya key?")
s.settimeout(10)
try:
    print(len(s.recv(100)))
except ConnectionError:
    print(0)
' "$2"
}
ktap_check "the gateway runs" eval "node_start r1 && node_start nat-a"
outside=${topology_address[nat-a]}
ktap_equal "a host inside is told the gateway's key" 34 \
	"$(knock c "${topology_address[c]%.*}.1")"
ktap_equal "at the anycast address too" 34 "$(knock c 192.0.0.10)"
ktap_equal "and at the outside address" 34 "$(knock c "$outside")"
ktap_equal "who is outside is told nothing" 0 "$(knock v "$outside")"

# c has a flow from the gateway's port to b, and to another port of b's
at b python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 9999))
while True:
    data, address = s.recvfrom(100)
    s.sendto(str(address[1]).encode(), address)
' &
at c python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 5292))
s.settimeout(0.2)
address, folder = sys.argv[1:]
while True:
    s.sendto(b"mine", (address, 7777))
    s.sendto(b"echo", (address, 9999))
    try:
        data, source = s.recvfrom(2000)
        open(f"{folder}/c.{source[1]}", "ab").write(data + b"\n")
        time.sleep(0.05)
    except TimeoutError:
        pass
' "${topology_address[b]}" "$topology_dir" &
ktap_check "c sends from the gateway's port, and has its answers" \
	wait_for 'grep -qx 5292 "$topology_dir/c.9999"'

# way NODE PEER KIND - there is a path of that kind that works
way() {
	at "$1" layactl show -j | python3 -c '
import json, sys
sys.exit(not any(path["kind"] == sys.argv[2] and path["state"] == "usable"
    for device in json.load(sys.stdin)
    for peer in device["peers"] if peer["public-key"] == sys.argv[1]
    for path in peer["paths"]))' "$(key "$2")" "$3"
}
ktap_check "the hosts run" eval "node_start a && node_start b"
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7000 1
ktap_check "b reaches a by the gateway, from that very port" \
	wait_for "way b a gateway" 30
ktap_refuse "c got nothing of it" [ -e "$topology_dir/c.7777" ]
ktap_check "and has its own answers still" eval \
	'rm "$topology_dir/c.9999"; wait_for "grep -qx 5292 $topology_dir/c.9999"'

# A gateway that tells an address which is not its own
at v nft -f - <<-'NFT'
	table inet seen {
		counter probes { }
		chain in {
			type filter hook input priority filter
			udp dport 5292 counter name probes
		}
	}
NFT
seen() {
	at v nft -j list counter inet seen "$1" |
		sed 's/.*"packets": *\([0-9]*\).*/\1/'
}
ip -n nat-a address add "${topology_address[v]}/32" dev eth0
ktap_check "the relay does not dial what the gateway tells" wait_for \
	'grep -q "is not seen at its gateway.*${topology_address[v]}:" "$topology_dir/r1.log"' 30
ktap_check "a stream of 4 MiB from a to b" talk_stream a b 7001 4
ktap_equal "nothing went there" 0 "$(seen probes)"

[ "$ktap_failures" = 0 ] || logs 100
ktap_done
