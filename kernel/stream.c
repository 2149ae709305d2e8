// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_STREAM of AF_LAYA: the kernel's TCP, grafted.
 *
 * An AF_LAYA stream has no second socket: the sock of an AF_INET6 TCP socket is
 * taken out of it and put into ours, whose operations are a copy of TCP's with
 * some replaced. There is one lock, one wait queue and one set of buffers, so all
 * that works for TCP works as it does there.
 *
 * What is replaced speaks of keys instead of addresses, ties each socket to the
 * device that has the identity (sk_bound_dev_if; children inherit it), and keeps
 * out what would swap the operations under us, or change who is spoken to
 * without asking: TCP_ULP, IPV6_ADDRFORM, MSG_FASTOPEN, SO_BINDTODEVICE.
 *
 * The module is held by proto_ops.owner while a socket is open. The sock itself
 * may live on after that, in FIN_WAIT: it is TCP's alone, nothing in it points
 * here. That is why the kinds of path a socket may use stand in sk_user_data as
 * a number: no pointer to free, and children have it from birth.
 */

#include <linux/hashtable.h>
#include <linux/ipv6.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <net/addrconf.h>
#include <net/inet_common.h>
#include <net/ipv6.h>
#include <net/request_sock.h>
#include <net/tcp.h>
#include <asm/ioctls.h>

#include "addr.h"
#include "af_laya.h"
#include "compat_socket.h"
#include "device.h"
#include "path.h"
#include "peer.h"
#include "stream.h"
#include "stream_walk.h"

/* TCP's operations, and ours; written when the first socket is made, once. */
static const struct proto_ops *laya_stream_tcp;
static struct proto_ops laya_stream_ops, *const laya_stream_new = &laya_stream_ops;
static DEFINE_MUTEX(laya_stream_ops_mutex);

/* --- kinds of path --- */

/*
 * sk_user_data's low three bits are flags of the core's (of which "do not copy
 * to children" is one that we do not want); no pointer is below PAGE_SIZE.
 */
#define LAYA_STREAM_KINDS_SHIFT	3

static u32 laya_stream_kinds_get(const struct sock *sk)
{
	unsigned long value = (unsigned long)READ_ONCE(sk->sk_user_data);

	BUILD_BUG_ON(LAYA_AF_KINDS << LAYA_STREAM_KINDS_SHIFT >= PAGE_SIZE);
	if (!value || value >= PAGE_SIZE)
		return LAYA_KINDS_ANY;
	return (value >> LAYA_STREAM_KINDS_SHIFT) & LAYA_AF_KINDS;
}

static int laya_stream_kinds_set(struct sock *sk, u32 kinds)
{
	unsigned long value = 0;
	int err = 0;

	if (kinds != LAYA_KINDS_ANY)
		value = (unsigned long)kinds << LAYA_STREAM_KINDS_SHIFT;

	write_lock_bh(&sk->sk_callback_lock);
	/* Someone (a BPF sockmap) has attached something to the socket */
	if ((unsigned long)sk->sk_user_data >= PAGE_SIZE)
		err = -EBUSY;
	else
		rcu_assign_sk_user_data(sk, (void *)value);
	write_unlock_bh(&sk->sk_callback_lock);
	return err;
}

/**
 * laya_stream_kinds() - kinds of path that a packet may take
 * @sk: The socket that it comes from (skb->sk): any, or NULL.
 *
 * The last packets of a connection that nobody holds any more (TIME_WAIT, resets
 * by no socket) are not restricted; they carry no data.
 *
 * Return: a mask, or LAYA_KINDS_ANY.
 */
u32 laya_stream_kinds(const struct sock *sk)
{
	if (!sk)
		return LAYA_KINDS_ANY;
	/* The answer to a SYN is sent for the listener */
	if (sk->sk_state == TCP_NEW_SYN_RECV)
		sk = inet_reqsk(sk)->rsk_listener;
	if (!sk || !sk_fullsock(sk) || sk->sk_family != AF_INET6 ||
	    sk->sk_protocol != IPPROTO_TCP)
		return LAYA_KINDS_ANY;
	return laya_stream_kinds_get(sk);
}

