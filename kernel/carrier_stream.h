/* SPDX-License-Identifier: GPL-2.0 */
/* Stream carriers: connected stream sockets from userspace that carry packets. */
#ifndef _LAYA_CARRIER_STREAM_H
#define _LAYA_CARRIER_STREAM_H

#include <linux/kref.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "carrier.h"
#include "codel.h"
#include "frame.h"

#define LAYA_STREAMS_MAX	1024	/* of a device */
/* How long they outlive the owner of their device. */
#define LAYA_STREAMS_GRACE	(10 * HZ)

/**
 * struct laya_streams - the stream carriers of a device
 * @table: struct laya_carrier_stream by id; RCU readers, device->lock writers.
 * @next: Where the next id is looked for, so that none is used again soon.
 * @count: How many there are.
 * @reap: Closes them when the device has had no owner for LAYA_STREAMS_GRACE.
 */
struct laya_streams {
	struct xarray		table;
	u32			next;
	unsigned int		count;
	struct delayed_work	reap;
};

/**
 * struct laya_carrier_stream - a connected stream socket that carries packets
 * @carrier: Its NAPI takes packets from @received.
 * @id: In the table of its device.
 * @endpoint: What paths over it have for an endpoint.
 * @sock: The socket; its file is held.
 * @wait: In the socket's wait queue: any event runs @reader, @writer or both.
 * @all: In the list of those of all devices.
 * @ref: One of the table, one of @lost while that is queued.
 * @error: Positive errno with which it ended; 0 while it lives.
 * @lost: Closes it.
 *
 * @reader: Reads the socket.
 * @frame: What has not come whole. Of @reader alone.
 * @buffer: It reads to here. Of @reader alone.
 * @received: Packets on their way up.
 * @paused: @reader waits until there are fewer of them.
 *
 * @writer: Writes to the socket.
 * @lock: Guards the queues; leaf.
 * @control: Packets that go first: probes.
 * @data: The others; runs of equal ones (gso_size) as they came.
 * @charged: Memory of @data.
 * @bytes: Bytes of @data.
 * @cut: Bytes of the first of @data that have left already.
 * @codel: Of @data.
 * @out: Frames that are being written. Of @writer alone, as the two below.
 * @out_at: How far.
 * @out_len: How much there is.
 *
 * Lifetime and locking: laya_carrier_stream_open publishes in the device's table
 * under device->lock. Whoever comes first under the same lock ends it: a request,
 * the device, or @lost, which @reader and @writer queue when the socket fails. It
 * unpublishes, leaves the wait queue, disables NAPI (from then on no path begins),
 * tells paths and forwarder, waits for senders and cancels both works; then, under
 * rtnl, it deletes the NAPI context, gives the socket back and puts the table's
 * reference. Each holds a reference on the net_device, since @lost needs it.
 *
 * Wake-ups come in softirq, under locks of the socket: they only queue work. No
 * callback of the socket is replaced: its wait queue has all that these tell, is
 * the same for TCP, kernel TLS and AF_UNIX, and leaving it waits for whoever is in
 * it.
 */
struct laya_carrier_stream {
	struct laya_carrier	carrier;
	u32			id;
	struct laya_endpoint	endpoint;
	struct socket		*sock;
	wait_queue_entry_t	wait;
	struct list_head	all;
	struct kref		ref;
	int			error;
	struct work_struct	lost;

	struct work_struct	reader;
	struct laya_frame	frame;
	u8			*buffer;
	struct sk_buff_head	received;
	bool			paused;

	struct work_struct	writer;
	spinlock_t		lock;	/* queues */
	struct sk_buff_head	control;
	struct sk_buff_head	data;
	unsigned int		charged;
	unsigned int		bytes;
	unsigned int		cut;
	struct laya_codel	codel;
	u8			*out;
	unsigned int		out_at;
	unsigned int		out_len;
};

void laya_carrier_stream_init(struct laya_device *laya);
void laya_carrier_stream_destroy(struct laya_device *laya);
/*
 * Make a carrier of the socket that is @fd in the current process. @type and
 * @remote, which may have no family, are for people. Under rtnl and device->lock.
 * ERR_PTR.
 */
struct laya_carrier_stream *
laya_carrier_stream_open(struct laya_device *laya, int fd, u8 type,
			 const struct laya_endpoint *remote,
			 struct netlink_ext_ack *extack);
/* NULL when there is none. Under device->lock. */
struct laya_carrier_stream *laya_carrier_stream_lookup(struct laya_device *laya,
						       u32 id);
void laya_carrier_stream_close(struct laya_carrier_stream *stream);
void laya_carrier_stream_close_all(struct laya_device *laya, int error);
/* The device has no owner: what nobody claims is closed in a while. */
void laya_carrier_stream_orphan(struct laya_device *laya);
int laya_carrier_stream_send(struct laya_device *laya, struct sk_buff *skb,
			     u32 id);

#endif /* _LAYA_CARRIER_STREAM_H */
