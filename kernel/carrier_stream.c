// SPDX-License-Identifier: GPL-2.0
/*
 * Stream carriers: what goes where UDP does not. A connected stream socket, handed
 * down from userspace, carries the same packets as UDP, each behind its length.
 *
 * What a stream lacks beside UDP is room: a full one must push back and not pile
 * up. So little is kept here and in the socket (TCP_NOTSENT_LOWAT). Local TCP is
 * charged for its packets until they are written (small queues), and stops by
 * itself. What others send, by UDP into a slower stream, is kept from standing here
 * by CoDel, and the oldest goes when there is too much all the same: those who send
 * notice it soonest. Probes overtake data, so that a full pipe does not look
 * like a dead one. A carrier that stands still holds up nobody else: each has
 * works of its own, and none of them waits.
 */
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/pkt_sched.h>
#include <linux/poll.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <linux/unaligned.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "addr.h"
#include "carrier_stream.h"
#include "device.h"
#include "forward.h"
#include "netlink.h"
#include "path.h"
#include "receive.h"
#include "send.h"
#include "session.h"

/* Read, and written, at a time. */
#define STREAM_BUFFER		8192

/* What the socket may hold beyond what is under way. */
#define STREAM_LOWAT		16384
#define STREAM_SNDBUF		32768	/* of AF_UNIX, which knows no low-water mark */

/* Packets on their way up, before the reader waits. */
#define STREAM_RECEIVED_MAX	256

/* What is kept for a stream that is full. */
#define STREAM_CONTROL_MAX	64
#define STREAM_DATA_MAX		(256 << 10)

/*
 * A stream takes what is written in bursts, as its window opens: of 8 KiB, which are
 * 33 ms at 2 Mbit/s. A queue that is gone by the next one does not stand.
 */
static const struct laya_codel_params stream_codel = {
	.target_ns	= 20 * NSEC_PER_MSEC,
	.interval_ns	= 100 * NSEC_PER_MSEC,
};

/* Turns of a work before others have theirs. */
#define STREAM_TURNS		32

/* Streams have no TTL: packets come as fresh as from a host. */
#define STREAM_TTL		64

/* Streams of all devices, so that no socket is two. */
static LIST_HEAD(streams);
static DEFINE_MUTEX(streams_lock);	/* leaf, under device->lock */

static void stream_release(struct kref *ref)
{
	struct laya_carrier_stream *stream =
		container_of(ref, struct laya_carrier_stream, ref);

	dev_put(stream->carrier.device->dev);
	free_percpu(stream->carrier.counts);
	kfree(stream);
}

static void stream_put(struct laya_carrier_stream *stream)
{
	kref_put(&stream->ref, stream_release);
}

/* The end, seen by a work of its own: another work closes it. Once. */
static void stream_fail(struct laya_carrier_stream *stream, int error)
{
	if (cmpxchg(&stream->error, 0, error))
		return;
	kref_get(&stream->ref);
	queue_work(laya_wq, &stream->lost);
}

static int stream_wake(wait_queue_entry_t *wait, unsigned int mode, int sync,
		       void *key)
{
	struct laya_carrier_stream *stream =
		container_of(wait, struct laya_carrier_stream, wait);
	__poll_t events = key_to_poll(key);

	if (!events || (events & ~(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)))
		queue_work(laya_wq, &stream->reader);
	if (!events || (events & (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)))
		queue_work(laya_wq, &stream->writer);
	return 0;
}

/* In skb->cb of data that waits. */
struct stream_cb {
	u64	since;	/* ktime_get_ns() */
};

static struct stream_cb *stream_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct stream_cb) > sizeof(skb->cb));
	return (struct stream_cb *)skb->cb;
}

/* From the socket up. */

