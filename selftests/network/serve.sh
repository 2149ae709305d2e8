#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Servers take every transport on their port: a rendezvous, a public relay, and
# a node that forwards for its peers. What is seen of them is a web server.
#
#     rv (certificate given)   r1 (public, its own)   r2 (peers)
#                 \                |                 /
#                  '------------- net --------------'
#                                  |
#                                  c     dials by tcp, tls, wss, https
# shellcheck disable=SC2016,SC2119,SC2154,SC2317 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"

transports="tcp tls wss https"

# reach TRANSPORT NODE PORT PROLOGUE - a channel from c, whose server proves its key
reach() {
	[ "$(at c laya-dial "$1" "${topology_address[$2]}" "$3" "$(key "$2")" "$4")" = ready ]
}

# carrier TRANSPORT NODE PORT - a carrier of c's, until let_go
carrier() {
	at c laya-dial "$1" "${topology_address[$2]}" "$3" carrier \
		>> "$topology_dir/carriers.log" 2>&1 &
}

let_go() {
	ip netns pids c | xargs -r kill
}

# carriers NODE [TYPE] - how many stream carriers the kernel has there, which have
# brought a packet
carriers() {
	at "$1" laya-nl -d carrier-get dev=laya0 |
		grep -E " type=${2:-[2-5]} " | grep -c ' rx-packets=1 '
}

# shown NODE PORT - the certificate, its fingerprint
shown() {
	at c openssl s_client -connect "${topology_address[$1]}:$2" \
		< /dev/null 2> /dev/null | openssl x509 -noout -fingerprint
}

# web ARGUMENT... - what a web server answers
web() {
	at c curl -sk --max-time 20 -o /dev/null -w '%{http_code}' "$@"
}

ktap_plan 30
topology_internet
topology_public rv
topology_public r1
topology_public r2
topology_public c

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj /CN=rendezvous.test -days 2 -keyout "$topology_dir/tls.key" \
	-out "$topology_dir/tls.crt" 2> /dev/null
ktap_check "the rendezvous runs" rendezvous_start rv \
	--certificate "$topology_dir/tls.crt" --key "$topology_dir/tls.key"
node_config r1 "Forward = public"
node_config r2 "Forward = peers"
ktap_check "the relay runs" node_start r1
ktap_check "the peer that forwards runs" node_start r2

for transport in $transports; do
	ktap_check "$transport to the rendezvous" \
		reach "$transport" rv 443 rendezvous
	ktap_check "$transport to the relay" reach "$transport" r1 5292 attach
done
ktap_check "a rendezvous is no relay" eval '! reach tls rv 443 attach'

ktap_equal "the rendezvous shows the certificate that it was given" \
	"$(openssl x509 -noout -fingerprint -in "$topology_dir/tls.crt")" \
	"$(shown rv 443)"
fingerprint=$(shown r1 5292)
ktap_check "the relay shows one of its own" [ -n "$fingerprint" ]
ktap_equal "others find a web server at the rendezvous" 404 \
	"$(web "https://${topology_address[rv]}:443/")"
ktap_equal "and at the relay" 404 \
	"$(web "https://${topology_address[r1]}:5292/laya")"
ktap_equal "without TLS too" 404 "$(web "http://${topology_address[r1]}:5292/")"

# numbers of enum laya_carrier_type
declare -A type=([tcp]=2 [tls]=3 [wss]=4 [https]=5)
for transport in $transports; do
	carrier "$transport" r1 5292
	ktap_check "a carrier by $transport is the kernel's" \
		wait_for "[ \$(carriers r1 ${type[$transport]}) = 1 ]"
done
let_go
ktap_check "they end with the dialler" wait_for '[ $(carriers r1) = 0 ]'

for _ in $(seq 20); do
	carrier tcp r2 5292
done
ktap_check "one source has 16 carriers at a peer" \
	wait_for '[ $(grep -c closed "$topology_dir/carriers.log") = 4 ]'
ktap_equal "and no more" 16 "$(carriers r2)"
let_go
ktap_check "then they end" wait_for '[ $(carriers r2) = 0 ]'
carrier tcp r2 5292
ktap_check "and there is room for another" wait_for '[ $(carriers r2) = 1 ]'

carrier tls r1 5292
ktap_check "a pumped carrier lives" wait_for '[ $(carriers r1) = 1 ]'
ktap_check "a relay with a pumped carrier ends when it is told to" \
	node_kill r1 TERM
ktap_check "it runs again" node_start r1
ktap_check "it shows the same certificate" \
	wait_for '[ "$(shown r1 5292)" = "$fingerprint" ]'

[ "$ktap_failures" = 0 ] || logs
ktap_done