/*
 * TCP would say nothing, or not for long, since to it a packet dropped is a packet
 * lost. Under RCU.
 */
static int laya_stream_check_kinds(const struct sock *sk,
				   struct laya_device *laya,
				   const struct in6_addr *orchid)
{
	u32 kinds = laya_stream_kinds_get(sk);
	struct laya_peer *peer;

	if (kinds == LAYA_KINDS_ANY)
		return 0;
	peer = laya_peer_lookup_orchid(laya, orchid);
	if (peer && rcu_access_pointer(peer->best) &&
	    !laya_path_to_send(peer, kinds))
		return -EACCES;
	return 0;
}

/* --- sockets to keep an eye on --- */

/**
 * struct laya_stream_watch - a socket that something must be told
 * @node: In laya_stream_watched, by @sk.
 * @sk: A listener, or one with LAYA_PATH_EVENTS.
 * @events: The latter.
 *
 * Lifetime and locking: made under the socket's lock, found under
 * laya_stream_watch_lock, and gone with the socket's release(), which comes before
 * the sock can.
 */
struct laya_stream_watch {
	struct hlist_node	node;
	struct sock		*sk;
	bool			events;
};

static DEFINE_HASHTABLE(laya_stream_watched, 10);
static DEFINE_SPINLOCK(laya_stream_watch_lock);

static struct laya_stream_watch *laya_stream_watch_find(const struct sock *sk)
{
	struct laya_stream_watch *watch;

	lockdep_assert_held(&laya_stream_watch_lock);
	hash_for_each_possible(laya_stream_watched, watch, node,
			       (unsigned long)sk)
		if (watch->sk == sk)
			return watch;
	return NULL;
}

/* @events: 0 or 1, or -1 to leave it as it is. */
static int laya_stream_watch(struct sock *sk, int events)
{
	struct laya_stream_watch *watch, *fresh;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return -ENOMEM;
	spin_lock_bh(&laya_stream_watch_lock);
	watch = laya_stream_watch_find(sk);
	if (!watch) {
		watch = fresh;
		fresh = NULL;
		watch->sk = sk;
		hash_add(laya_stream_watched, &watch->node, (unsigned long)sk);
	}
	if (events >= 0)
		watch->events = events;
	spin_unlock_bh(&laya_stream_watch_lock);
	kfree(fresh);
	return 0;
}

static bool laya_stream_watch_events(const struct sock *sk)
{
	struct laya_stream_watch *watch;
	bool events;

	spin_lock_bh(&laya_stream_watch_lock);
	watch = laya_stream_watch_find(sk);
	events = watch && watch->events;
	spin_unlock_bh(&laya_stream_watch_lock);
	return events;
}

static void laya_stream_unwatch(const struct sock *sk)
{
	struct laya_stream_watch *watch;

	spin_lock_bh(&laya_stream_watch_lock);
	watch = laya_stream_watch_find(sk);
	if (watch)
		hash_del(&watch->node);
	spin_unlock_bh(&laya_stream_watch_lock);
	kfree(watch);
}

/**
 * laya_stream_path_changed() - tell the sockets that asked
 * @peer: Whose path it is.
 *
 * Under RCU.
 */
void laya_stream_path_changed(struct laya_peer *peer)
{
	const struct net_device *dev = peer->device->dev;
	struct laya_stream_watch *watch;
	struct laya_path_info info;
	struct sock *sk;
	int bucket;

	spin_lock_bh(&laya_stream_watch_lock);
	hash_for_each(laya_stream_watched, bucket, watch, node) {
		sk = watch->sk;
		if (!watch->events || sk->sk_state == TCP_LISTEN ||
		    sk->sk_bound_dev_if != dev->ifindex ||
		    !net_eq(sock_net(sk), dev_net(dev)) ||
		    !ipv6_addr_equal(&sk->sk_v6_daddr, &peer->orchid))
			continue;
		if (!laya_af_path_info(peer, laya_stream_kinds_get(sk), &info))
			laya_af_queue_event(sk, &info);
	}
	spin_unlock_bh(&laya_stream_watch_lock);
}

/**
 * laya_stream_abort_listeners() - end the listeners of a device that is gone
 * @net: Network namespace.
 * @ifindex: Index of the device.
 * @error: Positive errno.
 *
 * They would hear nothing any more, for ever.
 */
