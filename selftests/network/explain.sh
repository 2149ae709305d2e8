#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# layactl explain and check say what is the matter: see explain_faults.sh for
# the network and the faults.
# shellcheck disable=SC2016,SC2119,SC2317,SC2034 # conditions for wait_for are quoted
. "$(dirname "$0")/../ktap.sh"
. "$(dirname "$0")/topology.sh"
. "$(dirname "$0")/explain_faults.sh"
faults_topology
for f in ${1:-none relay-udp-dropped}; do
faults_begin $f
echo "### $f"
time at a layactl explain b; echo $?
at a layactl check; echo $?
faults_end $f
done
