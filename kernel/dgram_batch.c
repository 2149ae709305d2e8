// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of one sendmmsg(): those of equal size to one port are put together as
 * they come, and sealed and sent as one run.
 *
 * All but the last message of the call have MSG_BATCH, so it is known when the run
 * is complete. The call may end before, at a message that is refused, and does not
 * say so: then a timer sends what waits. A message without MSG_BATCH never waits.
 */

#include <linux/timer.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "device.h"
#include "dgram_port.h"
#include "peer.h"
#include "send.h"
#include "session.h"

#define LAYA_DGRAM_CONTROL_PORT	1	/* layad's */

/* Memory is taken for so many messages at a time: who knows how many will come. */
#define LAYA_DGRAM_BATCH_ROOM	16

static unsigned int batch_sealed(const struct laya_dgram_batch *batch, size_t len)
{
	return batch->before + sizeof(struct laya_inner_dgram) + len +
	       LAYA_TAG_SIZE;
}

/* Send what waits; the socket's lock is held. */
static int laya_dgram_batch_flush(struct laya_dgram_sock *ls)
{
	struct laya_dgram_batch *batch = &ls->batch;
	struct laya_device *laya;
	struct laya_peer *peer;
	int err;

	if (!batch->run.skb)
		return 0;
	/* Its first message could not be read */
	if (!batch->run.count) {
		kfree_skb(laya_run_end(&batch->run));
		return 0;
	}
	rcu_read_lock();
	laya = laya_dgram_route(ls, batch->key, batch->port);
	peer = IS_ERR(laya) ? NULL : laya_peer_lookup_key(laya, batch->key);
	if (peer)
		err = laya_send_run(peer, &batch->run, batch->before,
				    READ_ONCE(ls->kinds));
	else
		err = IS_ERR(laya) ? PTR_ERR(laya) : -ENETUNREACH;
	rcu_read_unlock();
	if (!peer)
		kfree_skb(laya_run_end(&batch->run));
	return err;
}

/* Begin a run for messages of @len bytes. */
static int laya_dgram_batch_begin(struct laya_dgram_sock *ls, size_t len,
				  const u8 *key, __be16 port)
{
	struct laya_dgram_batch *batch = &ls->batch;
	struct laya_device *laya;
	struct laya_peer *peer;
	struct sk_buff *skb;
	unsigned int max;
	int err = LAYA_DGRAM_ALONE;

	if (port == htons(LAYA_DGRAM_CONTROL_PORT))
		return LAYA_DGRAM_ALONE;
	rcu_read_lock();
	laya = laya_dgram_route(ls, key, port);
	peer = IS_ERR(laya) ? NULL : laya_peer_lookup_key(laya, key);
	if (IS_ERR(laya))
		err = PTR_ERR(laya);
	else if (peer && laya_send_room(peer, READ_ONCE(ls->kinds),
					&batch->before, &max) &&
		 sizeof(struct laya_inner_dgram) + len <= max)
		err = 0;
	rcu_read_unlock();
	if (err)
		return err;

	/* Without waiting for memory: that is done without the lock, alone */
	skb = sock_alloc_send_skb(&ls->sk, LAYA_SEND_HEADROOM, true, &err);
	if (!skb)
		return err == -EAGAIN ? LAYA_DGRAM_ALONE : err;
	skb_reserve(skb, LAYA_SEND_HEADROOM);
	skb->priority = READ_ONCE(ls->sk.sk_priority);
	laya_run_begin(&batch->run, skb, batch_sealed(batch, len));
	memcpy(batch->key, key, LAYA_KEY_SIZE);
	batch->port = port;
	if (!timer_pending(&batch->timer))
		sk_reset_timer(&ls->sk, &batch->timer, jiffies + 1);
	return 0;
}

static bool laya_dgram_batch_takes(const struct laya_dgram_batch *batch,
				   size_t len, const u8 *key, __be16 port)
{
	return batch_sealed(batch, len) <= batch->run.size &&
	       port == batch->port &&
	       !memcmp(key, batch->key, LAYA_KEY_SIZE);
}

