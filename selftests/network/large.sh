#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A stream of 1 GiB over SOCK_STREAM, straight; 64 MiB where every access to
# memory is checked.
#
#        rv
#         \
#          net ---- b
#         /
#        a            both public
#
# timeout: 900
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 4

mib=1024
case ${LAYA_KERNEL:-} in uml|debug) mib=64 ;; esac

topology_internet
for node in rv a b; do
	topology_public $node
done
rendezvous_start rv
for node in a b; do
	node_config $node
	node_rendezvous $node rv
done
node_peer a b
node_peer b a
ktap_check "the nodes run" eval "node_start a && node_start b"

# count FILE - pass on nothing, say how many bytes came and their SHA-256
count() {
	python3 -c '
import hashlib, sys
digest, total = hashlib.sha256(), 0
while block := sys.stdin.buffer.read1(1 << 20):
    digest.update(block)
    total += len(block)
print(total, digest.hexdigest())' > "$1"
}

# Random, and each MiB with its number, so that nothing can take the place of
# anything else
produce() {
	python3 -c '
import hashlib, os, sys
digest, total, block = hashlib.sha256(), 0, os.urandom((1 << 20) - 8)
for number in range(int(sys.argv[1])):
    piece = number.to_bytes(8, "big") + block
    sys.stdout.buffer.write(piece)
    digest.update(piece)
    total += len(piece)
sys.stdout.buffer.flush()
print(total, digest.hexdigest(), file=open(sys.argv[2], "w"))' "$mib" "$1"
}

at b layactl nc -l a 7000 < /dev/null 2>> "$topology_dir/b.log" |
	count "$topology_dir/got" &
reader=$!
ktap_check "b listens" wait_for "talk_listening b 7000"
produce "$topology_dir/sent" |
	at a layactl nc b 7000 > /dev/null 2>> "$topology_dir/a.log"
wait $reader
ktap_equal "$mib MiB arrive whole" "$(cat "$topology_dir/sent")" \
	"$(cat "$topology_dir/got")"
ktap_equal "straight" direct "$(path a b kind)"

[ "$ktap_failures" = 0 ] || logs
ktap_done
