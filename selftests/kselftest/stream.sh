#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# SOCK_STREAM of AF_LAYA: every call and every error. See pair.sh for the nodes.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../ktap.sh"
# shellcheck source=/dev/null
. "$here/pair.sh"

pair_setup || ktap_skip_all "no two nodes"
laya-stream-test "$@"
