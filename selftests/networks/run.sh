#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The matrix: a host in each of the networks NN-*.sh, all up at once in one machine,
# and every host connected with every other. In a VM (selftests/vm.sh); `make matrix`
# does that.
#
#       rv (rendezvous)  r1, r2 (relays; r2 at port 443)
#                 \        /
#                  -- net ------------------
#                 /        \                 \
#            01-public   ...nat -- 02-...   ...fw -- 07-...
#
#   run.sh [-r] [-m off|on] [-o FILE] [WORD...]
#
#     -r       a ring: each host with the next one only, that is two for each
#     -m MODE  only with ProbeMapped off, or on
#     -o FILE  JSON of what was seen
#     WORD     only conditions whose name has one of the words
#
# A condition is a file that sets
#
#   title      for people
#   families   the address families that it gives: "4", "6", "4 6"
#   open       those in which anybody may send to the host's own address
#   mapping    "one" port for all destinations, or "each" its own (routers.sh)
#   filter     who is let in: "anybody", "address", "port"
#   udp        "any" unless set; empty where none passes; the only port; "few" flows
#   carrier    what its packets must go by, where there is only one way
#   bulk       bytes of its streams, where it takes many to see the condition
#   lines      what its configuration has in [Node] besides
#   names      "yes" where servers must be dialled by name: rv.example.org, and
#              r2.example.org as r2 tells; their certificate is of the CA of the test
#   needs      what Laya must have to cross it; left out until it has (see below)
#
# and has a function build HOST, which makes the node HOST behind the node "net", of
# topology.sh and routers.sh. To have your office's network in the matrix, add a file.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../ktap.sh"
. "$here/../network/topology.sh"
. "$here/proxies.sh"

# What of "needs" there is; the conditions that there are need nothing
has=""

ring='' modes="off on" output=$topology_dir/cells.json
while getopts rm:o: option; do
	case $option in
	r) ring=1 ;;
	m) modes=$OPTARG ;;
	o) output=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
words=("$@")
rm -f "$output"

wanted() {
	local word

	[ ${#words[@]} -gt 0 ] || return 0
	for word in "${words[@]}"; do
		[[ $1 == *"$word"* ]] && return 0
	done
	return 1
}

# --- the networks ---

topology_internet
topology_public rv
topology_public r1
topology_public r2

# certificate - for rv and r2, by name and address, of the CA of the test
certificate() {
	local new=(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
		-days 2) tls=$topology_dir/tls

	"${new[@]}" -subj "/CN=CA of the test" -keyout "$topology_dir/ca.key" \
		-out "$topology_dir/ca.pem" &&
		"${new[@]}" -subj /CN=example.org -CA "$topology_dir/ca.pem" \
			-CAkey "$topology_dir/ca.key" -keyout "$tls.key" -out "$tls.pem" \
			-addext basicConstraints=critical,CA:false \
			-addext "subjectAltName=DNS:rv.example.org,DNS:r2.example.org,\
IP:${topology_address[rv]},IP:${topology_address[r2]}"
}
certificate 2> /dev/null
for server in rv r2; do
	echo "${topology_address[$server]} $server.example.org"
done > "$topology_dir/names"

hosts=()
later=()
declare -A own peers named
for file in "$here"/[0-9]*.sh; do
	name=$(basename "$file" .sh)
	wanted "$name" || continue
	lines='' title='' families='' open='' mapping='' filter='' udp=any carrier='' bulk='' names='' needs=''
	# shellcheck source=/dev/null
	. "$file"
	for need in $needs; do
		[[ " $has " == *" $need "* ]] || {
			later+=("$name"$'\t'"$title"$'\t'"$needs")
			continue 2
		}
	done
	build "$name" || {
		later+=("$name"$'\t'"$title"$'\t'"a program that is not installed")
		continue
	}
	hosts+=("$name")
	key "$name" > /dev/null
	own[$name]=$lines
	named[$name]=$names
	peers[$name]=$(node_peer_lines "$name")
	printf '%s\t' "$name" "$title" "$families" "$open" "$mapping" "$filter" \
		"$udp" "$carrier" "$bulk" >> "$topology_dir/hosts"
	key "$name" >> "$topology_dir/hosts"
done
printf '%s\n' "${later[@]}" > "$topology_dir/later"

count=${#hosts[@]}
pairs=$((ring ? count : count * (count - 1) / 2))
ktap_plan $((pairs * $(wc -w <<< "$modes")))
for line in "${later[@]}"; do
	ktap_note "not yet: ${line//$'\t'/, }"
done

# --- the programs, and the pairs ---

rendezvous_start rv --certificate "$topology_dir/tls.pem" --key "$topology_dir/tls.key"
node_config r1 "Forward = public"
node_config r2 "Forward = public" "ListenPort = 443" "HostName = r2.example.org" \
	"TlsCertificate = $topology_dir/tls.pem" "TlsKey = $topology_dir/tls.key"
for node in r1 r2; do
	node_rendezvous $node rv
	node_start $node
done

status=0
number=0
for mode in $modes; do
	mapped=no option=()
	[ "$mode" = off ] || mapped=yes option=(--mapped)
	for node in "${hosts[@]}"; do
		node_config "$node" "ProbeMapped = $mapped" "${own[$node]}"
		node_rendezvous "$node" rv
		[ -z "${named[$node]}" ] ||
			echo "HostName = rv.example.org" >> "${topology_config[$node]}"
		for peer in "${hosts[@]}"; do
			[ "$peer" = "$node" ] || printf '\n%s\n' "${peers[$peer]}"
		done >> "${topology_config[$node]}"
		: > "$topology_dir/$node.log"
		node_launch "$node"
	done
	# Who is not there yet cannot be found: over a slow network that takes a while
	for node in "${hosts[@]}"; do
		wait_for "grep -q 'attached to the forwarder' $topology_dir/$node.log" 30 ||
			ktap_note "$node has no forwarder"
	done
	ktap_note "all $count hosts run after $SECONDS s"
	"$here/pairs.py" ${ring:+--ring} "${option[@]}" --number $number \
		--timeout $((30 * ktap_slow)) "$topology_dir" "$output" || status=1
	number=$((number + pairs))
	for node in "${hosts[@]}"; do
		kill "$(< "$topology_dir/$node.pid")"
	done
	for node in "${hosts[@]}"; do
		wait_for "! node_lives $node"
		ip -n "$node" link delete laya0
	done
done
if [ "$output" != "$topology_dir/cells.json" ]; then
	cp "$topology_dir/hosts" "${output%.json}.hosts"
	cp "$topology_dir/later" "${output%.json}.later"
fi
exit $status
