#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs of packets, some of which are changed or repeated on the way: that costs
# those packets and no other.
#
#	 a --- 192.0.2.0/24 --- m --- 198.51.100.0/24 --- b
#	laya0               tamper.py                   laya0
#
# m answers a in b's place, as a NAT would; b dials an address where nobody is.
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

trap clean EXIT
modprobe laya || ktap_skip_all "the module does not load"
for node in a b m; do
	ip netns add $node
	ip -n $node link set lo up
done
ip link add eth0 netns a type veth peer name eth0 netns m
ip link add eth0 netns b type veth peer name eth1 netns m
ip -n a address add 192.0.2.1/24 dev eth0
ip -n m address add 192.0.2.9/24 dev eth0
ip -n m address add 198.51.100.9/24 dev eth1
ip -n b address add 198.51.100.2/24 dev eth0
for end in "a eth0" "b eth0" "m eth0" "m eth1"; do
	# shellcheck disable=SC2086 # node and device
	set -- $end
	ip -n "$1" link set "$2" up
done
on m python3 "$here/tamper.py" 192.0.2.9 "$pair_port" 198.51.100.2 > "$tmp/middle" &
middle=$!
wait_for 'grep -q ready $tmp/middle' || ktap_skip_all "no runs of UDP here"
pair_laya a b 192.0.2.9 || ktap_skip_all "no node a"
pair_laya b a 198.51.100.7 || ktap_skip_all "no node b"
wait_for 'on a laya-nl -d path-get dev=laya0 | grep " state=2 "'

spoilt() { # HOW: packets that were
	grep -c "$1" "$tmp/middle"
}

ktap_plan 8

# --- datagrams ---

laya-dgram-test tampered > "$tmp/said"
status=$?
ktap_equal "the others arrive, in order" 0 $status
changed=$(spoilt changed) repeated=$(spoilt repeated)
ktap_check "datagrams were spoilt" [ "$repeated" -gt 0 ]
ktap_equal "no other is missing" $((changed + repeated)) \
	"$(sed -n 's/^# missing: //p' "$tmp/said")"
ktap_equal "what was changed does not open" "$changed" "$(drops b "failed to open")"
ktap_equal "what was repeated is not new" "$repeated" "$(drops b replayed)"

# --- a stream ---

head -c 3000000 /dev/urandom > "$tmp/sent"
b=${pair_orchid_b:?}
on b timeout 300 python3 "$here/path.py" serve 6000 > "$tmp/served" &
server=$!
wait_for 'grep -q listening $tmp/served'
ktap_check "a stream is sent" on a timeout 300 python3 "$here/path.py" send_file \
	"$b" 6000 "$tmp/sent"
wait $server
read -r total _ digest < <(tail -n 1 "$tmp/served")
ktap_equal "it arrives whole" "3000000 $(sha256sum < "$tmp/sent" | cut -d ' ' -f 1)" \
	"$total $digest"
ktap_check "packets of it were spoilt" [ "$(spoilt changed)" -gt "$changed" ]
ktap_done
