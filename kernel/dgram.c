// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_DGRAM of AF_LAYA.
 *
 * A datagram goes from sendmsg() to the sealed packet with no IP or UDP between;
 * what UDP would do is here: ports, queues, errors.
 *
 * Ports belong to a device, which is an identity. A socket gets its device with
 * its port, in bind() or else with its first destination, and keeps both: on a
 * device that is gone it fails with ENODEV.
 */

#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/sockios.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include <asm/ioctls.h>

#include "addr.h"
#include "af_laya.h"
#include "compat_socket.h"
#include "device.h"
#include "dgram.h"
#include "dgram_port.h"
#include "peer.h"
#include "send.h"

#define LAYA_DGRAM_CONTROL_PORT	1	/* layad's */

static struct lock_class_key laya_dgram_slock_class;
static struct lock_class_key laya_dgram_lock_class;

/* --- names --- */

static int laya_dgram_may_bind(struct net *net, u16 port)
{
	/* What it says is believed by the other layad, so it is not for all */
	if (port == LAYA_DGRAM_CONTROL_PORT)
		return ns_capable(net->user_ns, CAP_NET_ADMIN) ? 0 : -EACCES;
	if (port && port < 1024)
		return ns_capable(net->user_ns, CAP_NET_BIND_SERVICE) ?
			0 : -EACCES;
	return 0;
}

static int laya_dgram_bind(struct socket *sock, struct laya_sockaddr *addr,
			   int len)
{
	const struct sockaddr_laya *name = (const struct sockaddr_laya *)addr;
	struct laya_dgram_sock *ls = laya_dgram_sk(sock->sk);
	struct laya_device *laya;
	struct sock *sk = sock->sk;
	int err;

	err = laya_addr_check(name, len);
	if (err)
		return err;
	err = laya_dgram_may_bind(sock_net(sk), ntohs(name->slaya_port));
	if (err)
		return err;

	lock_sock(sk);
	err = -EINVAL;
	if (ls->port)
		goto out;
	rcu_read_lock();
	laya = laya_af_local_device(sock_net(sk), name);
	err = IS_ERR(laya) ? PTR_ERR(laya) :
			     laya_dgram_get_port(ls, laya,
						 ntohs(name->slaya_port));
	rcu_read_unlock();
out:
	release_sock(sk);
	return err;
}

/*
 * The device towards @key; a socket that has none gets it now, with a port. May
 * sleep; the device may be gone when it returns.
 */
static int laya_dgram_autobind(struct laya_dgram_sock *ls, const u8 *key,
			       u32 scope_id)
{
	struct laya_device *laya;
	int err = 0;

	if (READ_ONCE(ls->gone))
		return -ENODEV;
	if (likely(READ_ONCE(ls->port)))
		goto out;

	lock_sock(&ls->sk);
	if (!ls->port) {
		rcu_read_lock();
		laya = laya_device_lookup_scope(sock_net(&ls->sk), scope_id, key);
		if (IS_ERR(laya)) {
			err = PTR_ERR(laya);
		} else {
			/* Do not settle on a device that does not know it */
			err = laya_af_reachable(laya, key, false);
			if (err != -ENETUNREACH)
				err = laya_dgram_get_port(ls, laya, 0);
		}
		rcu_read_unlock();
		if (err == -EADDRINUSE)
			err = -EAGAIN;
	}
	release_sock(&ls->sk);
	if (err)
		return err;
out:
	if (scope_id && scope_id != READ_ONCE(ls->ifindex))
		return -EINVAL;
	return 0;
}

/**
 * laya_dgram_route() - may a socket send to a node now?
 * @ls: The socket.
 * @key: The node.
 * @port: The port there.
 *
 * Return: Its device, under RCU, or ERR_PTR.
 */
struct laya_device *laya_dgram_route(struct laya_dgram_sock *ls, const u8 *key,
				     __be16 port)
{
	struct laya_device *laya = rcu_dereference(ls->laya);
	bool control = port == htons(LAYA_DGRAM_CONTROL_PORT);
	int err;

	/* Bound at the moment when it was moved to another namespace */
	if (!laya || !net_eq(dev_net(laya->dev), sock_net(&ls->sk)))
		return ERR_PTR(-ENODEV);
	/* No program but layad talks to a layad */
	if (control && ls->port != LAYA_DGRAM_CONTROL_PORT)
		return ERR_PTR(-EACCES);
	if (!(laya->dev->flags & IFF_UP))
		return ERR_PTR(-ENETDOWN);
	err = laya_af_reachable(laya, key, control);
	if (err)
		return ERR_PTR(err);
	return laya;
}

