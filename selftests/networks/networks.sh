# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# A host in each of the networks NN-*.sh, the servers, and Laya's programs; run.sh,
# which says what such a file has, and peers.sh source this.
#
#       rv (rendezvous)  r1, r2 (relays; r2 at port 443)
#                 \        /
#                  -- net ------------------
#                 /        \                 \
#            01-public   ...nat -- 02-...   ...fw -- 07-...
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../ktap.sh"
. "$here/../network/topology.sh"
. "$here/proxies.sh"

# What of "needs" there is; the conditions that there are need nothing
has=""

hosts=()
later=()
declare -A own peers named

# networks_wanted NAME WORD...
networks_wanted() {
	local name=$1 word

	shift
	[ $# -gt 0 ] || return 0
	for word; do
		[[ $name == *"$word"* ]] && return 0
	done
	return 1
}

# networks_certificate - for rv and r2, by name and address, of the CA of the test
networks_certificate() {
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

# networks_condition FILE - the host of that condition, or a line in "later"
networks_condition() {
	local name need
	local lines='' title='' families='' open='' mapping='' filter='' udp=any \
		carrier='' bulk='' names='' needs=''

	name=$(basename "$1" .sh)
	# shellcheck source=/dev/null
	. "$1"
	for need in $needs; do
		[[ " $has " == *" $need "* ]] || {
			later+=("$name"$'\t'"$title"$'\t'"$needs")
			return
		}
	done
	build "$name" || {
		later+=("$name"$'\t'"$title"$'\t'"a program that is not installed")
		return
	}
	hosts+=("$name")
	key "$name" > /dev/null
	own[$name]=$lines
	named[$name]=$names
	peers[$name]=$(node_peer_lines "$name")
	printf '%s\t' "$name" "$title" "$families" "$open" "$mapping" "$filter" \
		"$udp" "$carrier" "$bulk" >> "$topology_dir/hosts"
	key "$name" >> "$topology_dir/hosts"
}

# networks_build WORD... - all of it but the programs
networks_build() {
	local server file

	topology_internet
	topology_public rv
	topology_public r1
	topology_public r2
	networks_certificate 2> /dev/null
	for server in rv r2; do
		echo "${topology_address[$server]} $server.example.org"
	done > "$topology_dir/names"
	for file in "$here"/[0-9]*.sh; do
		networks_wanted "$(basename "$file" .sh)" "$@" &&
			networks_condition "$file"
	done
	printf '%s\n' "${later[@]}" > "$topology_dir/later"
}

# networks_servers - the rendezvous and the relays begin to run
networks_servers() {
	local node

	rendezvous_start rv --certificate "$topology_dir/tls.pem" --key "$topology_dir/tls.key"
	node_config r1 "Forward = public"
	node_config r2 "Forward = public" "ListenPort = 443" "HostName = r2.example.org" \
		"TlsCertificate = $topology_dir/tls.pem" "TlsKey = $topology_dir/tls.key"
	for node in r1 r2; do
		node_rendezvous $node rv
		node_start $node
	done
}

# networks_start MAPPED - layad at each host; ProbeMapped is "yes" or "no"
networks_start() {
	local node peer

	for node in "${hosts[@]}"; do
		node_config "$node" "ProbeMapped = $1" "${own[$node]}"
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
	ktap_note "all ${#hosts[@]} hosts run after $SECONDS s"
}

# networks_stop - and end it, with the devices
networks_stop() {
	local node

	for node in "${hosts[@]}"; do
		kill "$(< "$topology_dir/$node.pid")"
	done
	for node in "${hosts[@]}"; do
		wait_for "! node_lives $node"
		ip -n "$node" link delete laya0
	done
}
