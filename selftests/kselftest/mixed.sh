#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One run with packets of two peers, of all kinds and on several paths, and between
# them some that were changed, or came before: each of the others arrives where it
# belongs.
#
#	 a --- net 1 ---
#	   --- net 2 --- m --- net 3 --- b
#	 e --- net 4 ---
#	laya0        mixed.py          laya0
#
# m answers a and e in b's place, as a NAT would; b dials an address where nobody is.
# The nets are those of IPv4, and then of IPv6.
# shellcheck disable=SC2016,SC2154 # conditions are for wait_for; pair.sh sets some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

tmp=$(mktemp -d)
clean() {
	[ -z "${middle:-}" ] || kill "$middle" 2> /dev/null
	middle=
	pair_clean
	ip netns delete e 2> /dev/null
	ip netns delete m 2> /dev/null
}

on() { # NODE COMMAND...
	ip netns exec "$@"
}

drops() { # NODE REASON
	on "$1" laya-nl device-get dev=laya0 | grep -o "drop:$2=[0-9]*" |
		grep -o '[0-9]*$' || echo 0
}

at() { # NET HOST: the address
	case $family in
	4)	echo "198.18.$1.$2" ;;
	6)	echo "2001:db8:$1::$2" ;;
	esac
}

link() { # NODE DEVICE NET HOST: where m is 9
	ip link add "$2" netns "$1" type veth peer name "eth$3" netns m
	pair_address "$1" "$2" "$(at "$3" "$4")"
	pair_address m "eth$3" "$(at "$3" 9)"
	ip -n "$1" link set "$2" up
	ip -n m link set "eth$3" up
}

setup() {
	for node in a b e m; do
		ip netns add $node
		ip -n $node link set lo up
	done
	link a eth0 1 1
	link a eth1 2 1
	link b eth0 3 2
	link e eth0 4 1
	# What laya-mixed-test sends: 42 packets, of 100 bytes behind the inner header
	on m python3 "$here/mixed.py" "$pair_port" "$(at 3 2)" 140 42 \
		> "$tmp/middle" &
	middle=$!
	wait_for 'grep -q ready $tmp/middle' || ktap_skip_all "no runs of UDP here"
	pair_laya a b "$(at 1 9)" || ktap_skip_all "no node a"
	pair_dial a b "$(at 2 9)" lan || ktap_skip_all "no second path"
	pair_laya e b "$(at 4 9)" || ktap_skip_all "no node e"
	pair_laya b a "$(at 3 7)" || ktap_skip_all "no node b"
	on b laya-pair laya0 b e "$(at 3 7)" "$pair_port" > /dev/null
	for node in 'a 2' 'e 1'; do
		wait_for "on ${node% *} laya-nl -d path-get dev=laya0 |
			grep -c ' state=2 ' | grep -qx ${node#* }"
	done
}

trap 'clean; rm -rf "$tmp"' EXIT
modprobe laya || ktap_skip_all "the module does not load"
ktap_plan 10
for family in 4 6; do
	setup
	ktap_check "IPv$family: all that was sent arrives, once, from its sender" \
		laya-mixed-test
	read -r _ count changed repeated paths < <(grep sent "$tmp/middle")
	ktap_note "a run of ${count:-no} packets, $changed changed, $repeated repeated"
	ktap_check "they go on as one run" test "${count:-0}" -ge 42
	ktap_equal "of two paths of a peer, and of another peer" 3 "$paths"
	ktap_equal "what was changed does not open" "$changed" \
		"$(drops b "failed to open")"
	ktap_equal "what was repeated is not new" "$repeated" "$(drops b replayed)"
	clean
done
ktap_done
