/* SPDX-License-Identifier: GPL-2.0 */
/* This machine was suspended: nobody who knew us has heard of us since. */
#ifndef LAYAD_SUSPEND_H
#define LAYAD_SUSPEND_H

#include <stdint.h>

struct node;

int suspend_start(struct node *node);
void suspend_stop(struct node *node);

uint64_t suspend_slept_ms(uint64_t *asleep, uint64_t boot, uint64_t monotonic);

#endif /* LAYAD_SUSPEND_H */