/* Copy the message into its place; what it takes is charged to the socket. */
static int laya_dgram_batch_add(struct laya_dgram_sock *ls, struct msghdr *msg,
				size_t len)
{
	struct laya_dgram_batch *batch = &ls->batch;
	struct sk_buff *skb = batch->run.skb;
	unsigned int before = skb->truesize;
	struct laya_inner_dgram *inner;
	struct page *page;
	u8 *at;

	at = laya_run_room(&batch->run, LAYA_DGRAM_BATCH_ROOM);
	if (!at)
		return LAYA_DGRAM_ALONE;
	refcount_add(skb->truesize - before, &ls->sk.sk_wmem_alloc);
	inner = (struct laya_inner_dgram *)(at + batch->before);
	memset(inner, 0, sizeof(*inner));
	inner->kind = LAYA_INNER_DGRAM;
	inner->source = htons(READ_ONCE(ls->port));
	inner->dest = batch->port;
	page = virt_to_head_page(inner);
	if (copy_page_from_iter(page, (u8 *)(inner + 1) - (u8 *)page_address(page),
				len, &msg->msg_iter) != len)
		return -EFAULT;
	laya_run_add(&batch->run, batch_sealed(batch, len));
	return 0;
}

/**
 * laya_dgram_batch_send() - send a message together with others
 * @ls: Its socket.
 * @msg: The message; with MSG_BATCH it may wait for the next one.
 * @len: Its size.
 * @key: To whom it goes.
 * @port: To which port.
 *
 * Return: 0; LAYA_DGRAM_ALONE when it must be sent by itself, and nothing waits; or
 * an error, of this message or of those before it.
 */
int laya_dgram_batch_send(struct laya_dgram_sock *ls, struct msghdr *msg,
			  size_t len, const u8 *key, __be16 port)
{
	struct laya_dgram_batch *batch = &ls->batch;
	bool more = msg->msg_flags & MSG_BATCH;
	struct sock *sk = &ls->sk;
	bool last;
	int err;

	lock_sock(sk);
	if (batch->run.skb && !laya_dgram_batch_takes(batch, len, key, port)) {
		err = laya_dgram_batch_flush(ls);
		if (err)
			goto out;
	}
	if (!batch->run.skb) {
		err = more ? laya_dgram_batch_begin(ls, len, key, port) :
			     LAYA_DGRAM_ALONE;
		if (err)
			goto out;
	}
	last = !more || batch_sealed(batch, len) < batch->run.size;
	err = laya_dgram_batch_add(ls, msg, len);
	if (err || last || laya_run_full(&batch->run) ||
	    sk_wmem_alloc_get(sk) >= READ_ONCE(sk->sk_sndbuf)) {
		int flushed = laya_dgram_batch_flush(ls);

		if (err != -EFAULT && flushed)
			err = flushed;
	}
out:
	release_sock(sk);
	return err;
}

static void laya_dgram_batch_timer(struct timer_list *timer)
{
	struct laya_dgram_sock *ls = container_of(timer, struct laya_dgram_sock,
						  batch.timer);
	struct sock *sk = &ls->sk;

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk))
		sk_reset_timer(sk, timer, jiffies + 1);
	else
		laya_dgram_batch_flush(ls);
	bh_unlock_sock(sk);
	sock_put(sk);
}

/**
 * laya_dgram_batch_init() - a new socket
 * @ls: The socket.
 */
void laya_dgram_batch_init(struct laya_dgram_sock *ls)
{
	timer_setup(&ls->batch.timer, laya_dgram_batch_timer, 0);
}

/**
 * laya_dgram_batch_close() - send what still waits
 * @ls: The socket, which closes; under its lock.
 */
void laya_dgram_batch_close(struct laya_dgram_sock *ls)
{
	laya_dgram_batch_flush(ls);
	sk_stop_timer(&ls->sk, &ls->batch.timer);
}