/* Returns what laya_frame_next() does when no whole packet is left in @data. */
static int stream_take(struct laya_carrier_stream *stream, const u8 *data,
		       unsigned int len)
{
	struct laya_device *laya = stream->carrier.device;
	const u8 *packet;
	struct sk_buff *skb;
	int length;

	while ((length = laya_frame_next(&stream->frame, &data, &len,
					 &packet)) > 0) {
		/* Room for headers, should it be forwarded */
		skb = alloc_skb(LAYA_SEND_HEADROOM + length,
				GFP_KERNEL | __GFP_NOWARN);
		if (!skb) {
			laya_device_drop(laya, LAYA_DROP_NO_MEMORY);
			continue;
		}
		skb_reserve(skb, LAYA_SEND_HEADROOM);
		skb_put_data(skb, packet, length);
		skb->dev = laya->dev;
		skb_queue_tail(&stream->received, skb);
	}
	local_bh_disable();
	napi_schedule(&stream->carrier.napi);
	local_bh_enable();
	return length;
}

/* True when enough is on its way up: stream_poll() says when to go on. */
static bool stream_paused(struct laya_carrier_stream *stream)
{
	if (skb_queue_len_lockless(&stream->received) < STREAM_RECEIVED_MAX)
		return false;
	WRITE_ONCE(stream->paused, true);
	/* Pairs with stream_poll() */
	smp_mb();
	return skb_queue_len_lockless(&stream->received) >= STREAM_RECEIVED_MAX;
}

static void stream_read(struct work_struct *work)
{
	struct laya_carrier_stream *stream =
		container_of(work, struct laya_carrier_stream, reader);
	struct kvec vec;
	unsigned int turn;
	int n;

	for (turn = 0; turn < STREAM_TURNS; turn++) {
		/*
		 * Without a control buffer kernel TLS gives -EIO for a record
		 * that is no data: an alert or a change of keys, both the end.
		 */
		struct msghdr msg = {};

		if (READ_ONCE(stream->error) || stream_paused(stream))
			return;
		vec.iov_base = stream->buffer;
		vec.iov_len = STREAM_BUFFER;
		n = kernel_recvmsg(stream->sock, &msg, &vec, 1, STREAM_BUFFER,
				   MSG_DONTWAIT);
		if (n == -EAGAIN)
			return;
		if (n > 0)
			n = stream_take(stream, stream->buffer, n) ?: 1;
		if (n <= 0) {
			stream_fail(stream, -n ?: EPIPE);
			return;
		}
	}
	queue_work(laya_wq, &stream->reader);
}

static int stream_poll(struct napi_struct *napi, int budget)
{
	struct laya_carrier_stream *stream =
		container_of(napi, struct laya_carrier_stream, carrier.napi);
	struct sk_buff *skb;
	int n = 0;

	rcu_read_lock();
	while (n < budget && (skb = skb_dequeue(&stream->received))) {
		laya_counts_rx(stream->carrier.counts, 1, skb->len);
		laya_receive(&stream->carrier, skb, &stream->endpoint, STREAM_TTL,
			     0);
		n++;
	}
	rcu_read_unlock();

	/* Pairs with stream_paused() */
	smp_mb();
	if (READ_ONCE(stream->paused)) {
		WRITE_ONCE(stream->paused, false);
		queue_work(laya_wq, &stream->reader);
	}
	if (n >= budget)
		return budget;
	napi_complete_done(napi, n);
	return n;
}

/* From the queues down. */

static unsigned int stream_packets(const struct sk_buff *skb)
{
	unsigned int size = skb_shinfo(skb)->gso_size;

	return size ? DIV_ROUND_UP(skb->len, size) : 1;
}

/* Take the first off; under the lock. */
static void stream_unqueue(struct laya_carrier_stream *stream,
			   struct sk_buff_head *queue, struct sk_buff_head *to)
{
	struct sk_buff *skb = __skb_dequeue(queue);

	if (queue == &stream->data) {
		stream->charged -= skb->truesize;
		stream->bytes -= skb->len - stream->cut;
		stream->cut = 0;
	}
	__skb_queue_tail(to, skb);
}

/* The first packet of @data: its run, and its length. Under the lock. */
static struct sk_buff *stream_first(struct laya_carrier_stream *stream,
				    unsigned int *len)
{
	struct sk_buff *skb = skb_peek(&stream->data);

	if (skb)
		*len = min(skb_shinfo(skb)->gso_size ?: skb->len,
			   skb->len - stream->cut);
	return skb;
}

