# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2119,SC2154,SC2317
#
# A stream of small writes with their times, so that a pause shows; to be sourced
# after topology.sh and ktap.sh.
#
#	paced_begin a b 7001
#	(something happens)
#	ktap_check "the stream goes on" paced_goes_on
#	paced_end
#	ktap_check "every byte arrived" paced_whole
#
# The first and the last but one start and await processes: not in a subshell,
# which ktap_check is.

# paced_begin FROM TO PORT - until something has arrived
paced_begin() {
	rm -f "$topology_dir"/paced.*
	at "$2" layactl nc -l "$1" "$3" < /dev/null 2>> "$topology_dir/$2.log" |
		python3 -c '
import sys, time, hashlib
digest, worst, last = hashlib.sha256(), 0, None
while block := sys.stdin.buffer.raw.read(65536):
    now = time.monotonic()
    if last is not None:
        worst = max(worst, now - last)
    last = now
    digest.update(block)
    open(sys.argv[2], "wb").write(b"x")
print(digest.hexdigest())
print(int(worst * 1000), file=open(sys.argv[1], "w"))
' "$topology_dir/paced.gap" "$topology_dir/paced.flowing" \
		> "$topology_dir/paced.got" &
	paced_reader=$!
	wait_for "talk_listening $2 $3" || return
	python3 -c '
import hashlib, os, sys, time
digest = hashlib.sha256()
stop = sys.argv[1]
# Until the test has seen what it waits for, and for ten minutes at the most
end = time.monotonic() + 600
while not os.path.exists(stop) and time.monotonic() < end:
    block = os.urandom(4096)
    digest.update(block)
    sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    time.sleep(0.02)
print(digest.hexdigest(), file=sys.stderr)
' "$topology_dir/paced.stop" 2> "$topology_dir/paced.sent" |
		at "$1" layactl nc "$2" "$3" > /dev/null \
			2>> "$topology_dir/$1.log" &
	paced_writer=$!
	wait_for "[ -e $topology_dir/paced.flowing ]"
}

# paced_goes_on [SECONDS] - something more arrives
paced_goes_on() {
	rm -f "$topology_dir/paced.flowing"
	wait_for "[ -e $topology_dir/paced.flowing ]" "${1:-5}"
}

# paced_end - no more of it; $paced_pause is the longest pause in milliseconds
paced_end() {
	touch "$topology_dir/paced.stop"
	wait "$paced_writer" "$paced_reader"
	paced_pause=$(cat "$topology_dir/paced.gap")
	ktap_note "longest pause between two arrivals: $paced_pause ms"
}

# paced_whole - every byte arrived
paced_whole() {
	[ -s "$topology_dir/paced.sent" ] &&
		cmp "$topology_dir/paced.sent" "$topology_dir/paced.got"
}
