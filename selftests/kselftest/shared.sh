#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets that others hold as well: listeners that look at them only later, copies by
# tc, pages of files that were sent from. Nobody finds them changed.
#
#	 a ------- eth0 ------- b	a, b: listeners on eth0 and laya0
#	laya0                 laya0	b: eth0 mirrored to dummy0, a listener there
#
#	 a -- net 1 -- m -- net 2 -- b	m sends sealed runs on, out of a file's pages
#	laya0       shared.py      laya0
#
# timeout: 1800
#
# shellcheck disable=SC2016,SC2154 # conditions are for wait_for; pair.sh sets some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

tmp=$(mktemp -d)
clean() {
	exec 5>&-
	pair_clean
	ip netns delete m 2> /dev/null
}

on() { # NODE COMMAND...
	ip netns exec "$@"
}

py() { # NODE VERB...
	local node=$1

	shift
	on "$node" timeout 1500 python3 "$here/shared.py" "$@"
}

# Its name is that of what it is to be: "a-eth0". They end with descriptor 5
listener() { # NODE DEVICE
	py "$1" capture "$2" "$tmp/$1-$2" < "$tmp/end" > "$tmp/$1-$2.said" &
	listeners+=($!)
}

# A file from a to b over laya0, in its own pages; b's digest in $digest
stream() {
	on b timeout 1500 python3 "$here/path.py" serve 6000 > "$tmp/served" &
	server=$!
	wait_for 'grep -q listening $tmp/served' 300
	on a timeout 1500 python3 "$here/path.py" send_file "${pair_orchid_b:?}" 6000 \
		"$tmp/file"
	wait $server
	read -r _ _ digest < <(tail -n 1 "$tmp/served")
}

sum() { # FILE
	sha256sum < "$1" | cut -d ' ' -f 1
}

# Nothing of it is to be read in what was sealed
hidden() { # FILE
	! grep -aq plaintext "$1"
}

kept() { # FILE: how many packets a listener has seen, of UDP and of TCP
	sed -n 's/^kept //p' "$tmp/$1.said"
}

# --- listeners and copies ---

heard() { # FAMILY
	pair_setup "$1" || ktap_skip_all "no two nodes"
	trap 'clean; rm -rf "$tmp"' EXIT
	ip -n b link add dummy0 type dummy
	ip -n b link set dummy0 up
	on b tc qdisc add dev eth0 clsact
	on b tc filter add dev eth0 ingress matchall \
		action mirred egress mirror dev dummy0 ||
		ktap_skip_all "no copies by tc here"
	rm -f "$tmp/end" "$tmp"/*.said "$tmp"/*.runs
	mkfifo "$tmp/end"
	listeners=()
	for one in a-eth0 a-laya0 b-eth0 b-laya0 b-dummy0; do
		listener "${one%-*}" "${one#*-}"
	done
	exec 5> "$tmp/end"
	wait_for '[ $(cat $tmp/*.said | grep -c listening) = 5 ]' 300 || exit
	stream
	exec 5>&-
	wait "${listeners[@]}"

	ktap_note "b heard: $(kept b-eth0) on eth0, $(kept b-laya0) on laya0," \
		"$(kept b-dummy0) copies"
	ktap_equal "IPv$1: the stream arrives" "$(sum "$tmp/plain")" "$digest"
	ktap_equal "the file is as it was" "$(sum "$tmp/plain")" "$(sum "$tmp/file")"
	ktap_equal "whoever listened above the sender has it as well" \
		"$(sum "$tmp/plain")" "$(sum "$tmp/a-laya0")"
	ktap_equal "and above the receiver" \
		"$(sum "$tmp/plain")" "$(sum "$tmp/b-laya0")"
	ktap_check "below the sender it was sealed" hidden "$tmp/a-eth0"
	ktap_check "and is so below the receiver still" hidden "$tmp/b-eth0"
	# Of single packets one listener may have heard more, at begin and end
	ktap_equal "runs of it are the same there" "$(sum "$tmp/a-eth0.runs")" \
		"$(sum "$tmp/b-eth0.runs")"
	ktap_check "copies are sealed" hidden "$tmp/b-dummy0"
	ktap_check "there were such, and runs" test -s "$tmp/a-eth0.runs" -a \
		"$(wc -c < "$tmp/b-dummy0")" -gt "$(wc -c < "$tmp/plain")"
	clean
}

# --- what comes in lies in a file ---

spliced() {
	for node in a b m; do
		ip netns add $node
		ip -n $node link set lo up
	done
	ip link add eth0 netns a type veth peer name eth1 netns m
	ip link add eth0 netns b type veth peer name eth2 netns m
	pair_address a eth0 198.18.1.1
	pair_address m eth1 198.18.1.9
	pair_address m eth2 198.18.2.9
	pair_address b eth0 198.18.2.2
	for end in "a eth0" "b eth0" "m eth1" "m eth2"; do
		ip -n "${end% *}" link set "${end#* }" up
	done
	rm -f "$tmp/end"
	mkfifo "$tmp/end"
	py m forward 198.18.1.9 "$pair_port" 198.18.2.2 "$tmp/sealed" \
		< "$tmp/end" > "$tmp/middle" &
	middle=$!
	exec 5> "$tmp/end"
	wait_for 'grep -q ready $tmp/middle' 300
	pair_laya a b 198.18.1.9 || ktap_skip_all "no node a"
	pair_laya b a 198.18.2.7 || ktap_skip_all "no node b"
	wait_for 'on a laya-nl -d path-get dev=laya0 | grep " state=2 "'
	stream
	ktap_equal "a stream arrives out of a file's pages" "$(sum "$tmp/plain")" \
		"$digest"
	exec 5>&-
	wait "$middle"
	read -r same bytes runs < <(tail -n 1 "$tmp/middle")
	ktap_note "$bytes bytes, $runs runs"
	ktap_equal "which nobody has written to" same "$same"
	ktap_check "they came in runs" test "${runs:-0}" -gt 0
	clean
}

trap 'clean; rm -rf "$tmp"' EXIT
modprobe laya || ktap_skip_all "the module does not load"
ktap_plan 21
python3 "$here/shared.py" lines "$tmp/file" 30000
cp "$tmp/file" "$tmp/plain"
heard 4
heard 6
spliced
ktap_done