/* It has left, @len bytes; its run goes to @done with the last. Under the lock. */
static void stream_next(struct laya_carrier_stream *stream, struct sk_buff *skb,
			unsigned int len, struct sk_buff_head *done)
{
	if (stream->cut + len == skb->len) {
		stream_unqueue(stream, &stream->data, done);
		return;
	}
	stream->cut += len;
	stream->bytes -= len;
}

/* The same, without those that are to be dropped, of which runs go to @done. */
static struct sk_buff *stream_undelayed(struct laya_carrier_stream *stream,
					unsigned int *len,
					struct sk_buff_head *done)
{
	u64 now = ktime_get_ns();
	struct sk_buff *skb;

	while ((skb = stream_first(stream, len))) {
		if (!laya_codel_drops(&stream->codel, &stream_codel, now,
				      now - stream_cb(skb)->since,
				      stream->bytes - *len))
			break;
		laya_device_drop(stream->carrier.device, LAYA_DROP_CARRIER_FULL);
		stream_next(stream, skb, *len, done);
	}
	return skb;
}

/*
 * Write the next packet as a frame to @out. False when there is none, or no room.
 * What is done with goes to @done. Under the lock.
 */
static bool stream_frame(struct laya_carrier_stream *stream,
			 struct sk_buff_head *done)
{
	u8 *to = stream->out + stream->out_len;
	struct sk_buff *skb;
	unsigned int len;
	int err;

	/* For any: what CoDel is asked for has to be written */
	if (stream->out_len + LAYA_FRAME_HEADER + LAYA_FRAME_MAX > STREAM_BUFFER)
		return false;
	skb = skb_peek(&stream->control);
	if (skb) {
		len = skb->len;
		err = skb_copy_bits(skb, 0, to + LAYA_FRAME_HEADER, len);
		stream_unqueue(stream, &stream->control, done);
	} else {
		skb = stream_undelayed(stream, &len, done);
		if (!skb)
			return false;
		err = skb_copy_bits(skb, stream->cut, to + LAYA_FRAME_HEADER, len);
		stream_next(stream, skb, len, done);
	}
	/* It has as many bytes as it says */
	WARN_ON_ONCE(err);
	put_unaligned_be16(len, to);
	stream->out_len += LAYA_FRAME_HEADER + len;
	laya_counts_tx(stream->carrier.counts, 1, len);
	return true;
}

/* Fill @out with frames; false when there is nothing to send. */
static bool stream_fill(struct laya_carrier_stream *stream)
{
	struct sk_buff_head done;

	__skb_queue_head_init(&done);
	stream->out_at = 0;
	stream->out_len = 0;
	spin_lock_bh(&stream->lock);
	while (stream_frame(stream, &done))
		;
	spin_unlock_bh(&stream->lock);
	/* Whoever was charged for them may send more; with BH off that is at once */
	local_bh_disable();
	__skb_queue_purge(&done);
	local_bh_enable();
	return stream->out_len;
}

static void stream_write(struct work_struct *work)
{
	struct laya_carrier_stream *stream =
		container_of(work, struct laya_carrier_stream, writer);
	struct kvec vec;
	unsigned int turn;
	int n;

	for (turn = 0; turn < STREAM_TURNS; turn++) {
		struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

		if (READ_ONCE(stream->error))
			return;
		if (stream->out_at == stream->out_len && !stream_fill(stream))
			return;
		vec.iov_base = stream->out + stream->out_at;
		vec.iov_len = stream->out_len - stream->out_at;
		n = kernel_sendmsg(stream->sock, &msg, &vec, 1, vec.iov_len);
		if (n == -EAGAIN)
			return;
		if (n < 0) {
			stream_fail(stream, -n);
			return;
		}
		stream->out_at += n;
	}
	queue_work(laya_wq, &stream->writer);
}

/**
 * laya_carrier_stream_send - send a packet or a run of equal ones down a stream
 * @laya: The device.
 * @skb: As of laya_carrier_send(); consumed.
 * @id: Of the stream.
 *
 * Under rcu_read_lock, BH off.
 *
 * Return: 0 when it is queued; -ENONET when there is no such stream any more;
 * -EMSGSIZE.
 */
