/* SPDX-License-Identifier: GPL-2.0 */
/* Generic netlink: requests in, events out. */
#ifndef _LAYA_NETLINK_H
#define _LAYA_NETLINK_H

#include "laya.h"

int laya_netlink_init(void);
void laya_netlink_exit(void);
/*
 * Events, from any context; to the owner of the device (in the namespace where
 * it was created) and to the monitor group there.
 */
void laya_netlink_peer_wanted(struct laya_peer *peer);
void laya_netlink_session_aging(struct laya_session *session, u32 reason);
void laya_netlink_path_changed(struct laya_path *path);
void laya_netlink_carrier_lost(struct laya_device *laya, u32 id, u32 type,
			       u16 port);

#endif /* _LAYA_NETLINK_H */
