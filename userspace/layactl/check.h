/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAYACTL_CHECK_H
#define LAYACTL_CHECK_H

#include "layactl.h"

/* Pure: check_judge.c */
json_t *check_judge(const json_t *facts);
bool check_passed(const json_t *checks);

#endif /* LAYACTL_CHECK_H */
