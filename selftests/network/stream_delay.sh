#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# A relay passes on what comes by UDP over a slower stream: what waits for that does not
# stand there, so that others who go the same way are not held up by those who send much.
#
#        rv    r1          what goes to b passes at 2 Mbit/s
#          \   |
#           - net -.
#          /        \
#         a          b     public; b's UDP is dropped
#
# timeout: 900
# shellcheck disable=SC2016,SC2119,SC2154,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 8

topology_servers
topology_public a 4
topology_public b 4
at b nft -f - <<-'NFT'
	table inet no_udp {
		chain out {
			type filter hook output priority filter
			oifname "eth0" meta l4proto udp drop
		}
	}
NFT
node_pair a b
tc -n net qdisc add dev "${topology_uplink[b]}" root tbf rate 2mbit burst 4kb \
	limit 20kb

# round_trip N - the middle one of so many from a to b, in milliseconds
round_trip() {
	at a layactl ping -j -i 0.2 -W 5 -c "$1" b | python3 -c '
import json, sys
times = sorted(reply["time-ms"] for reply in json.load(sys.stdin)["replies"])
print(int(times[len(times) // 2]) if times else "")
'
}

ktap_check "the nodes run" eval "node_start a && node_start b"
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_equal "a reaches b by UDP" udp "$(path a b carrier)"
ktap_check "b has a stream to the relay" eval '[ "$(path b a carrier)" != udp ]'
ktap_lasted "a round trip over an idle line" 100 "$(round_trip 5)"

ktap_check "a stream of 8 MiB runs" eval "talk_flow a b 7001 8 && talk_flow_at 1"
ktap_lasted "a round trip beside it" 400 "$(round_trip 40)"
ktap_check "it arrives whole" talk_flow_whole

[ "$ktap_failures" = 0 ] || { logs 60; at r1 layactl show; }
ktap_done