void laya_stream_abort_listeners(struct net *net, int ifindex, int error)
{
	struct laya_stream_watch *watch;
	struct sock *sk;
	int bucket;

	do {
		sk = NULL;
		spin_lock_bh(&laya_stream_watch_lock);
		hash_for_each(laya_stream_watched, bucket, watch, node) {
			if (watch->sk->sk_state == TCP_LISTEN &&
			    watch->sk->sk_bound_dev_if == ifindex &&
			    net_eq(sock_net(watch->sk), net)) {
				sk = watch->sk;
				sock_hold(sk);
				break;
			}
		}
		spin_unlock_bh(&laya_stream_watch_lock);
		if (sk) {
			tcp_abort(sk, error);
			sock_put(sk);
		}
	} while (sk);
}

/* --- names --- */

static void laya_stream_bind_device(struct sock *sk, int ifindex)
{
	sock_owned_by_me(sk);
	if (sk->sk_bound_dev_if == ifindex)
		return;
	WRITE_ONCE(sk->sk_bound_dev_if, ifindex);
	sk_dst_reset(sk);
}

static int laya_stream_do_bind(struct socket *sock,
			       const struct sockaddr_laya *name)
{
	struct sockaddr_in6 in6 = {
		.sin6_family	= AF_INET6,
		.sin6_port	= name->slaya_port,
	};
	struct laya_device *laya;
	struct sock *sk = sock->sk;
	int ifindex, before, err;

	rcu_read_lock();
	laya = laya_af_local_device(sock_net(sk), name);
	if (IS_ERR(laya)) {
		rcu_read_unlock();
		return PTR_ERR(laya);
	}
	ifindex = laya->dev->ifindex;
	in6.sin6_addr = laya->orchid;
	rcu_read_unlock();

	lock_sock(sk);
	if (sk->sk_state != TCP_CLOSE || inet_sk(sk)->inet_num) {
		release_sock(sk);
		return -EINVAL;
	}
	before = sk->sk_bound_dev_if;
	laya_stream_bind_device(sk, ifindex);
	release_sock(sk);

	/* Fails if, in between, a connect() of another thread chose otherwise */
	err = inet6_bind(sock, (void *)&in6, sizeof(in6));
	if (!err)
		return 0;

	lock_sock(sk);
	if (sk->sk_state == TCP_CLOSE && !inet_sk(sk)->inet_num)
		laya_stream_bind_device(sk, before);
	release_sock(sk);
	return err;
}

static int laya_stream_bind(struct socket *sock, struct laya_sockaddr *addr,
			    int len)
{
	const struct sockaddr_laya *name = (const struct sockaddr_laya *)addr;
	int err;

	err = laya_addr_check(name, len);
	if (err)
		return err;
	return laya_stream_do_bind(sock, name);
}

static int laya_stream_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	struct sockaddr_laya any;
	bool bound;
	int err;

	/* Unbound, TCP would listen on every address of every interface */
	lock_sock(sk);
	bound = sk->sk_userlocks & SOCK_BINDADDR_LOCK;
	if (!bound && sk->sk_state != TCP_CLOSE) {
		release_sock(sk);
		return -EINVAL;
	}
	release_sock(sk);
	if (!bound) {
		laya_addr_name(&any, NULL, 0, 0);
		err = laya_stream_do_bind(sock, &any);
		if (err)
			return err;
	}
	err = laya_stream_watch(sk, -1);
	if (err)
		return err;
	return laya_stream_tcp->listen(sock, backlog);
}

/* Find the device towards @name, and the address. Under the socket's lock. */
static int laya_stream_route(struct sock *sk, const struct sockaddr_laya *name,
			     struct sockaddr_in6 *in6)
{
	bool bound = sk->sk_userlocks & SOCK_BINDADDR_LOCK;
	struct net *net = sock_net(sk);
	struct laya_device *laya;
	int err;

	if (!name->slaya_port || !laya_addr_key_valid(name->slaya_key))
		return -EINVAL;
	if (bound && name->slaya_scope_id &&
	    name->slaya_scope_id != sk->sk_bound_dev_if)
		return -EINVAL;

