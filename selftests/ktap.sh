# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For test scripts, to be sourced: results as KTAP, and waiting for things.
#
#	. "$(dirname "$0")/../ktap.sh"
#	ktap_plan 2
#	ktap_check "connects" timeout 10 program
#	wait_for '[ -e /run/x ]' && ktap_ok "x appears" || ktap_not_ok "x appears"
#	ktap_done
#
# A result is a line at the left margin; whatever else goes to stdout should be
# a comment ("# ...", see ktap_note).

ktap_planned=0
ktap_number=0
ktap_failures=0
ktap_skipped=0

# How much longer things may take here than on a machine: emulated ones are slow.
# In virtual time nothing but waiting takes any.
case ${LAYA_VIRTUAL:+virtual}${LAYA_KERNEL:-} in
6.12|6.1|debug)	ktap_slow=${LAYA_SLOW:-5} ;;
uml)		ktap_slow=${LAYA_SLOW:-3} ;;
*)		ktap_slow=${LAYA_SLOW:-1} ;;
esac

# ktap_plan N - how many results there will be
ktap_plan() {
	ktap_planned=$1
	echo "KTAP version 1"
	echo "1..$1"
}

# ktap_skip_all WHY - end here: nothing of this can be tested on this kernel
ktap_skip_all() {
	echo "KTAP version 1"
	echo "1..0 # SKIP $*"
	exit 0
}

# ktap_note TEXT... - what a person may want to know
ktap_note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

ktap_ok() {
	ktap_number=$((ktap_number + 1))
	echo "ok $ktap_number $1"
}

# ktap_not_ok NAME [WHY...]
ktap_not_ok() {
	local name=$1

	shift
	[ $# = 0 ] || ktap_note "$name: $*"
	ktap_number=$((ktap_number + 1))
	ktap_failures=$((ktap_failures + 1))
	echo "not ok $ktap_number $name"
}

# ktap_skip NAME WHY...
ktap_skip() {
	local name=$1

	shift
	ktap_number=$((ktap_number + 1))
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $ktap_number $name # SKIP $*"
}

# ktap_check NAME COMMAND... - ok if the command succeeds; what it says is shown
# if it does not
ktap_check() {
	local name=$1 said status

	shift
	said=$("$@" 2>&1)
	status=$?
	if [ $status = 0 ]; then
		ktap_ok "$name"
	else
		ktap_not_ok "$name" "'$*' ended with $status
$said"
	fi
	return $status
}

# ktap_refuse NAME COMMAND... - ok if the command fails
ktap_refuse() {
	local name=$1 said

	shift
	if said=$("$@" 2>&1); then
		ktap_not_ok "$name" "'$*' succeeded
$said"
		return 1
	fi
	ktap_ok "$name"
}

# ktap_equal NAME EXPECTED FOUND
ktap_equal() {
	if [ "$2" = "$3" ]; then
		ktap_ok "$1"
	else
		ktap_not_ok "$1" "expected '$2', found '$3'"
		return 1
	fi
}

# ktap_lasted NAME LIMIT FOUND - ok if what took FOUND milliseconds took less than
# LIMIT. Where the clock is not virtual FOUND tells of the machine, and is a note
ktap_lasted() {
	if [ -z "${LAYA_VIRTUAL:-}" ]; then
		ktap_skip "$1" "$3 ms, by the clock of a machine"
	elif [ "${3:-$2}" -lt "$2" ]; then
		ktap_note "$1: $3 ms"
		ktap_ok "$1"
	else
		ktap_not_ok "$1" "${3:-unknown} ms, not less than $2"
	fi
}

# ktap_from COMMAND... - the results of a program: "ok NAME", "not ok NAME: WHY", notes
ktap_from() {
	local line

	while read -r line; do
		case $line in
		"ok "*)		ktap_ok "${line#ok }" ;;
		"not ok "*)	line=${line#not ok }
				ktap_not_ok "${line%%: *}" "${line#*: }" ;;
		*)		ktap_note "$line" ;;
		esac
	done < <("$@" 2>&1)
}

# ktap_done - say the totals and end the script
ktap_done() {
	echo "# Totals: pass:$((ktap_number - ktap_failures - ktap_skipped)) fail:$ktap_failures skip:$ktap_skipped"
	[ "$ktap_failures" = 0 ] && [ "$ktap_number" = "$ktap_planned" ]
	exit
}

# wait_for CONDITION [SECONDS] - until the shell finds it true; fails after 10
# seconds, or as many as are given, times what this kind of VM needs
wait_for() {
	local end=$((SECONDS + ${2:-10} * ktap_slow + 1)) nap=0.05 tries=0

	until eval "$1" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep $nap
		# What takes long need not be looked at so often: each look costs time,
		# of a busy machine that of others as well
		case $((++tries)) in
		20) nap=0.3 ;;
		60) nap=1 ;;
		esac
	done
}
