// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: carriers.
 */
#include <net/genetlink.h>
#include <net/netlink.h>

#include "carrier.h"
#include "carrier_stream.h"
#include "device.h"
#include "netlink.h"
#include "netlink_gen.h"

static struct laya_carrier_udp *laya_netlink_udp(struct laya_device *laya)
{
	return rcu_dereference_protected(laya->carrier,
					 lockdep_is_held(&laya->lock));
}

static int laya_netlink_put_carrier_name(struct sk_buff *skb,
					 const struct laya_device *laya, u32 id,
					 u32 type)
{
	if (nla_put_u32(skb, LAYA_A_CARRIER_IFINDEX, laya->dev->ifindex) ||
	    nla_put_u32(skb, LAYA_A_CARRIER_CARRIER_ID, id) ||
	    nla_put_u32(skb, LAYA_A_CARRIER_TYPE, type))
		return -EMSGSIZE;
	return 0;
}

static int laya_netlink_put_udp_name(struct sk_buff *skb,
				     const struct laya_carrier_udp *udp)
{
	return laya_netlink_put_carrier_name(skb, udp->carrier.device,
					     LAYA_CARRIER_UDP_ID,
					     LAYA_CARRIER_TYPE_UDP) ?:
	       nla_put_u16(skb, LAYA_A_CARRIER_PORT, udp->port);
}

static int laya_netlink_put_stream_name(struct sk_buff *skb,
					const struct laya_carrier_stream *stream)
{
	return laya_netlink_put_carrier_name(skb, stream->carrier.device,
					     stream->id, stream->endpoint.type);
}

static int laya_netlink_put_counts(struct sk_buff *skb,
				   const struct laya_carrier *carrier)
{
	struct rtnl_link_stats64 sum;

	laya_counts_sum(&sum, carrier->counts);
	if (nla_put_u64_64bit(skb, LAYA_A_CARRIER_RX_PACKETS,
			      sum.rx_packets, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_CARRIER_RX_BYTES,
			      sum.rx_bytes, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_CARRIER_TX_PACKETS,
			      sum.tx_packets, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_CARRIER_TX_BYTES,
			      sum.tx_bytes, 0))
		return -EMSGSIZE;
	return 0;
}

/* Carrier @id of a device; the device is locked. -ENOENT when there is none. */
static int laya_netlink_put_carrier(struct sk_buff *skb,
				    struct laya_device *laya, u32 id)
{
	struct laya_carrier_udp *udp = laya_netlink_udp(laya);
	struct laya_carrier_stream *stream;

	if (id == LAYA_CARRIER_UDP_ID) {
		if (!udp)
			return -ENOENT;
		return laya_netlink_put_udp_name(skb, udp) ?:
		       laya_netlink_put_counts(skb, &udp->carrier);
	}
	stream = laya_carrier_stream_lookup(laya, id);
	if (!stream)
		return -ENOENT;
	return laya_netlink_put_stream_name(skb, stream) ?:
	       laya_netlink_put_counts(skb, &stream->carrier) ?:
	       laya_netlink_put_remote(skb, LAYA_A_CARRIER_REMOTE,
				       &stream->endpoint);
}

static void laya_netlink_no_carrier(struct genl_info *info)
{
	NL_SET_ERR_MSG_ATTR(info->extack,
			    info->attrs[LAYA_A_CARRIER_CARRIER_ID],
			    "The device has no such carrier");
}

static int laya_netlink_new_udp(struct sk_buff *reply, struct laya_device *laya,
				struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	u16 port = 0;
	int err;

	if (attrs[LAYA_A_CARRIER_FD]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[LAYA_A_CARRIER_FD],
				    "The kernel opens UDP sockets itself");
		return -EINVAL;
	}
	if (attrs[LAYA_A_CARRIER_PORT])
		port = nla_get_u16(attrs[LAYA_A_CARRIER_PORT]);
	err = laya_carrier_open(laya, port, info->extack);
	if (!err)
		return laya_netlink_put_udp_name(reply, laya_netlink_udp(laya));
	if (attrs[LAYA_A_CARRIER_PORT] && err == -EADDRINUSE)
		NL_SET_BAD_ATTR(info->extack, attrs[LAYA_A_CARRIER_PORT]);
	return err;
}

static int laya_netlink_new_stream(struct sk_buff *reply,
				   struct laya_device *laya,
				   struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct laya_carrier_stream *stream;
	struct laya_endpoint remote = {};
	int err;

	err = laya_netlink_require(info, LAYA_A_CARRIER_FD, "fd");
	if (err)
		return err;
	if (attrs[LAYA_A_CARRIER_PORT]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[LAYA_A_CARRIER_PORT],
				    "A stream carrier's port is that of its socket");
		return -EINVAL;
	}
	if (attrs[LAYA_A_CARRIER_REMOTE]) {
		err = laya_netlink_get_remote(&remote,
					      attrs[LAYA_A_CARRIER_REMOTE],
					      info->extack);
		if (err)
			return err;
	}
	stream = laya_carrier_stream_open(laya,
					  nla_get_u32(attrs[LAYA_A_CARRIER_FD]),
					  nla_get_u32(attrs[LAYA_A_CARRIER_TYPE]),
					  &remote, info->extack);
	if (IS_ERR(stream)) {
		NL_SET_BAD_ATTR(info->extack, attrs[LAYA_A_CARRIER_FD]);
		return PTR_ERR(stream);
	}
	return laya_netlink_put_stream_name(reply, stream);
}

