#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run all tests, two at a time, and print the results as KTAP; the last line is
# "N passed, N failed", and any failure makes the exit status 1.
#
#   run.sh [WORD...]    only the suites whose name has one of the words
#
# Suites:
#
#   build/KERNEL        the module builds without a warning (W=1)
#   runner              vm.sh itself
#   userspace           the programs build, their tests
#   kunit               the module's KUnit suites
#   kselftest/X network/X
#                       selftests/{kselftest,network}/X.sh, each in a VM of its
#                       own, whose kernel has all debugging: $LAYA_TEST_KERNEL,
#                       which is uml unless set
#   stock/KERNEL/X      what selftests/stock.list names, on Debian's kernels
#
# A script says itself how long it may run, "# timeout: SECONDS". One with a line
# "# clock: virtual" at its head runs in virtual time on uml (vm.sh -v): there it may
# say how long something takes (ktap_lasted).
#
# A suite fails, beyond what it says itself, if it ends with another status than
# 0, if the number of its results is not the planned one, and if the kernel
# complained.  What a suite said is in build/test/.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/.." && pwd)
kernel=${LAYA_TEST_KERNEL:-uml}
logs=$repo/build/test
parallel=${LAYA_PARALLEL:-2}
words=("$@")
began=$SECONDS

cd "$repo" || exit
mkdir -p "$logs"
# What `make test TESTS=...` was given is not for the makes that run here
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

# --- what there is ---

wanted() {
	local word

	[ ${#words[@]} -gt 0 ] || return 0
	for word in "${words[@]}"; do
		[[ $1 == *"$word"* ]] && return 0
	done
	return 1
}

# Debian 13 has no 6.1
stock_has() {
	[ -e "${XDG_CACHE_HOME:-$HOME/.cache}/laya/stock-$1/ready" ] ||
		[ -n "$(apt-cache pkgnames "linux-image-$1." 2>/dev/null)" ]
}

suites=()
kernels=()
add() { # SUITE KERNEL
	wanted "$1" || return 0
	suites+=("$1")
	case " ${kernels[*]-} " in
	*" $2 "*) ;;
	*) kernels+=("$2") ;;
	esac
}

if [ "$kernel" = uml ]; then
	for k in 6.12 6.1 uml; do
		stock_has $k || [ $k = uml ] || continue
		add "build/$k" $k
	done
	add userspace ''
	add runner uml
fi
add kunit "$kernel"
for file in selftests/kselftest/*.sh selftests/network/*.sh; do
	# What is only to be sourced is not executable
	[ -x "$file" ] || continue
	name=${file#selftests/}
	add "${name%.sh}" "$kernel"
done
if [ "$kernel" = uml ] && [ -e selftests/stock.list ]; then
	while read -r name on; do
		case $name in ''|'#'*) continue ;; esac
		for k in $on; do
			stock_has "$k" || continue
			add "stock/$k/${name%.sh}" "$k"
		done
	done < selftests/stock.list
fi
[ ${#suites[@]} -gt 0 ] || {
	echo "run.sh: no suite is called like '${words[*]}'" >&2
	exit 2
}

# --- one suite: KTAP on stdout, the rest on stderr ---

suite_build() { # KERNEL
	local dir=$logs/module-$1 log=$logs/module-$1.log count

	echo "1..2"
	rm -rf "$dir"
	if ! LAYA_MODULE_DIR=$dir selftests/vm/module.sh "$1" W=1 > "$log" 2>&1; then
		tail -n 60 "$log" >&2
		echo "not ok 1 builds"
		echo "ok 2 without a warning # SKIP"
		return 1
	fi
	echo "ok 1 builds"
	# Of the whole build: a warning that modpost gives counts too
	count=$(grep -cE '(warning|WARNING):' "$log")
	if [ "$count" != 0 ]; then
		grep -E -A 4 '(warning|WARNING):' "$log" >&2
		echo "not ok 2 without a warning"
		return 1
	fi
	echo "ok 2 without a warning"
}

suite_userspace() {
	make -s -C userspace check
}

# limit FILE FACTOR - its own "# timeout: SECONDS", or ten minutes
limit() {
	local seconds

	seconds=$(sed -n 's/^# timeout: *\([0-9]*\).*/\1/p' "$1" | head -n 1)
	echo $((${seconds:-600} * $2))
}

