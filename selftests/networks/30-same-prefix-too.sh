# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# At 192.168.1.2, which is the address of 30-same-prefix's host, is another machine.
#
#    net -- nat -+- host     192.168.1.3
#                +- other    192.168.1.2
title="the same prefix, another host"
families="4" mapping="each" filter="port"

build() { # HOST
	topology_public "$1-nat" 4
	topology_behind "$1-other" "$1-nat" 192.168.1
	topology_behind "$1" "$1-nat"
	router_symmetric "$1-nat"
}
