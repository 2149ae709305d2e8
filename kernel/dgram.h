/* SPDX-License-Identifier: GPL-2.0 */
/* SOCK_DGRAM of AF_LAYA. */
#ifndef _LAYA_DGRAM_H
#define _LAYA_DGRAM_H

#include "laya.h"

/* Before the first device can be, and after the last one is gone. */
int laya_dgram_init(void);
void laya_dgram_exit(void);
/* create() of the family, type SOCK_DGRAM. */
int laya_dgram_create(struct net *net, struct socket *sock, int kern);
/*
 * An authenticated, allowed datagram of @peer; @skb (consumed) is at the payload,
 * behind the inner header. A device without a socket on the port answers with
 * LAYA_ERROR_PORT_UNREACHABLE. Under RCU, BH.
 */
void laya_dgram_receive(struct laya_peer *peer, struct sk_buff *skb,
			__be16 source, __be16 dest);
/*
 * @peer says that our datagram from port @source to its @dest failed. @error is a
 * positive errno, here and below.
 */
void laya_dgram_error(struct laya_peer *peer, __be16 source, __be16 dest,
		      int error);
/* Waiting datagrams of @peer failed (laya_peer_fail): tell connected sockets. */
void laya_dgram_peer_failed(struct laya_peer *peer, int error);
/*
 * The path in use changed: tell the sockets, of streams too, that asked
 * (LAYA_PATH_EVENTS). Under RCU; asks path.c about the path, so not under a lock
 * that laya_path_info() takes.
 */
void laya_dgram_path_changed(struct laya_peer *peer);
/*
 * The device goes: its sockets lose their port and get ENODEV, its streams are
 * aborted. Under rtnl; called again it does nothing.
 */
void laya_dgram_device_gone(struct laya_device *laya);

/* Ephemeral ports, as are usual for UDP on Linux. */
#define LAYA_DGRAM_PORT_MIN	32768
#define LAYA_DGRAM_PORT_MAX	60999
#define LAYA_DGRAM_BUCKETS	256	/* struct laya_ports */

/*
 * Pure: choose an ephemeral port that is not in use, starting from @random; 0 when
 * there is none. @used sets bit n for port n * LAYA_DGRAM_BUCKETS + @bucket.
 */
u16 laya_dgram_pick_port(u32 random,
			 void (*used)(unsigned int bucket, unsigned long *bits,
				      void *data),
			 void *data);

#endif /* _LAYA_DGRAM_H */