	rcu_read_lock();
	if (bound)
		laya = laya_device_lookup_ifindex(net, sk->sk_bound_dev_if) ?:
		       ERR_PTR(-ENODEV);
	else
		laya = laya_device_lookup_scope(net, name->slaya_scope_id,
						name->slaya_key);
	if (IS_ERR(laya)) {
		err = PTR_ERR(laya);
		goto out;
	}
	err = -ENETDOWN;
	if (!(laya->dev->flags & IFF_UP))
		goto out;
	/*
	 * Without the address (disable_ipv6, or nobody has set it) TCP would
	 * take some other one, and never hear an answer.
	 */
	err = -EADDRNOTAVAIL;
	if (!ipv6_chk_addr(net, &laya->orchid, laya->dev, 0))
		goto out;
	err = laya_af_reachable(laya, name->slaya_key, false);
	if (err)
		goto out;

	laya_addr_orchid(&in6->sin6_addr, name->slaya_key);
	err = laya_stream_check_kinds(sk, laya, &in6->sin6_addr);
	if (err)
		goto out;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = name->slaya_port;
	laya_stream_bind_device(sk, laya->dev->ifindex);
out:
	rcu_read_unlock();
	return err;
}

static int laya_stream_connect(struct socket *sock, struct laya_sockaddr *addr,
			       int len, int flags)
{
	const struct sockaddr_laya *name = (const struct sockaddr_laya *)addr;
	struct sockaddr_in6 in6 = {};
	struct sock *sk = sock->sk;
	int err;

	if (len < (int)sizeof(name->slaya_family))
		return -EINVAL;
	if (name->slaya_family == AF_UNSPEC) {
		in6.sin6_family = AF_UNSPEC;
		lock_sock(sk);
		err = __inet_stream_connect(sock, (void *)&in6, sizeof(in6),
					    flags, 0);
		release_sock(sk);
		return err;
	}
	err = laya_addr_check(name, len);
	if (err)
		return err;

	lock_sock(sk);
	/* Else this is a question after a connect() that did not wait */
	if (sock->state == SS_UNCONNECTED && sk->sk_state == TCP_CLOSE)
		err = laya_stream_route(sk, name, &in6);
	else
		in6.sin6_family = AF_INET6;
	if (!err)
		err = __inet_stream_connect(sock, (void *)&in6, sizeof(in6),
					    flags, 0);
	release_sock(sk);
	return err;
}

LAYA_COMPAT_ACCEPT(laya_stream_accept)
{
	int err;

	err = laya_compat_accept(laya_stream_tcp->accept);
	if (!err)
		laya_compat_custom_sockopt(newsock);
	return err;
}

/* The key of the other side, as long as it is a peer. Under RCU. */
static const u8 *laya_stream_peer_key(const struct sock *sk,
				      struct laya_device *laya)
{
	const struct laya_peer *peer;

	if (ipv6_addr_equal(&sk->sk_v6_daddr, &laya->orchid))
		return laya->public_key;
	peer = laya_peer_lookup_orchid(laya, &sk->sk_v6_daddr);
	return peer ? peer->key : NULL;
}

static int laya_stream_getname(struct socket *sock, struct sockaddr *addr,
			       int peer)
{
	struct sockaddr_laya *name = (struct sockaddr_laya *)addr;
	struct inet_sock *inet = inet_sk(sock->sk);
	struct sock *sk = sock->sk;
	struct laya_device *laya;
	const u8 *key = NULL;
	int len = -ENOTCONN;

	lock_sock(sk);
	/* 2 is accept(), which names even who has gone already */
	if (peer && (!inet->inet_dport ||
		     (peer == 1 && ((1 << sk->sk_state) &
				    (TCPF_CLOSE | TCPF_SYN_SENT)))))
		goto out;

	rcu_read_lock();
	laya = laya_device_lookup_ifindex(sock_net(sk), sk->sk_bound_dev_if);
	if (!peer)
		key = laya && inet->inet_num ? laya->public_key : NULL;
	else if (laya)
		key = laya_stream_peer_key(sk, laya);
	/* A peer that was forgotten meanwhile has no name */
	if (!peer || key)
		len = laya_addr_name(name, key,
				     peer ? inet->inet_dport : inet->inet_sport,
				     sk->sk_bound_dev_if);
	rcu_read_unlock();
out:
	release_sock(sk);
	return len;
}

