# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# Half of the delay and all of the loss in each direction. What varies in its delay is
# reordered by that: with netem's "reorder" some packets skip the delay, so that the
# least round trip of a path would be a matter of luck.
#
#    net --netem-- nat --netem-- host
title="5% loss, 200 ms, reordering, duplicates"
families="4" mapping="each" filter="port"

build() { # HOST
	local netem="delay 100ms 10ms loss 5% duplicate 1% limit 10000"

	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
	# shellcheck disable=SC2086 # words
	tc -n "$1-nat" qdisc add dev eth0 root netem $netem
	# shellcheck disable=SC2086 # words
	tc -n "$1-nat" qdisc add dev lan root netem $netem
}
