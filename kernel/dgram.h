/* SPDX-License-Identifier: GPL-2.0 */
/* SOCK_DGRAM of AF_LAYA. */
#ifndef _LAYA_DGRAM_H
#define _LAYA_DGRAM_H

#include "laya.h"

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
/* @peer says that our datagram from port @source to its @dest failed. */
void laya_dgram_error(struct laya_peer *peer, __be16 source, __be16 dest,
		      int error);
/* Waiting datagrams of @peer failed (laya_peer_fail): tell connected sockets. */
void laya_dgram_peer_failed(struct laya_peer *peer, int error);
/* The path in use changed: tell the sockets that asked (LAYA_PATH_EVENTS). */
void laya_dgram_path_changed(struct laya_peer *peer);
/* The device goes: its sockets lose their port and get ENODEV. */
void laya_dgram_device_gone(struct laya_device *laya);

#endif /* _LAYA_DGRAM_H */
