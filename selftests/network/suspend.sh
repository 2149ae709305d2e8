#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
#
# A machine is suspended for an hour, and its NAT has forgotten it meanwhile: resumed, it
# registers and attaches again at once, without anything to send, and can be reached.
#
#        rv    r1    b (public)
#          \   |    /
#           - net --
#              |
#            nat-a     symmetric; forgets its flows, and has another address
#              |
#              a       its daemon stands still meanwhile
#
# No machine is suspended here: what tells of it, CLOCK_BOOTTIME ahead of
# CLOCK_MONOTONIC and the time of day set, is what a's daemon sees.
#
# timeout: 900
# shellcheck disable=SC2016,SC2119,SC2154,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/talk.sh"

ktap_plan 10

topology_servers
topology_public b
topology_nat nat-a
topology_behind a nat-a
node_pair a b

# CLOCK_BOOTTIME is ahead by as many seconds as the file says
cat > "$topology_dir/slept.c" <<-'C'
	#include <stdio.h>
	#include <stdlib.h>
	#include <sys/syscall.h>
	#include <time.h>
	#include <unistd.h>

	int clock_gettime(clockid_t clock, struct timespec *now)
	{
		int ret = syscall(SYS_clock_gettime, clock, now);
		const char *name = getenv("SLEPT");
		FILE *file;
		long seconds;

		if (ret || clock != CLOCK_BOOTTIME || !name)
			return ret;
		file = fopen(name, "r");
		if (file && fscanf(file, "%ld", &seconds) == 1)
			now->tv_sec += seconds;
		if (file)
			fclose(file);
		return 0;
	}
C
gcc -shared -fPIC -o "$topology_dir/slept.so" "$topology_dir/slept.c"
echo 0 > "$topology_dir/slept"

# times NODE WORDS - how often the node's daemon has said so
times() {
	grep -c "$2" "$topology_dir/$1.log"
}

now_ms() {
	local up

	read -r up _ < /proc/uptime
	echo $((10#${up/./} * 10))
}

# clock CHANGE - the time of day, but not how long the test has run
clock() {
	local seconds=$SECONDS

	date -s "$1" > /dev/null
	SECONDS=$seconds
}

ktap_check "b runs" node_start b
ktap_check "a runs" eval 'LD_PRELOAD=$topology_dir/slept.so \
	SLEPT=$topology_dir/slept node_start a'
ktap_check "it is attached" wait_for 'grep -q "attached to the" $topology_dir/a.log' 30
ktap_check "a stream of 1 MiB" talk_stream b a 7000 1
clock "+2 seconds"
ktap_check "the time of day is set: that is no suspend" \
	eval '! wait_for "[ $(times a suspended) != 0 ]" 1'

registered=$(times a ": registered")
attached=$(times a "attached to the")
node_signal() {
	kill "-$2" "$(< "$topology_dir/$1.pid")"
}
node_signal a STOP
router_moves nat-a 198.51.100.200
router_forgets nat-a
echo 3600 > "$topology_dir/slept"
clock "+1 hour"
began=$(now_ms)
node_signal a CONT
ktap_check "it notices" wait_for \
	'grep -q "this machine was suspended for 3600 s" $topology_dir/a.log'
ktap_check "and registers again" wait_for \
	'[ $(times a ": registered") -gt $registered ]' 60
ktap_check "and attaches again" wait_for \
	'[ $(times a "attached to the") -gt $attached ]' 60
ktap_lasted "within three seconds" 3000 $(($(now_ms) - began))
ktap_check "a stream of 1 MiB to it" talk_stream b a 7001 1

[ "$ktap_failures" = 0 ] || logs 60
ktap_done
