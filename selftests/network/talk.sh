# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2119,SC2154,SC2317
#
# What two nodes say to each other in a test, by name; to be sourced after
# topology.sh and ktap.sh. layactl nc is the program at both ends.

# talk_file MIB - a file of random bytes, made once a size
talk_file() {
	local file=$topology_dir/random.$1

	[ -e "$file" ] || head -c "$(($1 << 20))" /dev/urandom > "$file"
	echo "$file"
}

# talk_listen NODE PORT - until a stream socket of the node listens on it
talk_listening() {
	at "$1" ss -Hltn6 "sport = :$2" | grep -q .
}

# talk_stream FROM TO PORT MIB - a file by SOCK_STREAM; fails unless both ends
# end well and the bytes are the same
talk_stream() {
	local from=$1 to=$2 port=$3 file got listener

	file=$(talk_file "$4")
	got=$topology_dir/got.$from.$to.$port
	at "$to" layactl nc -l "$from" "$port" < /dev/null > "$got" \
		2>> "$topology_dir/$to.log" &
	listener=$!
	wait_for "talk_listening $to $port" || return
	at "$from" timeout "${TALK_TIMEOUT:-300}" layactl nc "$to" "$port" \
		< "$file" > /dev/null 2>> "$topology_dir/$from.log" || {
		# It is a shell's child, and would keep the port
		pkill -P $listener
		kill $listener
		return 1
	}
	wait $listener || return
	talk_same "$file" "$got" && rm "$got"
}

talk_same() {
	[ "$(sha256sum < "$1")" = "$(sha256sum < "$2")" ]
}

# talk_datagrams A B PORT - one datagram there and one back, by SOCK_DGRAM
talk_datagrams() {
	local a=$1 b=$2 port=$3 there=$topology_dir/there back=$topology_dir/back
	local listener
	: > "$there"
	(echo "from $b"; wait_for "grep -q 'from $a' $there" 30) |
		at "$b" timeout 60 layactl nc -u -l "$a" "$port" > "$there" \
		2>> "$topology_dir/$b.log" &
	listener=$!
	# A datagram to a port that nobody has yet is refused, and nc ends: say it
	# again
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		(until grep -q "from $a" "$there"; do
			echo "from $a"
			sleep 0.2
		done) | at "$a" timeout 60 layactl nc -u -w 2 "$b" "$port" \
			> "$back" 2>> "$topology_dir/$a.log" && break
		sleep 0.5
	done
	wait $listener
	grep -q "from $a" "$there" && grep -q "from $b" "$back"
}

# talk_pace NODE - what the node sends leaves at 16 Mbit/s, so that a stream takes its
# time on a fast machine too
talk_pace() {
	tc -n "$1" qdisc replace dev eth0 root tbf rate 16mbit burst 64kb latency 200ms
}

# talk_flow FROM TO PORT MIB - as talk_stream, in the background, to see what it does
# while networks change: talk_flow_at, then talk_flow_whole. One at a time. What is
# known of it is in files: who starts it may be a subshell.
talk_flow() {
	local from=$1 to=$2 port=$3 flow=$topology_dir/flow

	rm -f "$flow".*
	ln -s "$(talk_file "$4")" "$flow.sent"
	(
		at "$to" layactl nc -l "$from" "$port" < /dev/null > "$flow.got" \
			2>> "$topology_dir/$to.log"
		echo "the receiver ended with $?" > "$flow.received"
	) > /dev/null 2>&1 &
	wait_for "talk_listening $to $port" || return
	(
		at "$from" timeout "${TALK_TIMEOUT:-300}" layactl nc "$to" "$port" \
			< "$flow.sent" > /dev/null 2>> "$topology_dir/$from.log"
		echo "the sender ended with $?" > "$flow.ended"
	) > /dev/null 2>&1 &
}

# talk_flow_at MIB - until so much has arrived
talk_flow_at() {
	wait_for "[ \$(stat -c %s $topology_dir/flow.got) -ge $(($1 << 20)) ]" 60
}

# talk_flow_runs - some of it has not arrived yet
talk_flow_runs() {
	[ "$(stat -c %s "$topology_dir/flow.got")" -lt \
		"$(stat -L -c %s "$topology_dir/flow.sent")" ]
}

# talk_flow_whole - both ends end well, and the bytes are the same
talk_flow_whole() {
	local flow=$topology_dir/flow

	wait_for "[ -e $flow.ended ] && [ -e $flow.received ]" \
		"${TALK_TIMEOUT:-300}" || echo "it does not end"
	cat "$flow.ended" "$flow.received"
	stat -c "%s bytes arrived" "$flow.got"
	! cat "$flow.ended" "$flow.received" | grep -qv ' 0$' &&
		talk_same "$flow.sent" "$flow.got"
}
