#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# clock: virtual
# timeout: 1500
#
# abuse.sh, with a relay that is no node: laya-rendezvous --relay.
# shellcheck disable=SC2034 # of abuse.sh
abuse_of=relay
# shellcheck source=/dev/null
. "$(dirname "$0")/abuse.sh"
