/* SPDX-License-Identifier: GPL-2.0 */
/* The address family, and what its two kinds of socket share. */
#ifndef _LAYA_AF_LAYA_H
#define _LAYA_AF_LAYA_H

#include <linux/bits.h>

#include "laya.h"
#include "send.h"

int laya_af_init(void);		/* the last thing that the module starts */
void laya_af_exit(void);	/* the first that it stops */

/* All kinds of path, as LAYA_PATH_KINDS says them. */
#define LAYA_AF_KINDS	GENMASK(LAYA_PATH_KIND_RELAY, LAYA_PATH_KIND_LAN)

/**
 * struct laya_af_state - what the options at SOL_LAYA are about
 * @net: Network namespace of the socket.
 * @ifindex: Its device.
 * @connected: It has a peer.
 * @key: Public key of the peer.
 * @kinds: Kinds of path that it may use: LAYA_KINDS_ANY or a mask.
 * @events: It asked for notice of path changes.
 */
struct laya_af_state {
	struct net	*net;
	int		ifindex;
	bool		connected;
	u8		key[LAYA_KEY_SIZE];
	u32		kinds;
	bool		events;
};

/* getsockopt at SOL_LAYA. */
int laya_af_getsockopt(const struct laya_af_state *state, int optname,
		       char __user *optval, int __user *optlen);
/* The value of an option that is an int. -EINVAL, -EFAULT. */
int laya_af_put_int(int value, char __user *optval, int __user *optlen);
/*
 * Read the value of a LAYA_PATH_KINDS or LAYA_PATH_EVENTS from userspace; of the
 * former LAYA_KINDS_ANY stands for all. -EINVAL, -EFAULT, -ENOPROTOOPT.
 */
int laya_af_get_option(int optname, sockptr_t optval, unsigned int optlen,
		       u32 *value);
/* Options at SOL_SOCKET that would break the binding of a socket to its device. */
bool laya_af_option_refused(int optname);
/* The device that a name in bind(2) means. Under RCU. -ENODEV, -EADDRNOTAVAIL. */
struct laya_device *laya_af_local_device(struct net *net,
					 const struct sockaddr_laya *name);
/* The path that packets to @peer take. Under RCU. -ENETUNREACH: none. */
int laya_af_path_info(struct laya_peer *peer, u32 kinds,
		      struct laya_path_info *info);
/*
 * May a socket send to @key at all? Under RCU. 0, -ENETUNREACH (unknown), -EACCES
 * (not allowed), -EHOSTUNREACH (no session, and nobody to make one).
 */
int laya_af_reachable(struct laya_device *laya, const u8 *key, bool control);
/* Put a change of path on the error queue of a socket; any context. */
void laya_af_queue_event(struct sock *sk, const struct laya_path_info *info);
/*
 * Take one off for recvmsg(MSG_ERRQUEUE). -EAGAIN: the first in the queue, if
 * there is one, is none of ours.
 */
int laya_af_recv_event(struct sock *sk, struct msghdr *msg);

#endif /* _LAYA_AF_LAYA_H */