int laya_nl_carrier_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *type = info->attrs[LAYA_A_CARRIER_TYPE];
	struct laya_device *laya;
	struct sk_buff *reply;
	void *header;
	int err;

	BUILD_BUG_ON(LAYA_A_CARRIER_IFINDEX != LAYA_NETLINK_IFINDEX);
	reply = laya_netlink_reply_new(info, LAYA_CMD_CARRIER_NEW, &header);
	if (IS_ERR(reply))
		return PTR_ERR(reply);
	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE_RTNL);
	if (IS_ERR(laya)) {
		err = PTR_ERR(laya);
		goto err_reply;
	}
	if (!type || nla_get_u32(type) == LAYA_CARRIER_TYPE_UDP)
		err = laya_netlink_new_udp(reply, laya, info);
	else
		err = laya_netlink_new_stream(reply, laya, info);
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE_RTNL);
	if (err)
		goto err_reply;
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);

err_reply:
	nlmsg_free(reply);
	return err;
}

int laya_nl_carrier_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_carrier_stream *stream;
	struct laya_device *laya;
	int err;
	u32 id;

	err = laya_netlink_require(info, LAYA_A_CARRIER_CARRIER_ID, "carrier-id");
	if (err)
		return err;
	id = nla_get_u32(info->attrs[LAYA_A_CARRIER_CARRIER_ID]);
	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE_RTNL);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	stream = laya_carrier_stream_lookup(laya, id);
	if (stream) {
		laya_carrier_stream_close(stream);
	} else if (id == LAYA_CARRIER_UDP_ID && laya_netlink_udp(laya)) {
		laya_carrier_close(laya);
	} else {
		laya_netlink_no_carrier(info);
		err = -ENOENT;
	}
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE_RTNL);
	return err;
}

int laya_nl_carrier_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	struct sk_buff *reply;
	void *header;
	int err;

	err = laya_netlink_require(info, LAYA_A_CARRIER_CARRIER_ID, "carrier-id");
	if (err)
		return err;
	laya = laya_netlink_begin(info, LAYA_NETLINK_READ);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	reply = laya_netlink_reply_new(info, LAYA_CMD_CARRIER_GET, &header);
	if (IS_ERR(reply)) {
		err = PTR_ERR(reply);
		goto out;
	}
	err = laya_netlink_put_carrier(reply, laya,
				       nla_get_u32(info->attrs[LAYA_A_CARRIER_CARRIER_ID]));
	if (err) {
		if (err == -ENOENT)
			laya_netlink_no_carrier(info);
		nlmsg_free(reply);
		goto out;
	}
	genlmsg_end(reply, header);
	err = genlmsg_reply(reply, info);
out:
	laya_netlink_end(laya, LAYA_NETLINK_READ);
	return err;
}

/* A carrier as a message of a dump; -EMSGSIZE when there is no room. */
static int laya_netlink_dump_carrier(struct sk_buff *skb,
				     struct netlink_callback *cb,
				     struct laya_device *laya, u32 id)
{
	void *header;
	int err;

	header = laya_netlink_dump_put(skb, cb, LAYA_CMD_CARRIER_GET);
	if (!header)
		return -EMSGSIZE;
	err = laya_netlink_put_carrier(skb, laya, id);
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err == -ENOENT ? 0 : err;
}

int laya_nl_carrier_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct laya_netlink_cursor *cursor = (void *)cb->ctx;
	struct laya_carrier_stream *stream;
	struct laya_device *laya;
	unsigned long id;
	int err = 0;

	laya = laya_netlink_begin_dump(cb);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	/* Where to go on: at an id; that of UDP is the first */
	if (cursor->item <= LAYA_CARRIER_UDP_ID) {
		err = laya_netlink_dump_carrier(skb, cb, laya,
						LAYA_CARRIER_UDP_ID);
		cursor->item = LAYA_CARRIER_UDP_ID + 1;
	}
	if (!err) {
		xa_for_each_start(&laya->streams.table, id, stream,
				  cursor->item) {
			err = laya_netlink_dump_carrier(skb, cb, laya, id);
			if (err)
				break;
			cursor->item = id + 1;
		}
	}
	laya_netlink_end_dump(laya);
	return err && !skb->len ? err : skb->len;
}

/**
 * laya_netlink_carrier_lost - tell that a stream carrier is gone
 * @stream: The carrier, whose error says why.
 */
void laya_netlink_carrier_lost(const struct laya_carrier_stream *stream)
{
	struct laya_device *laya = stream->carrier.device;
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	skb = laya_netlink_event_new(laya, LAYA_CMD_CARRIER_LOST, &header);
	if (!skb)
		goto out;
	if (laya_netlink_put_stream_name(skb, stream) ||
	    laya_netlink_put_remote(skb, LAYA_A_CARRIER_REMOTE,
				    &stream->endpoint) ||
	    nla_put_u32(skb, LAYA_A_CARRIER_ERROR, READ_ONCE(stream->error)))
		nlmsg_free(skb);
	else
		laya_netlink_event_send(laya, skb, header);
out:
	rcu_read_unlock();
}
