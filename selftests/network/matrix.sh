#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 1500
# clock: virtual
#
# Of the matrix of networks (selftests/networks) a ring: each network with two others,
# ProbeMapped off and on. `make matrix` is the whole.
exec "$(dirname "$0")/../networks/run.sh" -r