static int laya_dgram_check_dest(const struct sockaddr_laya *name, int len)
{
	int err = laya_addr_check(name, len);

	if (err)
		return err;
	return name->slaya_port && laya_addr_key_valid(name->slaya_key) ?
		0 : -EINVAL;
}

static void laya_dgram_set_dest(struct laya_dgram_sock *ls,
				struct laya_dgram_dest *to)
{
	struct laya_dgram_dest *old;

	old = rcu_replace_pointer(ls->dest, to, lockdep_sock_is_held(&ls->sk));
	if (old)
		kfree_rcu(old, rcu);
	WRITE_ONCE(ls->sk.sk_state, to ? TCP_ESTABLISHED : TCP_CLOSE);
}

static int laya_dgram_connect(struct socket *sock, struct laya_sockaddr *addr,
			      int len, int flags)
{
	const struct sockaddr_laya *name = (const struct sockaddr_laya *)addr;
	struct laya_dgram_sock *ls = laya_dgram_sk(sock->sk);
	struct laya_dgram_dest *to;
	struct laya_device *laya;
	int err;

	if (len < (int)sizeof(name->slaya_family))
		return -EINVAL;
	if (name->slaya_family == AF_UNSPEC) {
		lock_sock(&ls->sk);
		laya_dgram_set_dest(ls, NULL);
		sock->state = SS_UNCONNECTED;
		release_sock(&ls->sk);
		return 0;
	}
	err = laya_dgram_check_dest(name, len);
	if (err)
		return err;
	err = laya_dgram_autobind(ls, name->slaya_key, name->slaya_scope_id);
	if (err)
		return err;

	to = kzalloc(sizeof(*to), GFP_KERNEL_ACCOUNT);
	if (!to)
		return -ENOMEM;
	memcpy(to->key, name->slaya_key, LAYA_KEY_SIZE);
	to->port = name->slaya_port;

	rcu_read_lock();
	laya = laya_dgram_route(ls, to->key, to->port);
	err = PTR_ERR_OR_ZERO(laya);
	rcu_read_unlock();
	/* Whether there is a session matters when something is sent */
	if (err && err != -EHOSTUNREACH) {
		kfree(to);
		return err;
	}

	lock_sock(&ls->sk);
	laya_dgram_set_dest(ls, to);
	sock->state = SS_CONNECTED;
	release_sock(&ls->sk);
	return 0;
}

static int laya_dgram_getname(struct socket *sock, struct sockaddr *addr,
			      int peer)
{
	struct sockaddr_laya *name = (struct sockaddr_laya *)addr;
	struct laya_dgram_sock *ls = laya_dgram_sk(sock->sk);
	const struct laya_dgram_dest *to;
	const struct laya_device *laya;
	int len = -ENOTCONN;

	rcu_read_lock();
	if (peer) {
		to = rcu_dereference(ls->dest);
		if (to)
			len = laya_addr_name(name, to->key, to->port,
					     READ_ONCE(ls->ifindex));
	} else {
		laya = rcu_dereference(ls->laya);
		len = laya_addr_name(name, laya ? laya->public_key : NULL,
				     htons(READ_ONCE(ls->port)),
				     READ_ONCE(ls->ifindex));
	}
	rcu_read_unlock();
	return len;
}

/* --- data --- */

static struct sk_buff *laya_dgram_build(struct laya_dgram_sock *ls,
					struct msghdr *msg, size_t len,
					__be16 dest)
{
	struct laya_inner_dgram *inner;
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_skb(&ls->sk, LAYA_SEND_HEADROOM + sizeof(*inner) +
				  len, msg->msg_flags & MSG_DONTWAIT, &err);
	if (!skb)
		return ERR_PTR(err);
	skb_reserve(skb, LAYA_SEND_HEADROOM);
	inner = skb_put_zero(skb, sizeof(*inner));
	inner->kind = LAYA_INNER_DGRAM;
	inner->source = htons(READ_ONCE(ls->port));
	inner->dest = dest;
	err = memcpy_from_msg(skb_put(skb, len), msg, len);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	skb->priority = READ_ONCE(ls->sk.sk_priority);
	skb->mark = READ_ONCE(ls->sk.sk_mark);
	return skb;
}