int laya_carrier_stream_send(struct laya_device *laya, struct sk_buff *skb,
			     u32 id)
{
	struct laya_carrier_stream *stream = xa_load(&laya->streams.table, id);
	unsigned int size = skb_shinfo(skb)->gso_size ?: skb->len;
	struct sk_buff_head full, *queue;

	if (!stream || size > LAYA_FRAME_MAX) {
		laya_device_drop(laya, stream ? LAYA_DROP_TOO_BIG :
						LAYA_DROP_NO_ROUTE);
		kfree_skb(skb);
		return stream ? -EMSGSIZE : -ENONET;
	}
	laya_carrier_scrub(skb);

	__skb_queue_head_init(&full);
	spin_lock(&stream->lock);
	if (skb->priority == TC_PRIO_CONTROL && !skb_shinfo(skb)->gso_size) {
		queue = &stream->control;
		if (skb_queue_len(queue) >= STREAM_CONTROL_MAX)
			stream_unqueue(stream, queue, &full);
	} else {
		queue = &stream->data;
		while (!skb_queue_empty(queue) &&
		       stream->charged + skb->truesize > STREAM_DATA_MAX)
			stream_unqueue(stream, queue, &full);
		stream->charged += skb->truesize;
		stream->bytes += skb->len;
		stream_cb(skb)->since = ktime_get_ns();
	}
	__skb_queue_tail(queue, skb);
	spin_unlock(&stream->lock);
	queue_work(laya_wq, &stream->writer);

	while ((skb = __skb_dequeue(&full))) {
		laya_device_drop(laya, LAYA_DROP_CARRIER_FULL);
		this_cpu_add(laya->drops->packets[LAYA_DROP_CARRIER_FULL],
			     stream_packets(skb) - 1);
		kfree_skb(skb);
	}
	return 0;
}

/* Opening */

/* @words: a literal. */
static void stream_say(struct netlink_ext_ack *extack, const char *words)
{
	if (extack)
		extack->_msg = words;
}

/* What is wrong with a socket of TCP; NULL when nothing is. */
static const char *stream_check_tcp(struct sock *sk)
{
	const struct tcp_ulp_ops *ulp;

	if (sk->sk_protocol != IPPROTO_TCP)
		return "The socket is not of TCP";
	ulp = READ_ONCE(inet_csk(sk)->icsk_ulp_ops);
	if (ulp && strcmp(ulp->name, "tls"))
		return "The socket has an upper protocol other than TLS";
	return NULL;
}

/* What is wrong with a socket; NULL when nothing is. */
static const char *stream_check(struct socket *sock)
{
	struct sock *sk = sock->sk;
	const char *wrong = NULL;

	if (READ_ONCE(sock->ops)->family == AF_LAYA)
		return "The socket is of AF_LAYA, which carriers are below";
	if (sock->type != SOCK_STREAM)
		return "The socket is not a stream";
	switch (sk->sk_family) {
	case AF_INET:
	case AF_INET6:
		wrong = stream_check_tcp(sk);
		break;
	case AF_UNIX:
		break;
	default:
		wrong = "The socket is not of AF_INET, AF_INET6 or AF_UNIX";
	}
	if (wrong)
		return wrong;
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return "The socket listens";
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return "The socket is not connected";
	/* A BPF map, sunrpc and the like */
	if (READ_ONCE(sk->sk_user_data))
		return "The socket belongs to another part of the kernel";
	return NULL;
}

/* Where a socket of TCP leads; that of others has no name that tells anything. */
static int stream_remote(struct socket *sock, struct laya_endpoint *endpoint)
{
	struct sockaddr_storage name;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&name;
	int err;

	err = kernel_getpeername(sock, (struct sockaddr *)&name);
	if (err < 0)
		return err;
	if (name.ss_family == AF_INET) {
		memcpy(&endpoint->remote.in, &name, sizeof(endpoint->remote.in));
	} else if (name.ss_family == AF_INET6 &&
		   ipv6_addr_v4mapped(&in6->sin6_addr)) {
		endpoint->remote.in.sin_family = AF_INET;
		endpoint->remote.in.sin_port = in6->sin6_port;
		endpoint->remote.in.sin_addr.s_addr =
			in6->sin6_addr.s6_addr32[3];
	} else if (name.ss_family == AF_INET6) {
		/* Laya over Laya, and that perhaps over this stream */
		if (laya_addr_is_orchid(&in6->sin6_addr))
			return -ELOOP;
		memcpy(&endpoint->remote.in6, in6, sizeof(*in6));
		endpoint->remote.in6.sin6_flowinfo = 0;
	}
	return 0;
}

