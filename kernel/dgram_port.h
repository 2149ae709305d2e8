/* SPDX-License-Identifier: GPL-2.0 */
/* Between dgram.c and what belongs to it: dgram_{port,batch,option}.c. */
#ifndef _LAYA_DGRAM_PORT_H
#define _LAYA_DGRAM_PORT_H

#include "laya.h"
#include "run.h"

/**
 * struct laya_dgram_dest - whom a socket is connected to
 * @rcu: Frees it.
 * @key: Public key of the node.
 * @port: Port there.
 */
struct laya_dgram_dest {
	struct rcu_head	rcu;
	u8		key[LAYA_KEY_SIZE];
	__be16		port;
};

/**
 * struct laya_dgram_batch - messages of one sendmmsg() that leave together
 * @run: The messages, as inner packets; none when its skb is NULL.
 * @before: Bytes in front of each inner packet.
 * @key: To whom they go.
 * @port: To which port.
 * @timer: Sends them when the call that gave them never came to its end.
 *
 * Under the socket's lock. Whether there is a run may be asked without: who began
 * it is the only one to care.
 */
struct laya_dgram_batch {
	struct laya_run		run;
	unsigned int		before;
	u8			key[LAYA_KEY_SIZE];
	__be16			port;
	struct timer_list	timer;
};

/**
 * struct laya_dgram_sock - a datagram socket
 * @sk: Must be first.
 * @node: In the device's hash of ports, while @laya is set.
 * @laya: The device that the port is on.
 * @ifindex: Its index; stays.
 * @port: In host byte order; 0 is none yet. Stays.
 * @dest: Whom it is connected to, or NULL.
 * @kinds: Kinds of path to use: LAYA_KINDS_ANY or a mask.
 * @events: LAYA_PATH_EVENTS.
 * @segment: LAYA_SEGMENT: a longer message is several datagrams of this size, or 0.
 * @gro: LAYA_GRO: takes several datagrams at a time.
 * @gone: The device went away.
 * @batch: Messages that wait for the next ones of their sendmmsg().
 *
 * Lifetime and locking: @port, @ifindex and @dest are written under the socket's
 * lock, @laya and @node under ports.lock too. Packets and senders read under RCU:
 * the memory stays for a grace period (SOCK_RCU_FREE). A socket holds no
 * reference on its device: laya_dgram_device_gone() takes all sockets off a
 * device before that is freed, which is a grace period later, so who reads @laya
 * under RCU may take the lock in it.
 */
struct laya_dgram_sock {
	struct sock			sk;
	struct hlist_node		node;
	struct laya_device __rcu	*laya;
	int				ifindex;
	u16				port;
	struct laya_dgram_dest __rcu	*dest;
	u32				kinds;
	u16				segment;
	bool				gro;
	bool				events;
	bool				gone;
	struct laya_dgram_batch		batch;
};

/**
 * struct laya_dgram_cb - what a queued datagram is about, in skb->cb
 * @key: Public key of the sender.
 * @port: Its port.
 * @size: Bytes of each message when it is a run of them, else 0.
 * @next: Where the next message of the run begins; the queue's lock.
 * @ifindex: The device that it came in on.
 */
struct laya_dgram_cb {
	u8	key[LAYA_KEY_SIZE];
	__be16	port;
	u16	size;
	u16	next;
	int	ifindex;
};

#define LAYA_DGRAM_CB(skb)	((struct laya_dgram_cb *)(skb)->cb)

static inline struct laya_dgram_sock *laya_dgram_sk(struct sock *sk)
{
	return container_of(sk, struct laya_dgram_sock, sk);
}

/*
 * Give a socket its port, 0 for an ephemeral one. Under its lock, and RCU for
 * @laya. -EADDRINUSE.
 */
int laya_dgram_get_port(struct laya_dgram_sock *ls, struct laya_device *laya,
			u16 port);
void laya_dgram_put_port(struct sock *sk);
/*
 * Hand a datagram of @key, maybe our own, to its socket. Under RCU, BH; consumes
 * @skb, which is at the payload. -ECONNREFUSED: there is no socket.
 */
int laya_dgram_deliver(struct laya_device *laya, const u8 *key,
		       struct sk_buff *skb, __be16 source, __be16 dest);
/* Of a queued datagram or run: the message that is read next. */
static inline unsigned int laya_dgram_next(const struct sk_buff *skb,
					   unsigned int *at)
{
	const struct laya_dgram_cb *cb = LAYA_DGRAM_CB(skb);

	*at = cb->next;
	return cb->size ? min_t(unsigned int, cb->size, skb->len - cb->next) :
			  skb->len;
}

/* Of a run, from the message of @size bytes at @at: whole ones that @room holds. */
static inline unsigned int laya_dgram_fit(const struct sk_buff *skb, unsigned int at,
					  unsigned int size, size_t room)
{
	unsigned int left = skb->len - at;

	return left <= room ? left : room - room % size;
}

/* Tell the sockets on @source that are connected to it. Under RCU. */
void laya_dgram_refused(struct laya_device *laya, const u8 *key, __be16 source,
			__be16 dest, int error);

/* dgram.c: may @ls send to @key now? Under RCU; the device, or ERR_PTR. */
struct laya_device *laya_dgram_route(struct laya_dgram_sock *ls, const u8 *key,
				     __be16 port);

/* dgram_option.c */
int laya_dgram_setsockopt(struct socket *sock, int level, int optname,
			  sockptr_t optval, unsigned int optlen);
int laya_dgram_getsockopt(struct socket *sock, int level, int optname,
			  char __user *optval, int __user *optlen);
/* What LAYA_SEGMENT is for a message, which may say it itself; 0 is off. -EINVAL. */
int laya_dgram_segment(const struct laya_dgram_sock *ls, struct msghdr *msg);

/* dgram_batch.c */
#define LAYA_DGRAM_ALONE	1	/* the message cannot go with others */
void laya_dgram_batch_init(struct laya_dgram_sock *ls);
/*
 * Put a message with those before it, and send what is complete. 0,
 * LAYA_DGRAM_ALONE (nothing waits then), or an error.
 */
int laya_dgram_batch_send(struct laya_dgram_sock *ls, struct msghdr *msg,
			  size_t len, const u8 *key, __be16 port);
/* The socket closes; under its lock. */
void laya_dgram_batch_close(struct laya_dgram_sock *ls);

#endif /* _LAYA_DGRAM_PORT_H */