/* Under RCU. Consumes @skb, which is at its inner header. */
static int laya_dgram_transmit(struct laya_dgram_sock *ls, const u8 *key,
			       __be16 port, struct sk_buff *skb)
{
	__be16 source = htons(ls->port);
	struct laya_device *laya;
	struct laya_peer *peer;
	int err;

	laya = laya_dgram_route(ls, key, port);
	if (IS_ERR(laya)) {
		err = PTR_ERR(laya);
		goto err_free;
	}
	if (!memcmp(key, laya->public_key, LAYA_KEY_SIZE)) {
		skb_pull(skb, sizeof(struct laya_inner_dgram));
		local_bh_disable();
		err = laya_dgram_deliver(laya, key, skb, source, port);
		if (err)
			laya_dgram_refused(laya, key, source, port, -err);
		local_bh_enable();
		/* The next call hears of it, as if the port were far away */
		return 0;
	}
	peer = laya_peer_lookup_key(laya, key);
	if (!peer) {
		err = -ENETUNREACH;
		goto err_free;
	}
	memset(LAYA_SEND_CB(skb), 0, sizeof(*LAYA_SEND_CB(skb)));
	LAYA_SEND_CB(skb)->kinds = READ_ONCE(ls->kinds);
	LAYA_SEND_CB(skb)->control = port == htons(LAYA_DGRAM_CONTROL_PORT);
	return laya_send_inner(peer, skb);

err_free:
	kfree_skb(skb);
	return err;
}

static int laya_dgram_send_one(struct laya_dgram_sock *ls, struct msghdr *msg,
			       size_t len, const u8 *key, __be16 port)
{
	struct sk_buff *skb;
	int err;

	if (msg->msg_flags & MSG_BATCH || READ_ONCE(ls->batch.run.skb)) {
		err = laya_dgram_batch_send(ls, msg, len, key, port);
		if (err != LAYA_DGRAM_ALONE)
			return err;
	}

	/* Before the copy, which can be long, and again after it */
	rcu_read_lock();
	err = PTR_ERR_OR_ZERO(laya_dgram_route(ls, key, port));
	rcu_read_unlock();
	if (err)
		return err;

	skb = laya_dgram_build(ls, msg, len, port);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	rcu_read_lock();
	err = laya_dgram_transmit(ls, key, port, skb);
	rcu_read_unlock();
	return err;
}

/* One message as datagrams of @segment bytes: bytes sent, or an error if none. */
static int laya_dgram_send_segments(struct laya_dgram_sock *ls,
				    struct msghdr *msg, size_t len, size_t segment,
				    const u8 *key, __be16 port)
{
	unsigned int flags = msg->msg_flags;
	size_t done, size;
	int err = 0;

	if (len > segment * LAYA_MAX_SEGMENTS)
		return -EINVAL;
	for (done = 0; done < len; done += size) {
		size = min(segment, len - done);
		msg->msg_flags = flags;
		if (done + size < len)
			msg->msg_flags |= MSG_BATCH;
		err = laya_dgram_send_one(ls, msg, size, key, port);
		if (err)
			break;
	}
	msg->msg_flags = flags;
	return done ?: err;
}

static int laya_dgram_sendmsg(struct socket *sock, struct msghdr *msg,
			      size_t len)
{
	DECLARE_SOCKADDR(const struct sockaddr_laya *, name, msg->msg_name);
	struct laya_dgram_sock *ls = laya_dgram_sk(sock->sk);
	const struct laya_dgram_dest *to;
	u8 key[LAYA_KEY_SIZE];
	int segment, err;
	__be16 port;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	segment = laya_dgram_segment(ls, msg);
	if (segment < 0)
		return segment;
	if (!segment && len > LAYA_MAX_DGRAM)
		return -EMSGSIZE;

	if (name) {
		err = laya_dgram_check_dest(name, msg->msg_namelen);
		if (err)
			return err;
		memcpy(key, name->slaya_key, LAYA_KEY_SIZE);
		port = name->slaya_port;
		err = laya_dgram_autobind(ls, key, name->slaya_scope_id);
		if (err)
			return err;
	} else {
		rcu_read_lock();
		to = rcu_dereference(ls->dest);
		if (!to) {
			rcu_read_unlock();
			return -EDESTADDRREQ;
		}
		memcpy(key, to->key, LAYA_KEY_SIZE);
		port = to->port;
		rcu_read_unlock();
	}

	return segment && len > segment ?
		laya_dgram_send_segments(ls, msg, len, segment, key, port) :
		laya_dgram_send_one(ls, msg, len, key, port) ?: len;
}

