#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sessions in the kernel, without layad: their ages, which the module's parameters
# make short, and how one takes the place of another. See pair.sh for the nodes.
#
# shellcheck disable=SC2016,SC2154 # conditions are for wait_for; pair.sh sets some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

# on NODE COMMAND...
on() {
	ip netns exec "$@"
}

session() { # NODE INDEX: the line of one
	on "$1" laya-nl -d session-get dev=laya0 | grep " rx-index=$2 "
}

aging() { # REASON: how many events
	grep -c "^session-aging.* reason=$1" "$events"
}

# Both are long beside all that is done before it, on a slow machine too
modprobe laya rekey_after_sec=25 reject_after_sec=100 ||
	ktap_skip_all "the module does not load"
[ "$(cat /sys/module/laya/parameters/rekey_after_sec)" = 25 ] ||
	ktap_skip_all "the module was loaded before, with other ages"
events=$(mktemp)
pair_setup || ktap_skip_all "no two nodes"
on a laya-nl - > "$events" << 'END' &
monitor
wait 600
END
listener=$!
trap 'kill $listener; rm -f "$events"; pair_clean' EXIT
ktap_plan 16

# shellcheck disable=SC2034 # used in a condition
first_a=$(on a laya-nl -d session-get dev=laya0 | sed -n 's/.* rx-index=\([0-9]*\).*/\1/p')
# shellcheck disable=SC2034
first_b=$(on b laya-nl -d session-get dev=laya0 | sed -n 's/.* rx-index=\([0-9]*\).*/\1/p')
ktap_check "there is a session" on a ping -q -c 1 -w 10 "$pair_orchid_b"

on a ping -q -i 0.1 -w 500 "$pair_orchid_b" > /dev/null 2>&1 &
ping=$!
ktap_check "layad is told that a session is old" wait_for '[ $(aging 1) -ge 1 ]' 60
ktap_check "it is still used" on a ping -q -c 1 -w 5 "$pair_orchid_b"
ktap_equal "it is told once" 1 "$(aging 1)"

# A new one; the responder has it first, and waits for the initiator
new_b="dev=laya0 public-key=A cipher=2 rx-index=501 tx-index=500 rx-key=R tx-key=T"
new_a="dev=laya0 public-key=B cipher=2 rx-index=500 tx-index=501 rx-key=T tx-key=R initiator"
# shellcheck disable=SC2086 # words
on b laya-nl session-new $new_b
ktap_check "a responder waits with its new session" \
	grep -q ' slot=3 ' <(session b 501)
ktap_check "and uses the old one" on b ping -q -c 1 -w 5 "$pair_orchid_a"
# shellcheck disable=SC2086
on a laya-nl session-new $new_a
ktap_check "an initiator uses its new one at once" \
	grep -q ' slot=1 ' <(session a 500)
ktap_check "which shows the responder that it may" \
	wait_for 'session b 501 | grep " slot=1 " | grep -q confirmed'
ktap_check "the old one still opens what is late" \
	grep -q ' slot=2 ' <(session a "$first_a")
ktap_check "packets go on" on a ping -q -c 3 -i 0.2 -w 10 "$pair_orchid_b"

# Pushed twice it would repeat nonces
# shellcheck disable=SC2086
said=$(on a laya-nl session-new $new_a 2>&1)
ktap_check "the same again is refused" grep -q EEXIST <<< "$said"
# shellcheck disable=SC2086
said=$(on a laya-nl session-new ${new_a/rx-index=500/rx-index=502} 2>&1)
ktap_check "its key under another index too" grep -q EEXIST <<< "$said"

ktap_check "the old one goes when its time has come" \
	wait_for '[ -z "$(session a $first_a)" ] && [ -z "$(session b $first_b)" ]' 120
ktap_check "and the new one in its turn" \
	wait_for '[ $(aging 2) -ge 1 ] && [ -z "$(session a 500)" ]' 120
kill $ping 2> /dev/null
ktap_equal "each was told to be old once" 2 "$(aging 1)"
ktap_refuse "without a session nothing passes" \
	on a ping -q -c 1 -w 3 "$pair_orchid_b"
ktap_done
