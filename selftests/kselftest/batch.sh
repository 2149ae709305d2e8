#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Batches of odd sizes arrive byte by byte, over IPv4 and IPv6; when the path changes
# in the midst of one; and with each of the offloads off that batches rest on, below
# Laya and above it.
#
# timeout: 1200
#
#	 a ------ eth0 ------ b
#	   ------ eth1 ------
#	laya0              laya0
#
# See pair.sh. The path by eth1 is of kind LAN; eth1 is narrower.
# shellcheck disable=SC2016,SC2154 # conditions are for wait_for; pair.sh sets some
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

on() { # NODE COMMAND...
	ip netns exec "$@"
}

# size_of KIND: how large packets on a's path of the kind are
size_of() {
	on a laya-nl -d path-get dev=laya0 | grep " kind=$1 " |
		sed -n 's/.* mtu=\([0-9]*\).*/\1/p'
}

# What ethtool -k says of a feature that -K knows by a short name
line() { # FEATURE STATE
	case $1 in
	tso)	echo "tcp-segmentation-offload: $2" ;;
	gso)	echo "generic-segmentation-offload: $2" ;;
	gro)	echo "generic-receive-offload: $2" ;;
	sg)	echo "scatter-gather: $2" ;;
	tx)	echo "tx-checksumming: $2" ;;
	rx)	echo "rx-checksumming: $2" ;;
	*)	echo "$1: $2" ;;
	esac
}

# are NODE DEVICE FEATURE STATE...
are() {
	local node=$1 device=$2 now

	shift 2
	now=$(on "$node" ethtool -k "$device")
	while [ $# -gt 0 ]; do
		echo "$now" | grep -qx "$(line "$1" "$2")" || return
		shift 2
	done
}

# switched DEVICE FEATURE STATE...: batches with these so at both ends, where they
# are not by default
switched() {
	local device=$1 back=("$1")

	shift
	on a ethtool -K "$device" "$@" > /dev/null 2>&1
	on b ethtool -K "$device" "$@" > /dev/null 2>&1
	if are a "$device" "$@" && are b "$device" "$@"; then
		ktap_check "IPv$family: $device, $*" laya-batch-test
	else
		ktap_not_ok "IPv$family: $device, $*" "cannot be"
	fi
	while [ $# -gt 0 ]; do
		case $2 in
		off)	back+=("$1" on) ;;
		on)	back+=("$1" off) ;;
		esac
		shift 2
	done
	on a ethtool -K "${back[@]}" > /dev/null 2>&1
	on b ethtool -K "${back[@]}" > /dev/null 2>&1
}

# Another path to b, narrower and of another kind
second_path() {
	ip link add eth1 netns a mtu 1300 type veth \
		peer name eth1 netns b mtu 1300
	pair_address a eth1 198.51.100.1
	pair_address b eth1 198.51.100.2
	pair_address a eth1 2001:db8:1::1
	pair_address b eth1 2001:db8:1::2
	ip -n a link set eth1 up
	ip -n b link set eth1 up
	case $family in
	4)	pair_dial a b 198.51.100.2 lan ;;
	6)	pair_dial a b 2001:db8:1::2 lan ;;
	esac
	wait_for '[ "$(size_of 1)" -gt 1200 ]'
}

ktap_plan 40
for family in 4 6; do
	pair_setup $family || ktap_skip_all "no two nodes"
	wait_for '[ "$(size_of 2)" = 1436 ]'
	ktap_check "IPv$family: batches arrive as they were sent" laya-batch-test

	# Runs are cut below Laya, or above it
	for device in eth0 laya0; do
		switched $device tx-udp-segmentation off
		switched $device tso off
		switched $device gso off
		switched $device sg off
		switched $device tx off
	done
	# Packets of cut ones are put together again, or stay single
	switched eth0 tx-udp-segmentation off gro on
	switched eth0 tx-udp-segmentation off gro on rx-udp-gro-forwarding on
	switched eth0 tx-udp-segmentation off gro on rx-gro-list on
	switched eth0 rx off
	switched laya0 gro off
	switched laya0 rx-udp-gro-forwarding on
	switched laya0 rx-gro-list on

	second_path
	narrow=$(size_of 1)
	ktap_check "IPv$family: one of two paths is narrower" \
		test "$narrow" -gt 1200 -a "$narrow" -lt 1300
	ktap_check "the path changes in the midst of a batch" laya-batch-test paths
	pair_clean
done
ktap_done
