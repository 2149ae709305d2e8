#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# A VPN takes the default route of a host under a running stream, and gives it back:
# both in order, and as when its far end dies. The stream goes on.
#
#        rv    r1    vpn       symmetric NAT, WireGuard
#          \   |    / :
#           - net --  :
#          /        \ :
#       nat-a      nat-b       symmetric
#         |          |
#         b          a -- tun0
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"
. "$(dirname "$0")/paced.sh"

ktap_plan 13

topology_servers
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
# shellcheck source=/dev/null
. "$(dirname "$0")/../networks/30-vpn.sh"
vpn_far a
node_pair a b
ktap_check "the nodes run" eval "node_start a && node_start b"
paced_begin a b 7000
ktap_check "a stream runs" paced_goes_on

# through NODE - packets of ours to the relay leave by the VPN now
through_vpn() {
	at a-vpn conntrack -L -p udp --dport 5292 2> /dev/null | grep -q 10.251.0.2
}

vpn_up a
ktap_check "a VPN has the default route: it goes on" paced_goes_on
ktap_check "through the VPN" wait_for through_vpn 30
vpn_down a
ktap_check "the VPN is gone: it goes on" paced_goes_on
paced_end
ktap_check "every byte arrived" paced_whole
ktap_lasted "within a second each time" 1000 "$paced_pause"

paced_begin b a 7001
vpn_up a
ktap_check "a stream to a goes on as well" paced_goes_on
ktap_check "when it came" wait_for through_vpn 30
# The tunnel stays, and nothing comes out of it any more
ip -n a-vpn link set tun0 down
sleep 2
vpn_down a
ktap_check "its far end dies, and then it is gone: it goes on" paced_goes_on 20
paced_end
ktap_check "every byte arrived" paced_whole
ktap_check "a new stream of 1 MiB" talk_stream a b 7002 1
ktap_equal "by a relay, over UDP" "relay udp" "$(path a b kind) $(path a b carrier)"

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
