/* SPDX-License-Identifier: GPL-2.0 */
/* SOCK_STREAM of AF_LAYA: the kernel's TCP, grafted. */
#ifndef _LAYA_STREAM_H
#define _LAYA_STREAM_H

#include "laya.h"

/* Before the first device can be, and after the last one is gone. */
int laya_stream_init(void);
void laya_stream_exit(void);
/* create() of the family, type SOCK_STREAM. */
int laya_stream_create(struct net *net, struct socket *sock, int kern);
/*
 * Abort (positive @error) the established and connecting TCP sockets between
 * @laya and @orchid, AF_LAYA's and others. Under RCU or with @laya held; from any
 * context, since it is done by work.
 */
void laya_stream_abort(struct laya_device *laya, const struct in6_addr *orchid,
		       int error);
/*
 * True when some TCP socket of @laya is not closed towards @orchid. From work:
 * walks the whole table of TCP.
 */
bool laya_stream_any(struct laya_device *laya, const struct in6_addr *orchid);
/* Tell TCP to retransmit now: a path to @orchid is back. As laya_stream_abort. */
void laya_stream_path_back(struct laya_device *laya,
			   const struct in6_addr *orchid);
/*
 * For the transmit path: the kinds of path (mask, or LAYA_KINDS_ANY) that a
 * packet of @sk may take. @sk is skb->sk: any socket, request or NULL.
 */
u32 laya_stream_kinds(const struct sock *sk);

/* Called by dgram.c, which is told first. */
void laya_stream_path_changed(struct laya_peer *peer);
void laya_stream_device_gone(struct laya_device *laya);

/* Pure: may a program set (or get) the option? SOL_LAYA is not asked. */
bool laya_stream_option_allowed(int level, int optname, bool set);

#endif /* _LAYA_STREAM_H */
