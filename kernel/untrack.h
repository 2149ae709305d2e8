/* SPDX-License-Identifier: GPL-2.0 */
/* A gateway's packets pass beside connection tracking, and so beside NAT. */
#ifndef _LAYA_UNTRACK_H
#define _LAYA_UNTRACK_H

struct laya_carrier_udp;
struct laya_device;
struct netlink_ext_ack;

/* Under device->lock and rtnl: as device->flags and the carrier now want it. */
int laya_untrack_update(struct laya_device *laya,
			struct netlink_ext_ack *extack);
/* Under device->lock; the caller waits for a grace period before it frees. */
void laya_untrack_stop(struct laya_carrier_udp *udp);

#endif /* _LAYA_UNTRACK_H */
