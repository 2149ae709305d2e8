/* SPDX-License-Identifier: GPL-2.0 */
/* From carrier to socket or device. */
#ifndef _LAYA_RECEIVE_H
#define _LAYA_RECEIVE_H

#include "laya.h"

/*
 * @skb is one UDP payload, or with gso_size set a run of equal ones from one
 * flow; its data is at the payload; consumed. Never written to: it may be
 * shared, or be page-cache pages. From NAPI, softirq.
 */
void laya_receive(struct laya_carrier *carrier, struct sk_buff *skb,
		  const struct laya_endpoint *from, u8 ttl, u8 tos);

#endif /* _LAYA_RECEIVE_H */
