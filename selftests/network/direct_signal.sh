#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 900
#
# Condition 25: no internet, and no rendezvous anywhere. b listens, a and c dial.
#
#        a ---- sw ---- b        one switch, no router, no DNS
#                |
#                c               b does not know it
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 18

# endpoint NODE PORT - where the last peer of the configuration listens
endpoint() {
	echo "Endpoint = $2" >> "${topology_config[$1]}"
}

# direct NODE TEXT - show says so of its signalling
direct() {
	at "$1" layactl show | grep -q "direct signalling: .*$2"
}

# explains NODE PEER TEXT
explains() {
	at "$1" layactl explain -W 5 "$2" > "$topology_dir/explained"
	grep -qF -- "$3" "$topology_dir/explained" || {
		cat "$topology_dir/explained"
		return 1
	}
}

topology_node sw
n=0
for node in a b c; do
	topology_join $node sw
	topology_ip $node "link set eth0 up" "address add 192.168.7.$((++n))/24 dev eth0"
done

node_config a
node_peer a b
endpoint a 192.168.7.2:443
node_config b "SignalListen = 192.168.7.2:443 [::]:444"
node_peer b a
ktap_check "the nodes run" eval "node_start b && node_start a"
ktap_check "a stream of 1 MiB from who dials" talk_stream a b 7000 1
ktap_check "show says how a signals" direct a "192.168.7.2:443 by tcp"
ktap_check "and b" direct b "192.168.7.1:[0-9]*, called"
ktap_check "datagrams both ways" talk_datagrams a b 7001

ktap_check "both begin anew, and a calls" eval \
	'node_anew a b && wait_for "direct b called"'
ktap_check "a stream of 1 MiB from who was called" talk_stream b a 7002 1

node_kill b
ktap_check "b goes, and a says so" wait_for 'direct a "not connected"'
ip -n b link delete laya0
ktap_check "b is back, and asks a at once" eval \
	'node_start b && wait_for "direct b called" 90 && talk_stream b a 7003 1'

# Forwarder and signalling on one port, by TLS
node_config b "SignalListen = 0.0.0.0:5292" "ListenPort = 5292" "Forward = peers"
node_peer b a
node_config a "Transports = udp, tls"
node_peer a b
endpoint a 192.168.7.2:5292
ktap_check "one port serves signalling and attachments" eval \
	'node_anew b a && talk_stream a b 7004 1 && direct a "5292 by tls"'

node_config c
node_peer c b
endpoint c 192.168.7.2:5292
ktap_check "a stranger runs" node_start c
ktap_refuse "it is refused" at c timeout 60 layactl nc b 7005 < /dev/null
ktap_check "and can say why" explains c b \
	"endpoint 192.168.7.2:5292: it closes the connection: has its configuration a [Peer] with this node's key?"
ktap_check "b can say whose key it was" eval \
	'at b layactl explain -j a | grep "\"stranger\": \"$(key c)\""'
ktap_check "b has no session with it" eval \
	'! at b layactl show | grep -q "$(key c)"'

node_config c
node_peer c b
endpoint c 192.168.7.2:446
ktap_check "a wrong port is named" eval \
	'node_anew c && explains c b "endpoint 192.168.7.2:446: " && explains c b "onnection refused"'

node_config c
node_peer c a
endpoint c 192.168.7.2:5292
ktap_check "and that another listens there" eval \
	'node_anew c && explains c a "is its public key the right one?"'

ktap_check "a peer with an endpoint is added at run time" eval \
	'node_config c && node_config b "SignalListen = 192.168.7.2:443" && node_peer b c &&
	 node_anew b c && at c layactl peer add b "$(key b)" endpoint 192.168.7.2:443 &&
	 talk_stream c b 7006 1'

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