suite_script() { # KERNEL NAME
	local file=selftests/$2.sh factor=1 clock=()

	case $1 in
	uml) ! grep -q '^# clock: virtual' "$file" || clock=(-v) ;;
	6.*) factor=2 ;;
	debug) factor=4 ;;
	esac
	OUT=$logs/out/$1/$2 selftests/vm.sh -n -q -k "$1" "${clock[@]}" \
		-t "$(limit "$file" $factor)" -- "$file"
}

suite() {
	local on

	case $1 in
	build/*)	suite_build "${1#build/}" ;;
	userspace)	suite_userspace ;;
	runner)		selftests/vm/test.sh ;;
	kunit)		selftests/kunit.sh -n -k "$kernel" ;;
	stock/*)
		on=${1#stock/}
		suite_script "${on%%/*}" "${on#*/}"
		;;
	*)		suite_script "$kernel" "$1" ;;
	esac
}

# --- results ---

passed=0
failed=0
skipped=0
number=0
bad_suites=()

report() { # SUITE STATUS SECONDS
	local name=$1 status=$2 log=$logs/${1//\//-} ok not_ok skip plan why=()

	not_ok=$(grep -cE '^not ok\b' "$log.out")
	skip=$(grep -ciE '^ok\b.*# skip' "$log.out")
	ok=$(($(grep -cE '^ok\b' "$log.out") - skip))
	plan=$(awk '/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); n += $1 } END { print n + 0 }' \
		"$log.out")
	case $status in
	0)	;;
	99)	why+=("the kernel complained") ;;
	124)	why+=("took too long") ;;
	125)	why+=("the VM failed") ;;
	*)	[ "$not_ok" -gt 0 ] || why+=("exit status $status") ;;
	esac
	[ $((ok + skip + not_ok)) = "$plan" ] ||
		why+=("$plan results were planned, $((ok + skip + not_ok)) came")
	if grep -qE '^vm\.sh: (the kernel complained|kmemleak found)' "$log.err" &&
	   [ "$status" != 99 ]; then
		why+=("the kernel complained")
	fi

	number=$((number + 1))
	echo "# $name: $3 s"
	echo "    KTAP version 1"
	sed -e '/^KTAP version/d' -e 's/^/    /' "$log.out"
	passed=$((passed + ok))
	skipped=$((skipped + skip))
	failed=$((failed + not_ok + ${#why[@]}))
	if [ "$not_ok" = 0 ] && [ ${#why[@]} = 0 ]; then
		echo "ok $number $name"
		return
	fi
	bad_suites+=("$name")
	tail -n 120 "$log.err" | sed 's/^/    # /'
	for reason in "${why[@]}"; do
		echo "    # $name: $reason"
	done
	echo "not ok $number $name"
}

# --- everything that several suites need, first ---

vms=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$vms"' EXIT
trap 'exit 130' INT TERM

echo "KTAP version 1"
echo "1..${#suites[@]}"

prepared=ok
for k in "${kernels[@]}"; do
	[ -n "$k" ] || continue
	selftests/vm/kernel.sh "$k" > /dev/null || prepared=
	# for all VMs; the suite build/... builds one of its own
	selftests/vm/module.sh "$k" > "$logs/prepare-$k.log" 2>&1 || {
		echo "# laya.ko does not build for $k:"
		tail -n 30 "$logs/prepare-$k.log" | sed 's/^/# /'
		prepared=
	}
done
make -s -C userspace > "$logs/prepare-userspace.log" 2>&1 || {
	echo "# the programs do not build:"
	tail -n 30 "$logs/prepare-userspace.log" | sed 's/^/# /'
	prepared=
}
# What was built before may be there still, and testing that would mislead
if [ -z "$prepared" ]; then
	echo "0 passed, 1 failed"
	exit 1
fi

declare -A running=() started=()
next=0
while [ $next -lt ${#suites[@]} ] || [ ${#running[@]} -gt 0 ]; do
	while [ ${#running[@]} -lt "$parallel" ] && [ $next -lt ${#suites[@]} ]; do
		name=${suites[$next]}
		next=$((next + 1))
		log=$logs/${name//\//-}
		suite "$name" > "$log.out" 2> "$log.err" < /dev/null &
		running[$!]=$name
		started[$!]=$SECONDS
	done
	wait -n -p pid "${!running[@]}"
	status=$?
	report "${running[$pid]}" "$status" $((SECONDS - started[$pid]))
	unset "running[$pid]"
done

echo "# in $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s, $skipped skipped"
for name in "${bad_suites[@]}"; do
	echo "# failed: $name"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
