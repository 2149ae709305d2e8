#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One run with packets of two peers and of all kinds, and between them some that were
# changed, or came before: each of the others arrives where it belongs.
#
#	 a --- 192.0.2.0/24 ---
#	                        m --- 198.51.100.0/24 --- b
#	 e -- 203.0.113.0/24 --
#	laya0               mixed.py                    laya0
#
# m answers a and e in b's place, as a NAT would; b dials an address where nobody is.
# shellcheck disable=SC2016,SC2154 # conditions are for wait_for; pair.sh sets some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

tmp=$(mktemp -d)
clean() {
	[ -z "${middle:-}" ] || kill "$middle" 2> /dev/null
	pair_clean
	ip netns delete e 2> /dev/null
	ip netns delete m 2> /dev/null
	rm -rf "$tmp"
}

on() { # NODE COMMAND...
	ip netns exec "$@"
}

drops() { # NODE REASON
	on "$1" laya-nl device-get dev=laya0 | grep -o "drop:$2=[0-9]*" |
		grep -o '[0-9]*$' || echo 0
}

link() { # NODE ADDRESS DEVICE-OF-M ADDRESS
	ip link add eth0 netns "$1" type veth peer name "$3" netns m
	ip -n "$1" address add "$2/24" dev eth0
	ip -n m address add "$4/24" dev "$3"
	ip -n "$1" link set eth0 up
	ip -n m link set "$3" up
}

trap clean EXIT
modprobe laya || ktap_skip_all "the module does not load"
for node in a b e m; do
	ip netns add $node
	ip -n $node link set lo up
done
link a 192.0.2.1 eth0 192.0.2.9
link e 203.0.113.1 eth1 203.0.113.9
link b 198.51.100.2 eth2 198.51.100.9
# What laya-mixed-test sends: 36 packets, of 100 bytes behind the inner header
ip netns exec m python3 "$here/mixed.py" "$pair_port" 198.51.100.2 140 36 \
	> "$tmp/middle" &
middle=$!
wait_for 'grep -q ready $tmp/middle' || ktap_skip_all "no runs of UDP here"
pair_laya a b 192.0.2.9 || ktap_skip_all "no node a"
pair_laya e b 203.0.113.9 || ktap_skip_all "no node e"
pair_laya b a 198.51.100.7 || ktap_skip_all "no node b"
on b laya-pair laya0 b e 198.51.100.7 "$pair_port" > /dev/null
for node in a e; do
	wait_for 'on $node laya-nl -d path-get dev=laya0 | grep " state=2 "'
done

ktap_plan 4
ktap_check "all that was sent arrives, once, from its sender" laya-mixed-test
read -r _ count changed repeated < <(grep sent "$tmp/middle")
ktap_note "a run of ${count:-no} packets, $changed changed, $repeated repeated"
ktap_check "they go on as one run" test "${count:-0}" -ge 36
ktap_equal "what was changed does not open" "$changed" "$(drops b "failed to open")"
ktap_equal "what was repeated is not new" "$repeated" "$(drops b replayed)"
ktap_done
