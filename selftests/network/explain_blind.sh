#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# clock: virtual
#
# explain_blind.sh [TRIES [SEED]]
#
# A blind test of layactl explain: faults of explain_faults.sh are injected at
# random, and each explanation must name that fault and no other. At least 95 of
# 100 must be right.
# shellcheck disable=SC2016,SC2119,SC2317,SC2034,SC2154 # for wait_for; and of others
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/explain_faults.sh"

tries=${1:-${LAYA_EXPLAIN_TRIES:-5}}
RANDOM=${2:-${LAYA_EXPLAIN_SEED:-1}}
# The order of an associative array is bash's own business.
mapfile -t names < <(printf '%s\n' "${!faults[@]}" | sort)

ktap_plan 2

# What these set has to outlive them, so they are not for ktap_check.
faults_topology
ktap_equal "the network is there" 0 $?
right=0
for ((try = 1; try <= tries; try++)); do
	fault=${names[RANDOM % ${#names[@]}]}
	faults_begin "$fault" || ktap_note "a and b do not run"
	text=$(at a layactl explain b)
	named=$(faults_named <<< "$text")
	if [ "$named" = "$fault" ]; then
		right=$((right + 1))
		ktap_note "$try: $fault"
	else
		ktap_note "$try: $fault, but it names: $named" "$text"
	fi
	faults_end "$fault"
done
ktap_note "$right of $tries named rightly, seed ${2:-${LAYA_EXPLAIN_SEED:-1}}"
ktap_check "at least 95 of 100 are named rightly" [ $((right * 100)) -ge $((tries * 95)) ]
ktap_done