/* --- data --- */

static int laya_stream_sendmsg(struct socket *sock, struct msghdr *msg,
			       size_t len)
{
	struct sock *sk = sock->sk;
	struct laya_device *laya;
	int err = 0;

	/* It connects, with an address of TCP's */
	if (msg->msg_flags & MSG_FASTOPEN)
		return -EOPNOTSUPP;
	if (laya_stream_kinds_get(sk) != LAYA_KINDS_ANY) {
		rcu_read_lock();
		laya = laya_device_lookup_ifindex(sock_net(sk),
						  sk->sk_bound_dev_if);
		if (laya)
			err = laya_stream_check_kinds(sk, laya,
						      &sk->sk_v6_daddr);
		rcu_read_unlock();
		if (err)
			return err;
	}
	return laya_stream_tcp->sendmsg(sock, msg, len);
}

static int laya_stream_recvmsg(struct socket *sock, struct msghdr *msg,
			       size_t len, int flags)
{
	int err;

	if (flags & MSG_ERRQUEUE) {
		err = laya_af_recv_event(sock->sk, msg);
		if (err != -EAGAIN)
			return err;
	}
	return laya_stream_tcp->recvmsg(sock, msg, len, flags);
}

static int laya_stream_ioctl(struct socket *sock, unsigned int cmd,
			     unsigned long arg)
{
	switch (cmd) {
	case SIOCINQ:
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		return laya_stream_tcp->ioctl(sock, cmd, arg);
	}
	/* Those on addresses and routes are for sockets of IPv6 */
	return -ENOIOCTLCMD;
}

/* --- options --- */

/**
 * laya_stream_option_allowed() - may a program set or get an option?
 * @level: Level of it.
 * @optname: Its number there.
 * @set: To set it, not to get it.
 *
 * A list of what is known to be sound: much at these levels swaps operations
 * (TCP_ULP, IPV6_ADDRFORM), connects by itself (TCP_FASTOPEN_CONNECT), forges
 * (TCP_REPAIR) or speaks of addresses; and a later kernel brings more.
 *
 * Return: true when it may.
 */
bool laya_stream_option_allowed(int level, int optname, bool set)
{
	if (level == SOL_SOCKET)
		return !set || !laya_af_option_refused(optname);
	if (level == SOL_IPV6)
		return optname == IPV6_TCLASS || optname == IPV6_RECVTCLASS ||
		       optname == IPV6_AUTOFLOWLABEL;
	if (level != SOL_TCP)
		return false;

	switch (optname) {
	case TCP_NODELAY:
	case TCP_MAXSEG:
	case TCP_CORK:
	case TCP_KEEPIDLE:
	case TCP_KEEPINTVL:
	case TCP_KEEPCNT:
	case TCP_SYNCNT:
	case TCP_LINGER2:
	case TCP_DEFER_ACCEPT:
	case TCP_WINDOW_CLAMP:
	case TCP_QUICKACK:
	case TCP_CONGESTION:
	case TCP_THIN_LINEAR_TIMEOUTS:
	case TCP_USER_TIMEOUT:
	case TCP_NOTSENT_LOWAT:
	case TCP_INQ:
		return true;
	case TCP_INFO:
	case TCP_CC_INFO:
	case TCP_ZEROCOPY_RECEIVE:
		return !set;
	}
	return false;
}

static int laya_stream_set_own(struct sock *sk, int optname, sockptr_t optval,
			       unsigned int optlen)
{
	u32 value;
	int err;

	err = laya_af_get_option(optname, optval, optlen, &value);
	if (err)
		return err;
	if (optname == LAYA_PATH_KINDS)
		return laya_stream_kinds_set(sk, value);
	return laya_stream_watch(sk, value);
}

