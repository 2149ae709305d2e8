/* SPDX-License-Identifier: GPL-2.0 */
/* Stream carriers that others open to us: limits, and what becomes of them. */
#ifndef LAYAD_CARRIERS_H
#define LAYAD_CARRIERS_H

#include "listen.h"
#include "node.h"

struct carriers;

struct carriers *carriers_new(struct node *node);
void carriers_free(struct carriers *carriers);
void carriers_take(struct carriers *carriers,
		   const struct laya_accepted *accepted, unsigned int most);
bool carriers_lost(struct carriers *carriers, uint32_t carrier_id);
void carriers_care(struct carriers *carriers);

#endif /* LAYAD_CARRIERS_H */
