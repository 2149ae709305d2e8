#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP small queues: what a stream has below it stays little, however slow the link.
# See pair.sh for the nodes; a's link is narrow, and would queue without end.
# shellcheck disable=SC2016,SC2154 # conditions are for wait_for; pair.sh sets some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

tmp=$(mktemp -d)

on() { # NODE COMMAND...
	ip netns exec "$@"
}

# How many bytes wait in a's link now
backlog() {
	on a tc -s qdisc show dev eth0 |
		sed -n 's/.*backlog \([0-9]*\)\(K\{0,1\}\)b .*/\1\2/p' |
		sed 's/K/000/' | sort -n | tail -n 1
}

pair_setup || ktap_skip_all "no two nodes"
on a tc qdisc add dev eth0 root tbf rate 4mbit burst 70000 limit 50000000 ||
	ktap_skip_all "no tbf here"
ktap_plan 3

# Without small queues TCP would put all of it there at once
on a sysctl -qw net.ipv4.tcp_wmem="4096 16777216 16777216"
# Not one that takes a queue that grows for a reason to stop growing
on a sysctl -qw net.ipv4.tcp_congestion_control=reno
on b sysctl -qw net.ipv4.tcp_rmem="4096 16777216 16777216"
head -c 3000000 /dev/zero > "$tmp/file"
on b timeout 300 python3 "$here/path.py" serve 6000 > "$tmp/served" &
server=$!
wait_for 'grep -q listening $tmp/served'
on a timeout 300 python3 "$here/path.py" send_file "${pair_orchid_b:?}" 6000 \
	"$tmp/file" &
most=0 samples=0
while kill -0 "$server" 2> /dev/null; do
	now=$(backlog)
	[ "${now:-0}" -le "$most" ] || most=$now
	samples=$((samples + 1))
done
wait
read -r total _ < <(tail -n 1 "$tmp/served")
ktap_note "at most $most bytes were queued, in $samples samples"
ktap_equal "all of it arrives" 3000000 "$total"
ktap_check "the queue was there" [ "$most" -gt 1000 ]
ktap_check "and short" [ "$most" -lt 600000 ]
rm -rf "$tmp"
ktap_done
