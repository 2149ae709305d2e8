#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# A rendezvous and an endpoint are used alike: one is enough, whichever it is.
#
#        rv    r1    b       b listens for signalling
#          \   |    /
#             net
#              |
#            nat-a   symmetric
#              |
#              a             dials b, which cannot dial it
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 11

# direct TEXT - a's show says so of its signalling
direct() {
	at a layactl show | grep -q "direct signalling: .*$1"
}

# registered - with the rendezvous
registered() {
	at a layactl check | grep -q 'rendezvous.*: connected by'
}

topology_servers
topology_public b
topology_nat nat-a
topology_behind a nat-a
node_pair a b "SignalListen = 0.0.0.0:444"
echo "Endpoint = ${topology_address[b]}:444" >> "${topology_config[a]}"

ktap_check "the nodes run" eval "node_start b && node_start a"
ktap_check "a stream of 1 MiB with both" talk_stream a b 7000 1
node_kill rv
ktap_check "the rendezvous is gone, both begin anew" node_anew b a
ktap_check "a stream of 1 MiB from a by the endpoint" talk_stream a b 7001 1
ktap_check "again both begin anew" eval 'node_anew b a && wait_for "direct 444.by"'
ktap_check "a stream of 1 MiB from b, which a has called" talk_stream b a 7002 1

rendezvous_start rv
ktap_check "the rendezvous is back" wait_for registered 120
at b nft -f - << EOT
table inet closed {
	chain in {
		type filter hook input priority 0
		tcp dport 444 reject with tcp reset
	}
}
EOT
ktap_check "the endpoint is closed, both begin anew" node_anew b a
ktap_check "a stream of 1 MiB by the rendezvous" talk_stream a b 7003 1
ktap_check "explain says that the endpoint is refused" eval \
	'at a layactl explain b | grep "endpoint ${topology_address[b]}:444: .*refused"'
at b nft delete table inet closed
ktap_check "open again, it is used again" wait_for "direct 444.by" 120

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
