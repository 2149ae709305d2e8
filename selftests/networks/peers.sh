#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The networks of run.sh crossed by others: by ICE, which is libnice at the hosts
# (laya-ice) and coturn where Laya has relays, and by plain WireGuard, whose hosts are
# told where the others are seen from outside. Each host with those of some classes;
# by Laya as well, to compare with. In a VM; `make matrix-peers` does that.
#
#   peers.sh [-o FOLDER] [WORD...]
#
#     -o FOLDER  for {ice,wireguard,laya}.json
#     WORD       only conditions whose name has one of the words
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/networks.sh"

classes=01-public,04-port-restricted,05-symmetric,08-udp-blocked
output=$topology_dir
while getopts o: option; do
	case $option in
	o) output=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
rm -f "$output"/{ice,wireguard,laya}.json

# turn_start NODE PORT - a STUN and TURN server at both of its addresses
turn_start() {
	local node=$1 port=$2

	ip netns exec "$node" turnserver -n --listening-port "$port" --lt-cred-mech \
		--user laya:secret --realm example.org --no-tls --no-dtls --no-cli \
		--listening-ip "${topology_address[$node]}" \
		--listening-ip "${topology_address6[$node]}" \
		--relay-ip "${topology_address[$node]}" \
		--relay-ip "${topology_address6[$node]}" \
		--pidfile "$topology_dir/$node.turn.pid" --userdb "$topology_dir/$node.turn.db" \
		--log-file stdout --simple-log > "$topology_dir/$node.turn.log" 2>&1 &
	echo $! > "$topology_dir/$node.pid"
	wait_for "at $node ss -Hltn 'sport = :$port' | grep -q ." 30
	servers+=("${topology_address[$node]},$port" "${topology_address6[$node]},$port")
}

networks_build "$@"
pairs=0
for ((i = 0; i < ${#hosts[@]}; i++)); do
	proxy=$(sed -n 's/^Proxy = //p' <<< "${own[${hosts[i]}]}")
	[ -z "$proxy" ] || echo "$proxy" > "$topology_dir/${hosts[i]}.proxy"
	for ((j = i + 1; j < ${#hosts[@]}; j++)); do
		[[ ,$classes, != *,${hosts[i]},* && ,$classes, != *,${hosts[j]},* ]] ||
			pairs=$((pairs + 1))
	done
done
ktap_plan $((pairs * 3))

servers=()
turn_start r1 3478
turn_start r2 443
number=0
for system in ice wireguard; do
	"$here/peers.py" --with "$classes" --servers "${servers[*]}" --number $number \
		$system "$topology_dir" "$output/$system.json" || exit 1
	number=$((number + pairs))
done
node_kill r1 TERM
node_kill r2 TERM

networks_servers
networks_start yes
"$here/pairs.py" --with "$classes" --number $number --mapped \
	--timeout $((30 * ktap_slow)) "$topology_dir" "$output/laya.json"
status=$?
networks_stop
cp "$topology_dir/hosts" "$output/peers.hosts"
exit $status
