// SPDX-License-Identifier: GPL-2.0
/* The address family, and what its two kinds of socket share. */

#include <linux/errqueue.h>
#include <linux/module.h>
#include <linux/net.h>
#include <net/sock.h>

#include "addr.h"
#include "af_laya.h"
#include "device.h"
#include "dgram.h"
#include "path.h"
#include "peer.h"
#include "stream.h"

/* --- options --- */

static int laya_af_put_option(char __user *optval, int __user *optlen, int len,
			      const void *value, int size)
{
	len = min(len, size);
	if (put_user(len, optlen) || copy_to_user(optval, value, len))
		return -EFAULT;
	return 0;
}

/**
 * laya_af_put_int() - the value of an option that is an int
 * @value: The value.
 * @optval: Where it goes; cut to the room that there is.
 * @optlen: Room there, then length of the value.
 *
 * Return: 0, -EINVAL, -EFAULT.
 */
int laya_af_put_int(int value, char __user *optval, int __user *optlen)
{
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	return laya_af_put_option(optval, optlen, len, &value, sizeof(value));
}

static int laya_af_get_path_info(const struct laya_af_state *state,
				 struct laya_path_info *info)
{
	struct laya_device *laya;
	struct laya_peer *peer;
	int err = -ENETUNREACH;

	rcu_read_lock();
	laya = laya_device_lookup_ifindex(state->net, state->ifindex);
	peer = laya ? laya_peer_lookup_key(laya, state->key) : NULL;
	if (peer)
		err = laya_af_path_info(peer, state->kinds, info);
	rcu_read_unlock();
	return err;
}

/**
 * laya_af_getsockopt() - getsockopt(2) at SOL_LAYA
 * @state: What the socket has to say.
 * @optname: Which option.
 * @optval: Where its value goes; cut to the room that there is.
 * @optlen: Room there, then length of the value.
 *
 * Return: 0, -ENOTCONN, -ENETUNREACH when there is no path, -ENOPROTOOPT.
 */
int laya_af_getsockopt(const struct laya_af_state *state, int optname,
		       char __user *optval, int __user *optlen)
{
	struct laya_path_info info;
	int len, err;
	u32 value;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;

	switch (optname) {
	case LAYA_PATH_INFO:
		if (!state->connected)
			return -ENOTCONN;
		err = laya_af_get_path_info(state, &info);
		if (err)
			return err;
		return laya_af_put_option(optval, optlen, len, &info,
					  sizeof(info));
	case LAYA_PEER_KEY:
		if (!state->connected)
			return -ENOTCONN;
		return laya_af_put_option(optval, optlen, len, state->key,
					  LAYA_KEY_SIZE);
	case LAYA_PATH_KINDS:
		value = state->kinds & LAYA_AF_KINDS;
		return laya_af_put_option(optval, optlen, len, &value,
					  sizeof(value));
	case LAYA_PATH_EVENTS:
		value = state->events;
		return laya_af_put_option(optval, optlen, len, &value,
					  sizeof(value));
	}
	return -ENOPROTOOPT;
}

/**
 * laya_af_get_option() - read the value of an option that can be set
 * @optname: LAYA_PATH_KINDS or LAYA_PATH_EVENTS.
 * @optval: From userspace.
 * @optlen: Its length.
 * @value: Where it goes.
 *
 * Return: 0, -EINVAL, -EFAULT, -ENOPROTOOPT for what cannot be set.
 */
int laya_af_get_option(int optname, sockptr_t optval, unsigned int optlen,
		       u32 *value)
{
	if (optname != LAYA_PATH_KINDS && optname != LAYA_PATH_EVENTS)
		return -ENOPROTOOPT;
	if (optlen < sizeof(*value))
		return -EINVAL;
	if (copy_from_sockptr(value, optval, sizeof(*value)))
		return -EFAULT;

	if (optname == LAYA_PATH_EVENTS) {
		*value = !!*value;
		return 0;
	}
	/* Kinds that a later kernel may have are no reason to fail */
	*value &= LAYA_AF_KINDS;
	if (!*value)
		return -EINVAL;
	if (*value == LAYA_AF_KINDS)
		*value = LAYA_KINDS_ANY;
	return 0;
}

/**
 * laya_af_option_refused() - is an option at SOL_SOCKET not for these sockets?
 * @optname: Which.
 *
 * A socket belongs to the device that bind() or connect() found: its identity.
 *
 * Return: true for what would move it to another.
 */
bool laya_af_option_refused(int optname)
{
	return optname == SO_BINDTODEVICE || optname == SO_BINDTOIFINDEX;
}

/* --- paths and peers --- */

/**
 * laya_af_local_device() - find the device that a name in bind(2) means
 * @net: Network namespace of the socket.
 * @name: The name; its key is that of this node, or zero.
 *
 * Return: the device, valid under RCU; ERR_PTR of -ENODEV, -EADDRNOTAVAIL (no
 * such key here, several devices to choose from, no key set).
 */
struct laya_device *laya_af_local_device(struct net *net,
					 const struct sockaddr_laya *name)
{
	bool any = laya_addr_key_zero(name->slaya_key);
	struct laya_device *laya;

	if (any || name->slaya_scope_id)
		laya = laya_device_lookup_scope(net, name->slaya_scope_id, NULL);
	else
		laya = laya_device_lookup_key(net, name->slaya_key);
	if (!laya || laya == ERR_PTR(-ENETUNREACH))
		return ERR_PTR(-EADDRNOTAVAIL);
	if (IS_ERR(laya))
		return laya;
	if (laya_addr_key_zero(laya->public_key) ||
	    (!any && memcmp(laya->public_key, name->slaya_key, LAYA_KEY_SIZE)))
		return ERR_PTR(-EADDRNOTAVAIL);
	return laya;
}

