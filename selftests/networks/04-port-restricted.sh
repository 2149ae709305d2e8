# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# What a home router mostly is: endpoint-independent mapping; in comes what
# answers.
#
#    net -- nat -- host
title="port-restricted NAT"
families="4" mapping="one" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1" "$1-nat"
	router_port "$1-nat"
}