/* As little as possible is to lie in the socket, and nothing is to wait there. */
static int stream_tune(struct socket *sock)
{
	int lowat = STREAM_LOWAT;
	struct sock *sk = sock->sk;

	if (sk->sk_family == AF_UNIX) {
		lock_sock(sk);
		sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
		WRITE_ONCE(sk->sk_sndbuf, max_t(int, 2 * STREAM_SNDBUF,
						SOCK_MIN_SNDBUF));
		release_sock(sk);
		return 0;
	}
	tcp_sock_set_nodelay(sk);
	return READ_ONCE(sock->ops)->setsockopt(sock, SOL_TCP, TCP_NOTSENT_LOWAT,
						KERNEL_SOCKPTR(&lowat),
						sizeof(lowat));
}

/* Enter it in the list of all; -EBUSY when its socket is there. */
static int stream_enlist(struct laya_carrier_stream *stream)
{
	struct laya_carrier_stream *other;
	int err = 0;

	mutex_lock(&streams_lock);
	list_for_each_entry(other, &streams, all)
		if (other->sock == stream->sock)
			err = -EBUSY;
	if (!err)
		list_add(&stream->all, &streams);
	mutex_unlock(&streams_lock);
	return err;
}

static void stream_delist(struct laya_carrier_stream *stream)
{
	mutex_lock(&streams_lock);
	list_del(&stream->all);
	mutex_unlock(&streams_lock);
}

/* With no packets left. */
static void stream_free(struct laya_carrier_stream *stream)
{
	free_percpu(stream->carrier.counts);
	kfree(stream->buffer);
	kfree(stream->out);
	kfree(stream);
}

static void stream_lost(struct work_struct *work);

static struct laya_carrier_stream *stream_alloc(struct laya_device *laya)
{
	struct laya_carrier_stream *stream;

	stream = kzalloc(sizeof(*stream), GFP_KERNEL);
	if (!stream)
		return NULL;
	stream->buffer = kmalloc(STREAM_BUFFER, GFP_KERNEL);
	stream->out = kmalloc(STREAM_BUFFER, GFP_KERNEL);
	stream->carrier.counts = laya_counts_alloc(GFP_KERNEL);
	if (!stream->buffer || !stream->out || !stream->carrier.counts) {
		stream_free(stream);
		return NULL;
	}
	stream->carrier.device = laya;
	kref_init(&stream->ref);
	spin_lock_init(&stream->lock);
	skb_queue_head_init(&stream->received);
	__skb_queue_head_init(&stream->control);
	__skb_queue_head_init(&stream->data);
	INIT_WORK(&stream->lost, stream_lost);
	INIT_WORK(&stream->reader, stream_read);
	INIT_WORK(&stream->writer, stream_write);
	init_waitqueue_func_entry(&stream->wait, stream_wake);
	return stream;
}

static int stream_adopt(struct laya_carrier_stream *stream,
			const struct laya_endpoint *remote,
			struct netlink_ext_ack *extack)
{
	struct laya_endpoint *endpoint = &stream->endpoint;
	const char *wrong;
	int err;

	wrong = stream_check(stream->sock);
	if (wrong) {
		stream_say(extack, wrong);
		return -EINVAL;
	}
	err = stream_remote(stream->sock, endpoint);
	if (err) {
		stream_say(extack, err == -ELOOP ?
					"The socket leads to an ORCHID: Laya below Laya" :
					"The socket is not connected any more");
		return err;
	}
	if (remote->remote.sa.sa_family)
		endpoint->remote = remote->remote;
	err = stream_tune(stream->sock);
	if (err) {
		NL_SET_ERR_MSG(extack, "The socket takes no options");
		return err;
	}
	err = stream_enlist(stream);
	if (err)
		NL_SET_ERR_MSG(extack, "The socket is a carrier already");
	return err;
}