/* The next message, or whole ones for @room; without waiting. NULL and *@err. */
static struct sk_buff *laya_dgram_try_dequeue(struct sock *sk, int flags,
					      size_t room, unsigned int *at,
					      unsigned int *size, int *err,
					      struct sk_buff **last)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	unsigned long irq;
	struct sk_buff *skb;

	*err = sock_error(sk);
	if (*err)
		return NULL;
	spin_lock_irqsave(&queue->lock, irq);
	*last = queue->prev;
	skb = skb_peek(queue);
	if (skb) {
		*size = laya_dgram_next(skb, at);
		if (READ_ONCE(laya_dgram_sk(sk)->gro) && room > *size)
			*size = laya_dgram_fit(skb, *at, *size, room);
		if (!(flags & MSG_PEEK) && *at + *size == skb->len) {
			__skb_unlink(skb, queue);
		} else {
			skb_get(skb);
			if (!(flags & MSG_PEEK))
				LAYA_DGRAM_CB(skb)->next += *size;
		}
	}
	spin_unlock_irqrestore(&queue->lock, irq);
	if (!skb)
		*err = -EAGAIN;
	return skb;
}

/* The same: @size bytes at @at of the skb, which need not be all of it. */
static struct sk_buff *laya_dgram_dequeue(struct sock *sk, int flags,
					  size_t room, unsigned int *at,
					  unsigned int *size, int *err)
{
	long timeout = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct sk_buff *skb, *last;

	do {
		skb = laya_dgram_try_dequeue(sk, flags, room, at, size, err,
					     &last);
		if (skb || *err != -EAGAIN)
			break;
	} while (timeout &&
		 !__skb_wait_for_more_packets(sk, &sk->sk_receive_queue, err,
					      &timeout, last));
	return skb;
}

static int laya_dgram_recvmsg(struct socket *sock, struct msghdr *msg,
			      size_t len, int flags)
{
	struct laya_dgram_sock *ls = laya_dgram_sk(sock->sk);
	const struct laya_dgram_cb *cb;
	unsigned int at, size;
	struct sk_buff *skb;
	size_t copied;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return laya_af_recv_event(&ls->sk, msg);

	/* What has come is still there, but nothing more will */
	if (READ_ONCE(ls->gone))
		flags |= MSG_DONTWAIT;
	skb = laya_dgram_dequeue(&ls->sk, flags, len, &at, &size, &err);
	if (!skb)
		return err == -EAGAIN && READ_ONCE(ls->gone) ? -ENODEV : err;

	copied = min_t(size_t, size, len);
	if (copied < size)
		msg->msg_flags |= MSG_TRUNC;
	err = skb_copy_datagram_msg(skb, at, msg, copied);
	if (err)
		goto out;
	sock_recv_cmsgs(msg, &ls->sk, skb);
	cb = LAYA_DGRAM_CB(skb);
	if (cb->size && size > cb->size) {
		err = cb->size;
		put_cmsg(msg, SOL_LAYA, LAYA_GRO, sizeof(err), &err);
	}
	if (msg->msg_name) {
		msg->msg_namelen = laya_addr_name(msg->msg_name, cb->key,
						  cb->port, cb->ifindex);
	}
	err = flags & MSG_TRUNC ? size : copied;
out:
	skb_free_datagram(&ls->sk, skb);
	return err;
}

static __poll_t laya_dgram_poll(struct file *file, struct socket *sock,
				poll_table *wait)
{
	__poll_t mask = datagram_poll(file, sock, wait);

	if (READ_ONCE(laya_dgram_sk(sock->sk)->gone))
		mask |= EPOLLERR | EPOLLHUP;
	return mask;
}

static int laya_dgram_ioctl(struct socket *sock, unsigned int cmd,
			    unsigned long arg)
{
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	unsigned int at;
	int amount = 0;

	switch (cmd) {
	case SIOCINQ:
		spin_lock_bh(&sk->sk_receive_queue.lock);
		skb = skb_peek(&sk->sk_receive_queue);
		if (skb)
			amount = laya_dgram_next(skb, &at);
		spin_unlock_bh(&sk->sk_receive_queue.lock);
		break;
	case SIOCOUTQ:
		amount = sk_wmem_alloc_get(sk);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	return put_user(amount, (int __user *)arg);
}

static int laya_dgram_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	lock_sock(sk);
	if (!rcu_access_pointer(laya_dgram_sk(sk)->dest))
		err = -ENOTCONN;
	else
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | (how + 1));
	/* Those who wait in recv() or poll() must look again */
	sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}

