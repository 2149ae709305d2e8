# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # run.sh reads what is set
#
# What goes to 443 is opened with the box's own certificate, must be HTTP, and goes on
# in TLS of the box's, which verifies the far certificate. All else is dropped.
#
#    net -- box -- host
#        mitmproxy
title="TLS opened on the way, HTTP enforced inside"
families="4" udp="" carrier="wss" names="yes"

build() { # HOST
	topology_public "$1-box" 4
	topology_behind "$1" "$1-box"
	router_symmetric "$1-box"
	router_drops "$1-box" "iifname lan meta l4proto { tcp, udp }"
	proxy_mitm "$1-box"
}
