#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Paths in the kernel, without layad: probes, path MTU, failover,
# changes of address, failures that are told.
#
# clock: virtual
#
#	 a ------ eth0 192.0.2.0/24 ------ b
#	   ------ eth1 198.51.100.0/24 ---
#	laya0                             laya0
#
# a dials both addresses of b, and b those of a: four paths. See pair.sh.
# shellcheck disable=SC2016,SC2154 # conditions are for wait_for; pair.sh sets some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

tmp=$(mktemp -d)

# on NODE COMMAND...
on() {
	ip netns exec "$@"
}

py() { # NODE VERB...
	local node=$1

	shift
	on "$node" timeout 120 python3 "$here/path.py" "$@"
}

paths() { # NODE: a line for each path to the other
	on "$1" laya-nl -d path-get dev=laya0
}

# path NODE REMOTE [answered]: the line of one path
path() {
	if [ "${3:-}" ]; then
		paths "$1" | grep " answered " | grep " remote=$2[: ]"
	else
		paths "$1" | grep -v " answered " | grep " remote=$2[: ]"
	fi
}

# get ATTRIBUTE: of the line on stdin
get() {
	sed -n "s/.* $1=\([^ ]*\).*/\1/p"
}

in_use() { # NODE: remote of the path in use
	paths "$1" | grep ' in-use ' | get remote | sed 's/:[0-9]*$//'
}

usable() { # NODE: how many paths are
	paths "$1" | grep -c ' state=2 '
}

# cut NODE DEVICE / mend NODE DEVICE: what goes out vanishes
cut_link() {
	on "$1" tc qdisc replace dev "$2" root netem loss 100%
}

mend_link() {
	on "$1" tc qdisc delete dev "$2" root
}

# cut both directions of eth0 or eth1
cut_both() {
	cut_link a "$1"
	cut_link b "$1"
}

mend_both() {
	mend_link a "$1"
	mend_link b "$1"
}

dial() { # NODE OTHER REMOTE
	local key

	key=$(printf %s "$2" | tr "[:lower:]" "[:upper:]")
	on "$1" laya-nl path-new dev=laya0 public-key="$key" kind=2 \
		remote="$3:$pair_port"
}

setup() {
	pair_setup || ktap_skip_all "no two nodes"
	ip link add eth1 netns a type veth peer name eth1 netns b
	ip -n a address add 198.51.100.1/24 dev eth1
	ip -n b address add 198.51.100.2/24 dev eth1
	# Datagrams one by one, so that a filter sees how long each is
	for end in "a eth0" "b eth0" "a eth1" "b eth1"; do
		on "${end% *}" ethtool -K "${end#* }" tx-udp-segmentation off \
			rx-gro-list off > /dev/null
	done
	ip -n a link set eth1 up
	ip -n b link set eth1 up
	dial a b 198.51.100.2 > /dev/null && dial b a 198.51.100.1 > /dev/null
}

# stream NAME SECONDS COMMAND: TCP from a to b meanwhile; a result: ok when all
# arrived as it was sent. $longest is how long nothing came, in milliseconds
stream() {
	local sent='' got='' total='' digest=''

	longest=99999
	if run_stream "$2" "$3" && [ "$got" = "$total" ] && [ "$digest" = "$sent" ]
	then
		ktap_ok "$1"
	else
		ktap_not_ok "$1" "$got of $total bytes came"
	fi
	ktap_note "$total bytes, longest wait $longest ms"
}

run_stream() {
	py b serve 7000 > "$tmp/served" &
	wait_for "grep -q listening $tmp/served" || return
	py a send "$pair_orchid_b" 7000 "$1" > "$tmp/sent" &
	sleep 1.5
	eval "$2"
	wait %% || return
	read -r total sent < "$tmp/sent"
	wait_for "[ \$(wc -l < $tmp/served) = 2 ]" 20 || return
	read -r got longest digest < <(tail -1 "$tmp/served")
}

trap 'rm -rf "$tmp"; pair_clean' EXIT
setup
trap 'rm -rf "$tmp"; pair_clean' EXIT
ktap_plan 30

# --- probes ---

ktap_check "all four paths answer" wait_for '[ $(usable a) = 4 ] && [ $(usable b) = 4 ]'
ktap_check "each side sees who dialled" \
	test "$(paths a | grep -c ' answered ')$(paths b | grep -c ' answered ')" = 22
rtt=$(path a 192.0.2.2 | get rtt-us)
ktap_check "the round trip is known" test "${rtt:-0}" -gt 0
ktap_equal "the far side tells our address" "192.0.2.1:$pair_port" \
	"$(path a 192.0.2.2 | get observed)"
ktap_check "one path is in use at each side" \
	test "$(paths a | grep -c ' in-use ')$(paths b | grep -c ' in-use ')" = 11

# --- how large ---

ktap_check "a path carries full packets" \
	wait_for '[ "$(path a 192.0.2.2 | get mtu)" = 1436 ]'
ip -n a link set eth1 mtu 1300
ip -n b link set eth1 mtu 1300
on a laya-nl path-del dev=laya0 public-key=B \
	path-id="$(path a 198.51.100.2 | get path-id)"
dial a b 198.51.100.2 > /dev/null
wait_for '[ "$(path a 198.51.100.2 | get mtu)" -gt 1200 ]'
mtu=$(path a 198.51.100.2 | get mtu)
ktap_note "a link of 1300 bytes carries $mtu"
ktap_check "a narrow link's path carries what fits" \
	test "$mtu" -gt 1200 -a "$mtu" -le 1272
ip -n a link set eth1 mtu 1500
ip -n b link set eth1 mtu 1500

