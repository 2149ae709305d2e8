# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# TCP is free.
#
#    net --tbf-- nat --tbf-- host
title="UDP shaped to 1 Mbit/s"
families="4" mapping="each" filter="port"

build() { # HOST
	local dev

	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	for dev in eth0 lan; do
		tc -n "$1-nat" qdisc add dev $dev root handle 1: prio bands 2 \
			priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
		tc -n "$1-nat" qdisc add dev $dev parent 1:2 tbf rate 1mbit \
			burst 4kb latency 50ms
		tc -n "$1-nat" filter add dev $dev parent 1: protocol ip u32 \
			match ip protocol 17 0xff flowid 1:2
	done
}