static int laya_stream_setsockopt(struct socket *sock, int level, int optname,
				  sockptr_t optval, unsigned int optlen)
{
	if (level == SOL_LAYA)
		return laya_stream_set_own(sock->sk, optname, optval, optlen);
	if (!laya_stream_option_allowed(level, optname, true))
		return -ENOPROTOOPT;
	if (level == SOL_SOCKET)
		return sock_setsockopt(sock, level, optname, optval, optlen);
	return laya_stream_tcp->setsockopt(sock, level, optname, optval, optlen);
}

static int laya_stream_get_own(struct sock *sk, int optname,
			       char __user *optval, int __user *optlen)
{
	struct laya_af_state state = {
		.net		= sock_net(sk),
		.ifindex	= sk->sk_bound_dev_if,
		.kinds		= laya_stream_kinds_get(sk),
		.events		= laya_stream_watch_events(sk),
	};
	struct laya_device *laya;
	const u8 *key = NULL;

	rcu_read_lock();
	laya = laya_device_lookup_ifindex(state.net, state.ifindex);
	if (laya && !((1 << inet_sk_state_load(sk)) &
		      (TCPF_CLOSE | TCPF_SYN_SENT | TCPF_LISTEN)))
		key = laya_stream_peer_key(sk, laya);
	if (key) {
		memcpy(state.key, key, LAYA_KEY_SIZE);
		state.connected = true;
	}
	rcu_read_unlock();
	return laya_af_getsockopt(&state, optname, optval, optlen);
}

static int laya_stream_getsockopt(struct socket *sock, int level, int optname,
				  char __user *optval, int __user *optlen)
{
	if (level == SOL_LAYA)
		return laya_stream_get_own(sock->sk, optname, optval, optlen);
	if (!laya_stream_option_allowed(level, optname, false))
		return -ENOPROTOOPT;
	return laya_stream_tcp->getsockopt(sock, level, optname, optval, optlen);
}

/* --- coming and going --- */

static int laya_stream_release(struct socket *sock)
{
	if (sock->sk)
		laya_stream_unwatch(sock->sk);
	return laya_stream_tcp->release(sock);
}

static void laya_stream_learn_ops(const struct proto_ops *tcp)
{
	mutex_lock(&laya_stream_ops_mutex);
	if (!laya_stream_tcp) {
		*laya_stream_new = *tcp;
		laya_stream_new->family = PF_LAYA;
		laya_stream_new->owner = THIS_MODULE;
		laya_stream_new->release = laya_stream_release;
		laya_stream_new->bind = laya_stream_bind;
		laya_stream_new->connect = laya_stream_connect;
		laya_stream_new->accept = laya_stream_accept;
		laya_stream_new->getname = laya_stream_getname;
		laya_stream_new->ioctl = laya_stream_ioctl;
#ifdef CONFIG_COMPAT
		/* The core converts those that are left */
		laya_stream_new->compat_ioctl = NULL;
#endif
		laya_stream_new->listen = laya_stream_listen;
		laya_stream_new->setsockopt = laya_stream_setsockopt;
		laya_stream_new->getsockopt = laya_stream_getsockopt;
		laya_stream_new->sendmsg = laya_stream_sendmsg;
		laya_stream_new->recvmsg = laya_stream_recvmsg;
		laya_stream_tcp = tcp;
	}
	mutex_unlock(&laya_stream_ops_mutex);
}

/**
 * laya_stream_create() - make a socket of ours out of one of TCP's
 * @net: Its network namespace.
 * @sock: The socket, without operations yet.
 * @kern: It is the kernel's, and holds no reference on @net.
 *
 * Return: 0 or a negative errno; -EAFNOSUPPORT when the kernel has no IPv6.
 */
int laya_stream_create(struct net *net, struct socket *sock, int kern)
{
	struct socket *tcp;
	struct sock *sk;
	int err;

	err = __sock_create(net, AF_INET6, SOCK_STREAM, IPPROTO_TCP, &tcp, kern);
	if (err)
		return err;
	laya_stream_learn_ops(tcp->ops);

	sk = tcp->sk;
	sk->sk_ipv6only = 1;
	sock->ops = &laya_stream_ops;
	sock->flags |= tcp->flags;
	laya_compat_custom_sockopt(sock);
	tcp->sk = NULL;
	sock_graft(sk, sock);
	sock_release(tcp);
	return 0;
}