# b's eth0 swallows what is large: nobody is told
on b nft -f - << 'END'
table netdev hole {
	chain in {
		type filter hook ingress device eth0 priority 0;
		udp length > 1350 drop
	}
}
END
on a laya-nl path-del dev=laya0 public-key=B \
	path-id="$(path a 198.51.100.2 | get path-id)"
on b laya-nl path-del dev=laya0 public-key=A \
	path-id="$(path b 198.51.100.1 | get path-id)"
stream "a path that got narrower silently still carries a stream" 12 :
mtu=$(paths a | grep ' in-use ' | get mtu)
ktap_check "its new size is found" test "${mtu:-0}" -lt 1436
on b nft delete table netdev hole
dial a b 198.51.100.2 > /dev/null
dial b a 198.51.100.1 > /dev/null
ktap_check "dropped paths can be dialled again" wait_for '[ $(usable a) -ge 4 ]'

# --- failover ---

first=$(in_use a)
case $first in
192.*)	link=eth0 ;;
*)	link=eth1 ;;
esac
stream "a stream survives its path" 6 "cut_both $link"
ktap_lasted "and stands still for well below a second" 500 "$longest"
other=$(in_use a)
ktap_check "another path is in use" test -n "$other" -a "$other" != "$first"
ktap_check "the one that is silent dies" \
	wait_for 'paths a | grep "remote=$first:" | grep -q " state=4 "'
mend_both $link
ktap_check "and lives again when it can" \
	wait_for '[ $(usable a) -ge 4 ]' 30
stream "a stream survives two changes" 8 \
	"cut_both eth1; sleep 2; mend_both eth1; sleep 0.5; cut_both eth0"
ktap_lasted "each in well below a second" 700 "$longest"
mend_both eth0
wait_for '[ $(usable a) -ge 4 ] && [ $(usable b) -ge 4 ]' 30

# --- a changes its address: as behind a NAT that was restarted ---

on b laya-nl path-del dev=laya0 public-key=A \
	path-id="$(path b 192.0.2.1 | get path-id)"
on b laya-nl path-del dev=laya0 public-key=A \
	path-id="$(path b 198.51.100.1 | get path-id)"
cut_both eth1
# So that they find out now, and not when a path is next kept alive
on a ping -q -c 5 -i 0.3 "$pair_orchid_b" > /dev/null
wait_for '[ "$(in_use a)" = 192.0.2.2 ] && [ "$(in_use b)" = 192.0.2.1 ]'
change='ip -n a address add 192.0.2.3/24 dev eth0
	ip -n a address delete 192.0.2.1/24 dev eth0
	ip -n a address add 192.0.2.3/24 dev eth0 2> /dev/null'
stream "a stream survives a change of address" 6 "$change"
ktap_lasted "and goes on within a second" 1000 "$longest"
ktap_check "the far side has followed" \
	wait_for '[ "$(path b 192.0.2.3 answered | get state)" = 2 ]'
mend_both eth1
dial b a 198.51.100.1 > /dev/null
dial b a 192.0.2.3 > /dev/null
wait_for '[ $(usable b) -ge 4 ]' 30

# --- failures are told ---

orchid_c=$(on a laya-nl -d peer-get dev=laya0 | grep 'public-key=Q0ND' | get orchid)
read -r result ms < <(py a connect "$orchid_c" 80)
ktap_note "without layad: $result after $ms ms"
ktap_equal "without layad connecting fails" EHOSTUNREACH "$result"
ktap_lasted "at once" 100 "$ms"

# layad, as far as the kernel knows: claims the device and says what it is told
layad() {
	mkfifo "$tmp/to-layad"
	ip netns exec a laya-nl - < "$tmp/to-layad" > /dev/null &
	layad=$!
	printf 'monitor\nwait 600\n' |
		ip netns exec a stdbuf -oL laya-nl - > "$tmp/events" &
	monitor=$!
	exec 5> "$tmp/to-layad"
	echo "device-claim dev=laya0" >&5
}

layad
wait_for 'on a laya-nl device-get dev=laya0 | grep -q " owner=[1-9]"'
py a connect "$orchid_c" 80 > "$tmp/result" &
ktap_check "layad is told whom a socket wants" \
	wait_for 'grep -q "^peer-wanted.*public-key=Q0ND" $tmp/events'
echo "peer-set dev=laya0 public-key=C error=111" >&5
wait_for "[ -s $tmp/result ]"
read -r result ms < "$tmp/result"
ktap_note "refused: $result after $ms ms"
ktap_equal "what layad says is what connect says" ECONNREFUSED "$result"
# What layad said answers for a moment
sleep 1.5
read -r result ms < <(py a connect "$orchid_c" 80)
ktap_note "layad silent: $result after $ms ms"
ktap_equal "when layad is silent it fails as well" EHOSTUNREACH "$result"
ktap_check "after ten seconds" test "$ms" -ge 9000
ktap_lasted "and not later" 11500 "$ms"
kill $monitor
exec 5>&-
wait $layad

# --- no path left ---

on a laya-nl device-set dev=laya0 user-timeout=5000 || ktap_note "not set"
py b serve 7001 > "$tmp/served" &
wait_for "grep -q listening $tmp/served"
py a hold "$pair_orchid_b" 7001 > "$tmp/held" &
wait_for "grep -q connected $tmp/held"
cut_both eth0
cut_both eth1
ktap_check "a stream without any path ends" wait_for "[ \$(wc -l < $tmp/held) = 2 ]" 30
read -r result ms < <(tail -1 "$tmp/held")
ktap_note "no path: $result after $ms ms"
ktap_equal "by ETIMEDOUT, after the user timeout" ETIMEDOUT \
	"$([ "$ms" -ge 5000 ] && echo "$result")"
ktap_lasted "and not long after" 10000 "$ms"
mend_both eth0
mend_both eth1
ktap_done
