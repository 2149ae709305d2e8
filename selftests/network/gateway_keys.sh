#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A gateway that only those may use whom its administrator lists: they say who they
# are, to it alone, and others are refused.
#
#        rv    r1
#          \   |
#           - net ------- nat-b - b
#               |
#             nat-a              symmetric; Laya on it, GatewayKeys = a b
#             /   \
#            a     c             ProbeMapped = no
#
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 12

topology_servers r1
topology_far r1
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind c nat-a
topology_behind b nat-b
topology_gateway nat-a "GatewayKeys = $(key a) $(key b)"
node_rendezvous nat-a rv
node_pair a b
node_config c "ProbeMapped = no"
node_rendezvous c rv
node_peer c b
node_peer b c
for host in a c; do
	printf '\n[Gateway]\nPublicKey = %s\nIdentify = yes\n' "$(key nat-a)" \
		>> "${topology_config[$host]}"
done

# known NODE KEY - a node's kernel has a peer with that key
known() {
	at "$1" layactl show -j | grep -qF "$2"
}

ktap_check "the nodes run" eval \
	'node_start nat-a && node_start b && node_start a && node_start c'
ktap_check "a, which is listed, attaches itself to the gateway" \
	wait_for 'grep -q "attached to the gateway" "$topology_dir/a.log"' 30
ktap_check "and says that it is a" known nat-a "$(key a)"
ktap_check "c, which is not, is refused" \
	wait_for 'grep -q "a stranger wants to attach" "$topology_dir/nat-a.log"' 30
ktap_check "and attached to the relay" \
	wait_for 'grep -q "attached to the forwarder" "$topology_dir/c.log"' 30
ktap_refuse "the gateway does not forward for c" known nat-a "$(key c)"
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7000 1
ktap_check "by the gateway" wait_for '[ "$(path b a kind)" = gateway ]' 30
ktap_check "a stream of 1 MiB from b to c" talk_stream b c 7001 1
ktap_equal "by the relay" relay "$(path b c kind)"

# Listed no more: what it had ends with the restart
sed -i "s|^GatewayKeys = .*|GatewayKeys = $(key b)|" "${topology_config[nat-a]}"
ktap_check "the gateway restarts with another list" \
	eval 'node_kill nat-a TERM && node_start nat-a'
ktap_refuse "and has forgotten a" known nat-a "$(key a)"

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
