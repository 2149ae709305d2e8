/* SPDX-License-Identifier: GPL-2.0 */
/* Between stream.c and stream_walk.c. */
#ifndef _LAYA_STREAM_WALK_H
#define _LAYA_STREAM_WALK_H

#include "laya.h"

/* stream_walk.c: the sockets of TCP, by address; @remote NULL is any. May sleep. */
void laya_stream_walk(struct net *net, const struct in6_addr *local,
		      const struct in6_addr *remote,
		      bool (*visit)(struct sock *sk, void *data), void *data);

/* stream.c: listeners of AF_LAYA that are bound to the device. May sleep. */
void laya_stream_abort_listeners(struct net *net, int ifindex, int error);

#endif /* _LAYA_STREAM_WALK_H */