/* --- coming and going --- */

static void laya_dgram_close(struct sock *sk, long timeout)
{
	lock_sock(sk);
	laya_dgram_batch_close(laya_dgram_sk(sk));
	laya_dgram_set_dest(laya_dgram_sk(sk), NULL);
	release_sock(sk);
	sk_common_release(sk);
}

static int laya_dgram_release(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!sk)
		return 0;
	sock->sk = NULL;
	sk->sk_prot->close(sk, 0);
	return 0;
}

/* Nobody finds it and nothing of it is under way. */
static void laya_dgram_destruct(struct sock *sk)
{
	skb_queue_purge(&sk->sk_receive_queue);
	skb_queue_purge(&sk->sk_error_queue);
}

static struct proto laya_dgram_proto = {
	.name		= "LAYA",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct laya_dgram_sock),
	.close		= laya_dgram_close,
	.unhash		= laya_dgram_put_port,
};

static const struct proto_ops laya_dgram_ops = {
	.family		= PF_LAYA,
	.owner		= THIS_MODULE,
	.release	= laya_dgram_release,
	.bind		= laya_dgram_bind,
	.connect	= laya_dgram_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= laya_dgram_getname,
	.poll		= laya_dgram_poll,
	.ioctl		= laya_dgram_ioctl,
	.gettstamp	= sock_gettstamp,
	.listen		= sock_no_listen,
	.shutdown	= laya_dgram_shutdown,
	.setsockopt	= laya_dgram_setsockopt,
	.getsockopt	= laya_dgram_getsockopt,
	.sendmsg	= laya_dgram_sendmsg,
	.recvmsg	= laya_dgram_recvmsg,
	.mmap		= sock_no_mmap,
};

/**
 * laya_dgram_create() - make a datagram socket
 * @net: Its network namespace.
 * @sock: The socket.
 * @kern: It is the kernel's.
 *
 * Return: 0 or -ENOMEM.
 */
int laya_dgram_create(struct net *net, struct socket *sock, int kern)
{
	struct laya_dgram_sock *ls;
	struct sock *sk;

	sk = sk_alloc(net, PF_LAYA, GFP_KERNEL, &laya_dgram_proto, kern);
	if (!sk)
		return -ENOMEM;
	sock_init_data(sock, sk);
	/* The core has a name for family 18: that of another, long dead */
	sock_lock_init_class_and_name(sk, "slock-AF_LAYA",
				      &laya_dgram_slock_class, "sk_lock-AF_LAYA",
				      &laya_dgram_lock_class);
	sock_set_flag(sk, SOCK_RCU_FREE);
	sk->sk_destruct = laya_dgram_destruct;
	sk->sk_protocol = 0;

	ls = laya_dgram_sk(sk);
	ls->kinds = LAYA_KINDS_ANY;
	laya_dgram_batch_init(ls);
	sock->ops = &laya_dgram_ops;
	laya_compat_custom_sockopt(sock);
	return 0;
}

/* --- devices that leave --- */

/* Moving to another namespace is leaving, too: what is bound to it stays here. */
static int laya_dgram_netdev_event(struct notifier_block *nb,
				   unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);

	if (event == NETDEV_UNREGISTER && laya_device_is(dev))
		laya_dgram_device_gone(laya_device(dev));
	return NOTIFY_DONE;
}

static struct notifier_block laya_dgram_notifier = {
	.notifier_call	= laya_dgram_netdev_event,
};

/**
 * laya_dgram_init() - get ready for sockets
 *
 * Return: 0 or a negative errno.
 */
int laya_dgram_init(void)
{
	int err;

	err = proto_register(&laya_dgram_proto, 0);
	if (err)
		return err;
	err = register_netdevice_notifier(&laya_dgram_notifier);
	if (err)
		goto err_proto;
	return 0;

err_proto:
	proto_unregister(&laya_dgram_proto);
	return err;
}

/**
 * laya_dgram_exit() - no socket is left
 */
void laya_dgram_exit(void)
{
	unregister_netdevice_notifier(&laya_dgram_notifier);
	proto_unregister(&laya_dgram_proto);
}
