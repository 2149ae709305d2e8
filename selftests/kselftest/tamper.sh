#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs of packets, some of which are changed or repeated on the way: that costs
# those packets and no other.
#
#	 a --- net 1 --- m --- net 2 --- b
#	laya0        tamper.py         laya0
#
# m answers a in b's place, as a NAT would; b dials an address where nobody is. The
# nets are those of IPv4, and then of IPv6.
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

link() { # NODE NET HOST: where m is 9
	ip link add eth0 netns "$1" type veth peer name "eth$2" netns m
	pair_address "$1" eth0 "$(at "$2" "$3")"
	pair_address m "eth$2" "$(at "$2" 9)"
	ip -n "$1" link set eth0 up
	ip -n m link set "eth$2" up
}

spoilt() { # HOW: packets that were
	grep -c "$1" "$tmp/middle"
}

setup() {
	for node in a b m; do
		ip netns add $node
		ip -n $node link set lo up
	done
	link a 1 1
	link b 2 2
	on m python3 "$here/tamper.py" "$(at 1 9)" "$pair_port" "$(at 2 2)" \
		> "$tmp/middle" &
	middle=$!
	wait_for 'grep -q ready $tmp/middle' || ktap_skip_all "no runs of UDP here"
	pair_laya a b "$(at 1 9)" || ktap_skip_all "no node a"
	pair_laya b a "$(at 2 7)" || ktap_skip_all "no node b"
	wait_for 'on a laya-nl -d path-get dev=laya0 | grep " state=2 "'
}

datagrams() {
	laya-dgram-test tampered > "$tmp/said"
	ktap_equal "IPv$family: the others arrive, in order" 0 $?
	changed=$(spoilt changed) repeated=$(spoilt repeated)
	ktap_check "datagrams were spoilt" [ "$repeated" -gt 0 ]
	ktap_equal "no other is missing" $((changed + repeated)) \
		"$(sed -n 's/^# missing: //p' "$tmp/said")"
	ktap_equal "what was changed does not open" "$changed" \
		"$(drops b "failed to open")"
	ktap_equal "what was repeated is not new" "$repeated" "$(drops b replayed)"
}

stream() {
	on b timeout 300 python3 "$here/path.py" serve 6000 > "$tmp/served" &
	server=$!
	wait_for 'grep -q listening $tmp/served'
	ktap_check "IPv$family: a stream is sent" on a timeout 300 \
		python3 "$here/path.py" send_file "${pair_orchid_b:?}" 6000 "$tmp/sent"
	wait $server
	read -r total _ digest < <(tail -n 1 "$tmp/served")
	ktap_equal "it arrives whole" \
		"3000000 $(sha256sum < "$tmp/sent" | cut -d ' ' -f 1)" \
		"$total $digest"
	ktap_check "packets of it were spoilt" [ "$(spoilt changed)" -gt "$changed" ]
}

trap 'clean; rm -rf "$tmp"' EXIT
modprobe laya || ktap_skip_all "the module does not load"
head -c 3000000 /dev/urandom > "$tmp/sent"
ktap_plan 16
for family in 4 6; do
	setup
	datagrams
	stream
	clean
done
ktap_done