/**
 * laya_carrier_stream_open - make a carrier of a socket
 * @laya: The device; its lock and rtnl are held.
 * @fd: The socket in the current process.
 * @type: enum laya_carrier_type, for people.
 * @remote: Far end, for people; without a family it is that of the socket.
 * @extack: Says what is wrong.
 *
 * Return: The carrier, valid under the device's lock. ERR_PTR: -EBADF, -ENOTSOCK,
 * -EINVAL for a socket that will not do, -ELOOP, -EBUSY, -ENOSPC, -ENONET when the
 * namespace where the device was created is gone, -ENOMEM.
 */
struct laya_carrier_stream *
laya_carrier_stream_open(struct laya_device *laya, int fd, u8 type,
			 const struct laya_endpoint *remote,
			 struct netlink_ext_ack *extack)
{
	struct laya_carrier_stream *stream;
	int err;

	ASSERT_RTNL();
	lockdep_assert_held(&laya->lock);
	if (!laya->creating_net) {
		NL_SET_ERR_MSG(extack,
			       "The network namespace of the device's carriers is gone");
		return ERR_PTR(-ENONET);
	}
	if (laya->streams.count >= LAYA_STREAMS_MAX) {
		NL_SET_ERR_MSG(extack, "The device has too many stream carriers");
		return ERR_PTR(-ENOSPC);
	}
	stream = stream_alloc(laya);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->sock = sockfd_lookup(fd, &err);
	if (!stream->sock) {
		stream_say(extack, err == -EBADF ?
					"No file is open there" :
					"It is not a socket");
		goto err_free;
	}
	err = stream_adopt(stream, remote, extack);
	if (err)
		goto err_sock;
	/* Readers do not see it before the id is set */
	stream->endpoint.type = type;
	err = xa_alloc_cyclic(&laya->streams.table, &stream->id, NULL,
			      XA_LIMIT(LAYA_CARRIER_UDP_ID + 1, INT_MAX),
			      &laya->streams.next, GFP_KERNEL);
	if (err < 0)
		goto err_delist;
	stream->endpoint.carrier = stream->id;
	dev_hold(laya->dev);
	netif_napi_add(laya->dev, &stream->carrier.napi, stream_poll);
	napi_enable(&stream->carrier.napi);
	/* The place is there: it takes no memory */
	xa_store(&laya->streams.table, stream->id, stream, GFP_KERNEL);
	laya->streams.count++;
	add_wait_queue(sk_sleep(stream->sock->sk), &stream->wait);
	/* For what came before */
	queue_work(laya_wq, &stream->reader);
	if (!READ_ONCE(laya->owner_portid))
		laya_carrier_stream_orphan(laya);
	return stream;

err_delist:
	stream_delist(stream);
err_sock:
	sockfd_put(stream->sock);
err_free:
	stream_free(stream);
	return ERR_PTR(err);
}

/**
 * laya_carrier_stream_lookup - find a stream carrier
 * @laya: The device; its lock is held.
 * @id: Its id.
 *
 * Return: The carrier, valid under the lock; NULL when there is none.
 */
struct laya_carrier_stream *laya_carrier_stream_lookup(struct laya_device *laya,
						       u32 id)
{
	lockdep_assert_held(&laya->lock);
	return xa_load(&laya->streams.table, id);
}

/* Closing */

/* No packet goes in or out, and its paths are dead. Under device->lock. */
static void stream_sever(struct laya_carrier_stream *stream)
{
	struct laya_device *laya = stream->carrier.device;

	lockdep_assert_held(&laya->lock);
	xa_erase(&laya->streams.table, stream->id);
	laya->streams.count--;
	/* Both works stop, and do not report it */
	cmpxchg(&stream->error, 0, ESHUTDOWN);
	remove_wait_queue(sk_sleep(stream->sock->sk), &stream->wait);
	napi_disable(&stream->carrier.napi);
	laya_path_carrier_lost(laya, stream->id);
	laya_forward_carrier_lost(laya->forward, stream->id);
	/* Senders who have found it */
	synchronize_net();
	cancel_work_sync(&stream->reader);
	cancel_work_sync(&stream->writer);
}

