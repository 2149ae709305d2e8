# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# Nothing in between: who knows the address gets there.
#
#    net
#     |
#    host
title="public IPv4 and IPv6"
families="4 6" open="4 6"

build() { # HOST
	topology_public "$1"
}