/**
 * laya_af_path_info() - describe the path that packets take
 * @peer: To whom.
 * @kinds: Kinds of path that they may take.
 * @info: The description.
 *
 * Return: 0, -ENETUNREACH when there is no such path.
 */
int laya_af_path_info(struct laya_peer *peer, u32 kinds,
		      struct laya_path_info *info)
{
	struct laya_path *path;

	path = kinds == LAYA_KINDS_ANY ? rcu_dereference(peer->best) :
					 laya_path_to_send(peer, kinds);
	if (!path)
		return -ENETUNREACH;
	laya_path_info(path, info);
	return 0;
}

/**
 * laya_af_reachable() - may a socket send to a node at all?
 * @laya: Its device.
 * @key: The node, which may be our own.
 * @control: It is layad that asks.
 *
 * Return: 0; -ENETUNREACH for a key that is no peer; -EACCES for a peer that is
 * not allowed; -EHOSTUNREACH when there is no session and nobody to make one.
 */
int laya_af_reachable(struct laya_device *laya, const u8 *key, bool control)
{
	struct laya_peer *peer;

	if (!memcmp(key, laya->public_key, LAYA_KEY_SIZE))
		return 0;
	peer = laya_peer_lookup_key(laya, key);
	if (!peer)
		return -ENETUNREACH;
	if (!control && !(READ_ONCE(peer->flags) & LAYA_PEER_FLAGS_ALLOW))
		return -EACCES;
	/* A responder's next session may be confirmed at any moment */
	if (!READ_ONCE(laya->owner_portid) &&
	    !rcu_access_pointer(peer->slots[LAYA_SESSION_SLOT_CURRENT - 1]) &&
	    !rcu_access_pointer(peer->slots[LAYA_SESSION_SLOT_NEXT - 1]))
		return -EHOSTUNREACH;
	return 0;
}

/* --- path changes on the error queue --- */

/*
 * The description travels as the payload; recvmsg() makes a control message of
 * it. Nothing of the kernel's own has this origin and these marks, so a reader
 * of TCP's error queue knows them apart.
 */
static bool laya_af_is_event(const struct sk_buff *skb)
{
	const struct sock_extended_err *ee = &SKB_EXT_ERR(skb)->ee;

	return ee->ee_origin == SO_EE_ORIGIN_NONE && ee->ee_info == SOL_LAYA &&
	       ee->ee_data == LAYA_PATH_INFO;
}

/**
 * laya_af_queue_event() - tell a socket that its path changed
 * @sk: The socket.
 * @info: The path in use now.
 *
 * One that does not read its error queue loses the news once that is full.
 */
void laya_af_queue_event(struct sock *sk, const struct laya_path_info *info)
{
	struct sock_exterr_skb *serr;
	struct sk_buff *skb;

	skb = alloc_skb(sizeof(*info), GFP_ATOMIC);
	if (!skb)
		return;
	skb_put_data(skb, info, sizeof(*info));
	serr = SKB_EXT_ERR(skb);
	memset(serr, 0, sizeof(*serr));
	serr->ee.ee_origin = SO_EE_ORIGIN_NONE;
	serr->ee.ee_info = SOL_LAYA;
	serr->ee.ee_data = LAYA_PATH_INFO;
	if (sock_queue_err_skb(sk, skb))
		kfree_skb(skb);
}

/**
 * laya_af_recv_event() - recvmsg(2) with MSG_ERRQUEUE
 * @sk: The socket.
 * @msg: Gets the control message; there is no payload.
 *
 * Return: 0, the length of the payload; -EAGAIN when no such message is first.
 */
int laya_af_recv_event(struct sock *sk, struct msghdr *msg)
{
	struct sk_buff_head *queue = &sk->sk_error_queue;
	struct sk_buff *skb;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	skb = skb_peek(queue);
	if (skb && laya_af_is_event(skb))
		__skb_unlink(skb, queue);
	else
		skb = NULL;
	spin_unlock_irqrestore(&queue->lock, flags);
	if (!skb)
		return -EAGAIN;

	put_cmsg(msg, SOL_LAYA, LAYA_PATH_INFO, sizeof(struct laya_path_info),
		 skb->data);
	msg->msg_flags |= MSG_ERRQUEUE;
	msg->msg_namelen = 0;
	consume_skb(skb);
	return 0;
}

/* --- the family --- */

static int laya_af_create(struct net *net, struct socket *sock, int protocol,
			  int kern)
{
	switch (sock->type) {
	case SOCK_STREAM:
	case SOCK_DGRAM:
		break;
	default:
		return -ESOCKTNOSUPPORT;
	}
	if (protocol)
		return -EPROTONOSUPPORT;
	return sock->type == SOCK_STREAM ? laya_stream_create(net, sock, kern) :
					   laya_dgram_create(net, sock, kern);
}

static const struct net_proto_family laya_af_family = {
	.family	= PF_LAYA,
	.create	= laya_af_create,
	.owner	= THIS_MODULE,
};

/**
 * laya_af_init() - let programs have sockets
 *
 * After all that sockets need.
 *
 * Return: 0 or a negative errno.
 */
int laya_af_init(void)
{
	return sock_register(&laya_af_family);
}

/**
 * laya_af_exit() - no more sockets; there are none, or the module would stay
 */
void laya_af_exit(void)
{
	sock_unregister(PF_LAYA);
}