/* The rest, after stream_sever(). */
static void stream_finish(struct laya_carrier_stream *stream)
{
	/* The list of a device's NAPI contexts is rtnl's */
	ASSERT_RTNL();
	netif_napi_del(&stream->carrier.napi);
	skb_queue_purge(&stream->received);
	__skb_queue_purge(&stream->control);
	__skb_queue_purge(&stream->data);
	kfree(stream->buffer);
	kfree(stream->out);

	stream_delist(stream);
	kernel_sock_shutdown(stream->sock, SHUT_RDWR);
	sockfd_put(stream->sock);
	stream_put(stream);
}

/**
 * laya_carrier_stream_close - close a stream carrier
 * @stream: In the table of its device, whose lock is held, as is rtnl.
 *
 * Its paths die at once.
 */
void laya_carrier_stream_close(struct laya_carrier_stream *stream)
{
	stream_sever(stream);
	stream_finish(stream);
}

static void stream_lost(struct work_struct *work)
{
	struct laya_carrier_stream *stream =
		container_of(work, struct laya_carrier_stream, lost);
	struct laya_device *laya = stream->carrier.device;
	bool ours;

	mutex_lock(&laya->lock);
	ours = laya_carrier_stream_lookup(laya, stream->id) == stream;
	if (ours) {
		stream_sever(stream);
		laya_netlink_carrier_lost(stream);
	}
	mutex_unlock(&laya->lock);
	if (ours) {
		/* Paths did not have to wait for this */
		rtnl_lock();
		stream_finish(stream);
		rtnl_unlock();
	}
	stream_put(stream);
}

/**
 * laya_carrier_stream_close_all - close the stream carriers of a device
 * @laya: The device; its lock and rtnl are held.
 * @error: Positive errno that is told of each; 0 when it is not told.
 */
void laya_carrier_stream_close_all(struct laya_device *laya, int error)
{
	struct laya_carrier_stream *stream;
	unsigned long id;

	lockdep_assert_held(&laya->lock);
	xa_for_each(&laya->streams.table, id, stream) {
		if (error && !cmpxchg(&stream->error, 0, error))
			laya_netlink_carrier_lost(stream);
		laya_carrier_stream_close(stream);
	}
}

static void stream_reap(struct work_struct *work)
{
	struct laya_device *laya = container_of(to_delayed_work(work),
						struct laya_device,
						streams.reap);

	/* Who has it may be waiting for this work to end */
	if (!rtnl_trylock()) {
		queue_delayed_work(laya_wq, &laya->streams.reap, 1);
		return;
	}
	mutex_lock(&laya->lock);
	if (!READ_ONCE(laya->owner_portid))
		laya_carrier_stream_close_all(laya, EOWNERDEAD);
	mutex_unlock(&laya->lock);
	rtnl_unlock();
}

/**
 * laya_carrier_stream_orphan - the device has no owner
 * @laya: The device, which is in the list of all.
 *
 * A socket of userspace pins its network namespace, so nothing is kept that nobody
 * looks after; but long enough for a daemon that is restarted.
 */
void laya_carrier_stream_orphan(struct laya_device *laya)
{
	mod_delayed_work(laya_wq, &laya->streams.reap, LAYA_STREAMS_GRACE);
}

/**
 * laya_carrier_stream_init - a new device has no stream carriers
 * @laya: The device.
 */
void laya_carrier_stream_init(struct laya_device *laya)
{
	xa_init_flags(&laya->streams.table, XA_FLAGS_ALLOC);
	INIT_DELAYED_WORK(&laya->streams.reap, stream_reap);
}

/**
 * laya_carrier_stream_destroy - the end of what laya_carrier_stream_init() began
 * @laya: The device, with rtnl but not its lock; nobody finds it any more.
 */
void laya_carrier_stream_destroy(struct laya_device *laya)
{
	cancel_delayed_work_sync(&laya->streams.reap);
	mutex_lock(&laya->lock);
	laya_carrier_stream_close_all(laya, 0);
	mutex_unlock(&laya->lock);
	xa_destroy(&laya->streams.table);
}
