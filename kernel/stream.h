/* SPDX-License-Identifier: GPL-2.0 */
/* SOCK_STREAM of AF_LAYA: the kernel's TCP, grafted. */
#ifndef _LAYA_STREAM_H
#define _LAYA_STREAM_H

#include "laya.h"

int laya_stream_init(void);
void laya_stream_exit(void);
/* create() of the family, type SOCK_STREAM. */
int laya_stream_create(struct net *net, struct socket *sock, int kern);
/*
 * Abort (positive @error) the established and connecting TCP sockets between
 * @laya and @orchid; from work, may sleep.
 */
void laya_stream_abort(struct laya_device *laya, const struct in6_addr *orchid,
		       int error);
/* True when some TCP socket of @laya is not closed towards @orchid. */
bool laya_stream_any(struct laya_device *laya, const struct in6_addr *orchid);
/* Tell TCP to retransmit now: a path to @orchid is back. From work. */
void laya_stream_path_back(struct laya_device *laya,
			   const struct in6_addr *orchid);

#endif /* _LAYA_STREAM_H */
