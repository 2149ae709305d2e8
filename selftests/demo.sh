#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make demo`: two programs behind two symmetric NATs talk, told on the
# terminal. On the host it boots a VM with the stock kernel and runs itself
# there.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" != --inside ]; then
	echo "Booting a VM with a stock kernel; nothing is loaded into this machine's."
	exec "$here/vm.sh" -k 6.12 -t 1500 -- "$here/demo.sh" --inside
fi

. "$here/ktap.sh"
. "$here/network/topology.sh"
. "$here/network/talk.sh"

bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
[ -t 1 ] || [ -n "${LAYA_COLOR:-}" ] || bold='' dim='' plain=''

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '  %s\n' "$*"; }
die() {
	printf '\n%sThe demo failed:%s %s\n' "$bold" "$plain" "$*"
	logs 40
	exit 1
}

say "1. The networks"
cat <<'PICTURE'

       rendezvous         relay
      198.51.100.6    198.51.100.10
              \         /
               the internet
              /         \
        NAT of alice   NAT of bob      symmetric: a random port for each flow;
             |            |            what begins outside is dropped, counted
           alice         bob
PICTURE
topology_internet
topology_public rv
topology_public relay
topology_nat nat-alice
topology_nat nat-bob
topology_behind alice nat-alice
topology_behind bob nat-bob

rendezvous_start rv || die "laya-rendezvous does not start"
node_config relay "Forward = public"
node_rendezvous relay rv
node_start relay || die "layad of the relay does not start"
for node in alice bob; do
	node_config $node "ProbeMapped = no"
	node_rendezvous $node rv
done
node_peer alice bob
node_peer bob alice
node_start alice || die "layad of alice does not start"
node_start bob || die "layad of bob does not start"

say "2. Who is where"
for node in alice bob; do
	tell "$(printf '%-6s has the key      %s' $node "$(key $node)")"
	tell "       and the address  $(at $node layactl addr "$(key $node)")"
	tell "       at               ${topology_address[$node]}, which is private"
done

say "3. Alice connects to bob by key: a file of 16 MiB over socket(AF_LAYA, SOCK_STREAM)"
tell "bob\$   layactl nc -l alice 7000 > file"
tell "alice\$ layactl nc bob 7000 < file"
file=$(talk_file 16)
started=$(date +%s.%N)
talk_stream alice bob 7000 16 || die "the file did not arrive whole"
tell "${dim}SHA-256 at both ends: $(sha256sum < "$file" | cut -c 1-32)...${plain}"
python3 -c 'import sys, time
seconds = time.time() - float(sys.argv[1])
print(f"  16 MiB in {seconds:.1f} s, connecting included: {16 * 8.388608 / seconds:.1f} Mbit/s in this VM")' "$started"

say "4. Datagrams, SOCK_DGRAM, both ways"
talk_datagrams alice bob 7001 || die "datagrams did not arrive"
sed 's/^/  bob heard:   /' "$topology_dir/there" | head -n 1
sed 's/^/  alice heard: /' "$topology_dir/back" | head -n 1

say "5. An unmodified program: iperf3 over laya0"
at bob iperf3 -s -1 -B "$(at alice layactl addr bob)" > "$topology_dir/iperf3.log" 2>&1 &
wait_for "at bob ss -Hltn 'sport = :5201' | grep -q ." || die "iperf3 does not listen"
tell "alice\$ iperf3 -6 -c $(at alice layactl addr bob)"
at alice timeout 120 iperf3 -6 -c "$(at alice layactl addr bob)" -t 5 -J > "$topology_dir/iperf3.json" ||
	die "iperf3: $(cat "$topology_dir/iperf3.json")"
python3 -c '
import json, sys
end = json.load(open(sys.argv[1]))["end"]
print("  received %.1f Mbit/s" % (end["sum_received"]["bits_per_second"] / 1e6))
' "$topology_dir/iperf3.json"

say "6. The path in use"
tell "alice\$ layactl ping -c 5 bob"
at alice layactl ping -c 5 bob | sed 's/^/  /' || die "no answer to ping"
at alice layactl show | sed 's/^/  /'
[ "$(path alice bob kind)" = relay ] || die "the path is not over the relay"

say "7. What the NATs saw begin outside"
from=0
for nat in nat-alice nat-bob; do
	n=$(topology_from_outside $nat)
	tell "$nat: $n"
	from=$((from + n))
done
[ $from = 0 ] || die "something began outside"

say "Alice and bob talked by who they are. Neither opened a port."
