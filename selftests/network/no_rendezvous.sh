#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# Two hosts that have met find each other again without any rendezvous: all
# programs of theirs end, and their sessions with them; the rendezvous is gone for
# good; a relay that they were attached to carries their offers.
#
#      rv (killed)   r1 (relay in the kernel)   r2 (the same as a program)
#           \         |                        /
#            -------- net --------------------
#                    /    \
#                nat-a    nat-b     symmetric
#                  |        |
#                  a        b       ProbeMapped = no
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

# remembers NODE PEER - both forwarders of the peer, and its own
remembers() {
	local file=$topology_dir/$1.state/known relay

	for relay in r1 r2; do
		grep -q "^$(key "$2") .* $(key "$relay")$" "$file" 2> /dev/null &&
			grep -q "^- .* $(key "$relay")$" "$file" || return
	done
}

# forget NODE - its layad ends, and all that the kernel has of it
forget() {
	node_kill "$1" TERM
	ip -n "$1" link delete laya0
}

# again NODE - and is attached where it was
again() {
	: > "$topology_dir/$1.log"
	node_start "$1" &&
		wait_for "grep -q 'attached to the forwarder' $topology_dir/$1.log" 60
}

# meet_again - without anything but the relays
meet_again() {
	forget a && forget b && again a && again b
}

topology_internet
for node in rv r1 r2; do
	topology_public $node
done
topology_nat nat-a
topology_nat nat-b
topology_behind a nat-a
topology_behind b nat-b
node_pair a b
for node in a b; do
	printf '\n[Relay]\nPublicKey = %s\nAddress = %s\n' "$(key r2)" \
		"${topology_address[r2]}:5292" >> "${topology_config[$node]}"
done
rendezvous_start rv
rendezvous_start r2 --relay
node_config r1 "Forward = public"
node_rendezvous r1 rv

ktap_plan 16
ktap_check "the nodes run" eval "node_start r1 && node_start a && node_start b"
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7000 1
ktap_check "both remember where" wait_for 'remembers a b && remembers b a'
ktap_equal "for nobody else to read" "600 600" \
	"$(stat -c %a "$topology_dir/a.state/known" "$topology_dir/b.state/known" | xargs)"
node_kill rv
forget a
printf '%s\n' "nonsense" "- 1 2 3" "$(key b) -1 203.0.113.1:1 $(key b)" \
	"$(head -c 300 /dev/zero | tr '\0' x)" >> "$topology_dir/a.state/known"
ktap_check "what else is in the file is passed over, and told of" \
	eval "again a && grep -q 'known: .*what could be read is used' $topology_dir/a.log"
ktap_check "all begins anew without the rendezvous" meet_again
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7001 1
ktap_check "and so once more" meet_again
ktap_check "a stream of 1 MiB from b to a" talk_stream b a 7002 1
ktap_check "datagrams both ways" talk_datagrams a b 7003

ktap_check "the forwarder in the kernel carried offers" \
	grep -q 'an offer is carried to it' "$topology_dir/r1.log"

# A relay that was not configured, but told of, is gone: the other one is enough.
node_kill r1
ktap_check "all begins anew without the first relay" meet_again
ktap_check "a stream of 1 MiB from a to b" talk_stream a b 7004 1
ktap_check "the relay without the module carried offers" \
	grep -q 'is carried by a forwarder' "$topology_dir/a.log" "$topology_dir/b.log"

# Whom it does not know any more it does not answer.
at b layactl peer del a
forget a
again a
: > "$topology_dir/b.log"
ktap_refuse "who is no peer any more is not answered" at a timeout 60 layactl nc b 7005
ktap_refuse "whoever carries his offers" grep -q 'new session' "$topology_dir/b.log"

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
