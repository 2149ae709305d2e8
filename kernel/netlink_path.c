// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: paths and labels.
 */
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/netlink.h>

#include "addr.h"
#include "carrier.h"
#include "carrier_stream.h"
#include "device.h"
#include "forward.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "path.h"
#include "peer.h"

/* Paths */

/**
 * laya_netlink_get_remote - an address to send to
 * @endpoint: Its far end is set.
 * @attr: struct sockaddr_in or sockaddr_in6.
 * @extack: Told what is wrong.
 *
 * Return: 0; -EINVAL when it is none, as unspecified, multicast or an ORCHID.
 */
int laya_netlink_get_remote(struct laya_endpoint *endpoint,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack)
{
	const struct sockaddr_in6 *in6 = nla_data(attr);
	const struct sockaddr_in *in = nla_data(attr);
	int type;

	if (nla_len(attr) == sizeof(*in) && in->sin_family == AF_INET) {
		__be32 addr = in->sin_addr.s_addr;

		if (!in->sin_port || ipv4_is_zeronet(addr) ||
		    ipv4_is_multicast(addr) || ipv4_is_lbcast(addr))
			goto err_useless;
		endpoint->remote.in.sin_family = AF_INET;
		endpoint->remote.in.sin_port = in->sin_port;
		endpoint->remote.in.sin_addr = in->sin_addr;
		return 0;
	}
	if (nla_len(attr) == sizeof(*in6) && in6->sin6_family == AF_INET6) {
		type = ipv6_addr_type(&in6->sin6_addr);
		if (!in6->sin6_port || type == IPV6_ADDR_ANY ||
		    (type & (IPV6_ADDR_MULTICAST | IPV6_ADDR_MAPPED)) ||
		    laya_addr_is_orchid(&in6->sin6_addr))
			goto err_useless;
		endpoint->remote.in6.sin6_family = AF_INET6;
		endpoint->remote.in6.sin6_port = in6->sin6_port;
		endpoint->remote.in6.sin6_addr = in6->sin6_addr;
		if (type & IPV6_ADDR_LINKLOCAL)
			endpoint->remote.in6.sin6_scope_id = in6->sin6_scope_id;
		return 0;
	}
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "Remote is no struct sockaddr_in or sockaddr_in6");
	return -EINVAL;

err_useless:
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "Remote is not an address and port to send to");
	return -EINVAL;
}

/* Family and port of @attr are those of the remote, or zero. */
static int laya_netlink_get_local(struct laya_endpoint *endpoint,
				  const struct nlattr *attr,
				  struct netlink_ext_ack *extack)
{
	const struct sockaddr_in6 *in6 = nla_data(attr);
	const struct sockaddr_in *in = nla_data(attr);

	if (nla_len(attr) == sizeof(*in) && in->sin_family == AF_INET &&
	    endpoint->remote.sa.sa_family == AF_INET) {
		endpoint->local4 = in->sin_addr;
		return 0;
	}
	if (nla_len(attr) == sizeof(*in6) && in6->sin6_family == AF_INET6 &&
	    endpoint->remote.sa.sa_family == AF_INET6) {
		endpoint->local6 = in6->sin6_addr;
		return 0;
	}
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "Local is no address of the family of remote");
	return -EINVAL;
}

static int laya_netlink_get_params(struct laya_path_params *params,
				   struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct nlattr *labels = attrs[LAYA_A_PATH_LABELS];
	u32 carrier = LAYA_CARRIER_UDP_ID;
	int err;

	memset(params, 0, sizeof(*params));
	if (attrs[LAYA_A_PATH_CARRIER_ID])
		carrier = nla_get_u32(attrs[LAYA_A_PATH_CARRIER_ID]);
	if (carrier != LAYA_CARRIER_UDP_ID)
		params->endpoint.carrier = carrier;
	err = laya_netlink_require(info, LAYA_A_PATH_KIND, "kind");
	if (!err && !params->endpoint.carrier)
		err = laya_netlink_require(info, LAYA_A_PATH_REMOTE, "remote");
	if (!err && attrs[LAYA_A_PATH_REMOTE])
		err = laya_netlink_get_remote(&params->endpoint,
					      attrs[LAYA_A_PATH_REMOTE],
					      info->extack);
	if (err)
		return err;
	params->kind = nla_get_u32(attrs[LAYA_A_PATH_KIND]);
	if (attrs[LAYA_A_PATH_LOCAL]) {
		err = laya_netlink_get_local(&params->endpoint,
					     attrs[LAYA_A_PATH_LOCAL],
					     info->extack);
		if (err)
			return err;
	}
	if (attrs[LAYA_A_PATH_OIF])
		params->endpoint.oif = nla_get_u32(attrs[LAYA_A_PATH_OIF]);
	if (params->endpoint.oif < 0) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[LAYA_A_PATH_OIF],
				    "No interface has this index");
		return -EINVAL;
	}
	if (labels) {
		if (nla_len(labels) % LAYA_LABEL_SIZE ||
		    nla_len(labels) > sizeof(params->labels)) {
			NL_SET_ERR_MSG_ATTR(info->extack, labels,
					    "Labels are not none, one or two of 6 bytes");
			return -EINVAL;
		}
		params->n_labels = nla_len(labels) / LAYA_LABEL_SIZE;
		memcpy(params->labels, nla_data(labels), nla_len(labels));
	}
	if (attrs[LAYA_A_PATH_FORWARDER])
		memcpy(params->forwarder, nla_data(attrs[LAYA_A_PATH_FORWARDER]),
		       LAYA_KEY_SIZE);
	return 0;
}

/* The carrier of a path that is to be dialled: how it leads there. */
static int laya_netlink_get_carrier(struct laya_path_params *params,
				    struct laya_device *laya,
				    struct genl_info *info)
{
	struct laya_endpoint *endpoint = &params->endpoint;
	struct laya_carrier_stream *stream;

	if (!endpoint->carrier)
		return 0;
	stream = laya_carrier_stream_lookup(laya, endpoint->carrier);
	if (!stream) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[LAYA_A_PATH_CARRIER_ID],
				    "The device has no such carrier");
		return -ENOENT;
	}
	endpoint->type = stream->endpoint.type;
	if (!endpoint->remote.sa.sa_family)
		endpoint->remote = stream->endpoint.remote;
	return 0;
}

static int laya_netlink_put_sockaddr(struct sk_buff *skb, int attr, int family,
				     const void *addr, __be16 port, u32 scope_id)
{
	struct sockaddr_in6 in6 = {
		.sin6_family	= AF_INET6,
		.sin6_port	= port,
		.sin6_scope_id	= scope_id,
	};
	struct sockaddr_in in = {
		.sin_family	= AF_INET,
		.sin_port	= port,
	};

	if (family == AF_INET) {
		memcpy(&in.sin_addr, addr, sizeof(in.sin_addr));
		return nla_put(skb, attr, sizeof(in), &in);
	}
	memcpy(&in6.sin6_addr, addr, sizeof(in6.sin6_addr));
	return nla_put(skb, attr, sizeof(in6), &in6);
}

/**
 * laya_netlink_put_remote - tell the far end of an endpoint
 * @skb: The message.
 * @attr: Number of the attribute.
 * @endpoint: Whose far end may have no address, and then there is no attribute.
 *
 * Return: 0 or -EMSGSIZE.
 */
int laya_netlink_put_remote(struct sk_buff *skb, int attr,
			    const struct laya_endpoint *endpoint)
{
	const struct sockaddr_in6 *in6 = &endpoint->remote.in6;
	const struct sockaddr_in *in = &endpoint->remote.in;

	switch (endpoint->remote.sa.sa_family) {
	case AF_INET:
		return laya_netlink_put_sockaddr(skb, attr, AF_INET,
						 &in->sin_addr, in->sin_port, 0);
	case AF_INET6:
		return laya_netlink_put_sockaddr(skb, attr, AF_INET6,
						 &in6->sin6_addr, in6->sin6_port,
						 in6->sin6_scope_id);
	}
	return 0;
}

static int laya_netlink_put_endpoint(struct sk_buff *skb,
				     const struct laya_endpoint *endpoint)
{
	int family = endpoint->remote.sa.sa_family;
	int err;

	err = laya_netlink_put_remote(skb, LAYA_A_PATH_REMOTE, endpoint);
	if (!err && family == AF_INET && endpoint->local4.s_addr)
		err = laya_netlink_put_sockaddr(skb, LAYA_A_PATH_LOCAL, AF_INET,
						&endpoint->local4, 0, 0);
	else if (!err && family == AF_INET6 && !ipv6_addr_any(&endpoint->local6))
		err = laya_netlink_put_sockaddr(skb, LAYA_A_PATH_LOCAL, AF_INET6,
						&endpoint->local6, 0, 0);
	if (!err && endpoint->oif)
		err = nla_put_u32(skb, LAYA_A_PATH_OIF, endpoint->oif);
	return err;
}

/* What is told of a path that changes under its lock: a snapshot. */
struct laya_netlink_path {
	struct laya_endpoint		endpoint;
	struct laya_probe_observed	observed;
	u8				labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8				n_labels;
	u8				state;
	bool				observed_valid;
	u32				srtt_us;
	u32				rttvar_us;
	u32				loss_permille;
	u32				unanswered;
	unsigned long			unanswered_since;
	u64				goodput;
};

static void laya_netlink_snapshot(struct laya_netlink_path *to,
				  struct laya_path *path)
{
	spin_lock_bh(&path->lock);
	to->endpoint = path->endpoint;
	to->observed = path->observed;
	memcpy(to->labels, path->labels, sizeof(to->labels));
	to->n_labels = path->n_labels;
	to->state = path->state;
	to->observed_valid = path->observed_valid;
	to->srtt_us = path->srtt_us;
	to->rttvar_us = path->rttvar_us;
	to->loss_permille = path->loss_permille;
	to->goodput = path->goodput;
	to->unanswered = path->probe.tries;
	to->unanswered_since = path->probe.unanswered;
	spin_unlock_bh(&path->lock);
}

static int laya_netlink_put_path_counts(struct sk_buff *skb,
					const struct laya_path *path)
{
	unsigned long last_rx = READ_ONCE(path->last_rx);
	struct rtnl_link_stats64 sum;

	laya_counts_sum(&sum, path->counts);
	if (nla_put_u64_64bit(skb, LAYA_A_PATH_TX_PACKETS,
			      sum.tx_packets, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_PATH_TX_BYTES,
			      sum.tx_bytes, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_PATH_RX_PACKETS,
			      sum.rx_packets, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_PATH_RX_BYTES,
			      sum.rx_bytes, 0))
		return -EMSGSIZE;
	if (last_rx && nla_put_u64_64bit(skb, LAYA_A_PATH_LAST_RX_MS,
					 laya_netlink_ms_since(last_rx), 0))
		return -EMSGSIZE;
	return 0;
}

/* Under RCU, without path->lock. */
static int laya_netlink_put_path(struct sk_buff *skb, struct laya_path *path)
{
	static const u8 no_key[LAYA_KEY_SIZE];
	struct laya_peer *peer = path->peer;
	struct laya_netlink_path now;

	laya_netlink_snapshot(&now, path);
	if (nla_put_u32(skb, LAYA_A_PATH_IFINDEX, peer->device->dev->ifindex) ||
	    nla_put(skb, LAYA_A_PATH_PUBLIC_KEY, LAYA_KEY_SIZE, peer->key) ||
	    nla_put_u32(skb, LAYA_A_PATH_PATH_ID, path->id) ||
	    nla_put_u32(skb, LAYA_A_PATH_KIND, path->kind) ||
	    nla_put_u32(skb, LAYA_A_PATH_CARRIER_ID,
			now.endpoint.carrier ?: LAYA_CARRIER_UDP_ID) ||
	    nla_put_u32(skb, LAYA_A_PATH_CARRIER_TYPE,
			now.endpoint.carrier ? now.endpoint.type :
					       LAYA_CARRIER_TYPE_UDP) ||
	    nla_put_u32(skb, LAYA_A_PATH_STATE, now.state) ||
	    (path->answered && nla_put_flag(skb, LAYA_A_PATH_ANSWERED)) ||
	    (rcu_access_pointer(peer->best) == path &&
	     nla_put_flag(skb, LAYA_A_PATH_IN_USE)) ||
	    laya_netlink_put_endpoint(skb, &now.endpoint) ||
	    nla_put(skb, LAYA_A_PATH_LABELS, now.n_labels * LAYA_LABEL_SIZE,
		    now.labels) ||
	    nla_put_u32(skb, LAYA_A_PATH_MTU, READ_ONCE(path->mtu)) ||
	    nla_put_u32(skb, LAYA_A_PATH_RTT_US, now.srtt_us) ||
	    nla_put_u32(skb, LAYA_A_PATH_RTTVAR_US, now.rttvar_us) ||
	    nla_put_u32(skb, LAYA_A_PATH_LOSS_PERMILLE, now.loss_permille) ||
	    nla_put_u64_64bit(skb, LAYA_A_PATH_GOODPUT, now.goodput, 0))
		return -EMSGSIZE;
	if (now.unanswered &&
	    (nla_put_u32(skb, LAYA_A_PATH_UNANSWERED, now.unanswered) ||
	     nla_put_u64_64bit(skb, LAYA_A_PATH_UNANSWERED_MS,
			       laya_netlink_ms_since(now.unanswered_since), 0)))
		return -EMSGSIZE;
	if (memcmp(path->forwarder, no_key, LAYA_KEY_SIZE) &&
	    nla_put(skb, LAYA_A_PATH_FORWARDER, LAYA_KEY_SIZE, path->forwarder))
		return -EMSGSIZE;
	if (now.observed_valid &&
	    laya_netlink_put_sockaddr(skb, LAYA_A_PATH_OBSERVED,
				      now.observed.family == 4 ? AF_INET : AF_INET6,
				      now.observed.addr, now.observed.port, 0))
		return -EMSGSIZE;
	return laya_netlink_put_path_counts(skb, path);
}

/* The path of a request. ERR_PTR. Under RCU. */
static struct laya_path *laya_netlink_path(struct laya_peer *peer,
					   struct genl_info *info)
{
	struct nlattr *attr = info->attrs[LAYA_A_PATH_PATH_ID];
	struct laya_path *path;

	path = laya_path_lookup(peer, nla_get_u32(attr));
	if (path)
		return path;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "The peer has no path with this id");
	return ERR_PTR(-ENOENT);
}

int laya_nl_path_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_path_params params;
	struct laya_device *laya;
	struct laya_peer *peer;
	struct laya_path *path;
	struct sk_buff *reply;
	void *header;
	int err;

	err = laya_netlink_get_params(&params, info);
	if (err)
		return err;
	/* Before the path is made: nothing may fail after that */
	reply = laya_netlink_reply_new(info, LAYA_CMD_PATH_NEW, &header);
	if (IS_ERR(reply))
		return PTR_ERR(reply);
	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya)) {
		err = PTR_ERR(laya);
		goto err_reply;
	}
	peer = laya_netlink_peer(laya, info, LAYA_A_PATH_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto err_device;
	}
	err = laya_netlink_get_carrier(&params, laya, info);
	if (err)
		goto err_device;
	path = laya_path_dial(peer, &params, info->extack);
	if (IS_ERR(path)) {
		err = PTR_ERR(path);
		if (info->extack && !info->extack->bad_attr)
			NL_SET_BAD_ATTR(info->extack,
					info->attrs[LAYA_A_PATH_REMOTE]);
		goto err_device;
	}
	err = nla_put_u32(reply, LAYA_A_PATH_PATH_ID, path->id);
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	if (err)
		goto err_reply;
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);

err_device:
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
err_reply:
	nlmsg_free(reply);
	return err;
}

int laya_nl_path_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	struct laya_peer *peer;
	struct laya_path *path;
	int err;

	err = laya_netlink_require(info, LAYA_A_PATH_PATH_ID, "path-id");
	if (err)
		return err;
	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_PATH_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	rcu_read_lock();
	path = laya_netlink_path(peer, info);
	if (IS_ERR(path))
		err = PTR_ERR(path);
	else
		laya_path_remove(path);
	rcu_read_unlock();
out:
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_path_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	struct laya_peer *peer;
	struct laya_path *path;
	struct sk_buff *reply;
	void *header;
	int err;

	err = laya_netlink_require(info, LAYA_A_PATH_PATH_ID, "path-id");
	if (err)
		return err;
	laya = laya_netlink_begin(info, LAYA_NETLINK_READ);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_PATH_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	reply = laya_netlink_reply_new(info, LAYA_CMD_PATH_GET, &header);
	if (IS_ERR(reply)) {
		err = PTR_ERR(reply);
		goto out;
	}
	rcu_read_lock();
	path = laya_netlink_path(peer, info);
	err = PTR_ERR_OR_ZERO(path);
	if (!err)
		err = laya_netlink_put_path(reply, path);
	rcu_read_unlock();
	if (err) {
		nlmsg_free(reply);
		goto out;
	}
	genlmsg_end(reply, header);
	err = genlmsg_reply(reply, info);
out:
	laya_netlink_end(laya, LAYA_NETLINK_READ);
	return err;
}

static int laya_netlink_dump_paths(struct sk_buff *skb,
				   struct netlink_callback *cb,
				   struct laya_peer *peer, unsigned int *item)
{
	struct laya_path *path;
	unsigned int n = 0;
	void *header;

	list_for_each_entry_rcu(path, &peer->paths, list) {
		if (n++ < *item)
			continue;
		header = laya_netlink_dump_put(skb, cb, LAYA_CMD_PATH_GET);
		if (!header)
			return -EMSGSIZE;
		if (laya_netlink_put_path(skb, path)) {
			genlmsg_cancel(skb, header);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, header);
		*item = n;
	}
	return 0;
}

int laya_nl_path_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	BUILD_BUG_ON(LAYA_A_PATH_IFINDEX != LAYA_NETLINK_IFINDEX);
	return laya_netlink_dump_peers(skb, cb, LAYA_A_PATH_PUBLIC_KEY,
				       laya_netlink_dump_paths);
}

/**
 * laya_netlink_path_changed - tell that a path changed
 * @path: The path; its lock is not held.
 */
void laya_netlink_path_changed(struct laya_path *path)
{
	struct laya_device *laya = path->peer->device;
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	skb = laya_netlink_event_new(laya, LAYA_CMD_PATH_CHANGED, &header);
	if (!skb)
		goto out;
	if (laya_netlink_put_path(skb, path))
		nlmsg_free(skb);
	else
		laya_netlink_event_send(laya, skb, header);
out:
	rcu_read_unlock();
}

/* Labels */

static int laya_netlink_put_label(struct sk_buff *skb,
				  const struct laya_device *laya,
				  const struct laya_label_info *label)
{
	if (nla_put_u32(skb, LAYA_A_LABEL_IFINDEX, laya->dev->ifindex) ||
	    nla_put(skb, LAYA_A_LABEL_LABEL, LAYA_LABEL_SIZE,
		    label->params.label) ||
	    nla_put(skb, LAYA_A_LABEL_PUBLIC_KEY, LAYA_KEY_SIZE, label->key) ||
	    nla_put(skb, LAYA_A_LABEL_FOR_KEY, LAYA_KEY_SIZE,
		    label->params.for_key) ||
	    nla_put_u64_64bit(skb, LAYA_A_LABEL_RATE, label->params.rate, 0) ||
	    nla_put_u32(skb, LAYA_A_LABEL_BURST, label->params.burst) ||
	    nla_put_u32(skb, LAYA_A_LABEL_EXPIRES_MS, label->params.expires_ms) ||
	    nla_put_u64_64bit(skb, LAYA_A_LABEL_PACKETS, label->packets, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_LABEL_BYTES, label->bytes, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_LABEL_DROPPED, label->dropped, 0) ||
	    nla_put_u32(skb, LAYA_A_LABEL_FLOWS, label->flows) ||
	    (label->params.bound && nla_put_flag(skb, LAYA_A_LABEL_BOUND)))
		return -EMSGSIZE;
	return 0;
}

int laya_nl_label_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_label_params params = {};
	struct nlattr **attrs = info->attrs;
	struct laya_peer *peer, *user = NULL;
	struct laya_device *laya;
	int err;

	BUILD_BUG_ON(LAYA_A_LABEL_IFINDEX != LAYA_NETLINK_IFINDEX);
	err = laya_netlink_require(info, LAYA_A_LABEL_LABEL, "label") ?:
	      laya_netlink_require(info, LAYA_A_LABEL_FOR_KEY, "for-key");
	if (err)
		return err;
	memcpy(params.label, nla_data(attrs[LAYA_A_LABEL_LABEL]),
	       LAYA_LABEL_SIZE);
	memcpy(params.for_key, nla_data(attrs[LAYA_A_LABEL_FOR_KEY]),
	       LAYA_KEY_SIZE);
	if (!laya_addr_key_valid(params.for_key)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[LAYA_A_LABEL_FOR_KEY],
				    "Key is not canonical, or of low order");
		return -EINVAL;
	}
	if (attrs[LAYA_A_LABEL_RATE])
		params.rate = nla_get_u64(attrs[LAYA_A_LABEL_RATE]);
	if (attrs[LAYA_A_LABEL_BURST])
		params.burst = nla_get_u32(attrs[LAYA_A_LABEL_BURST]);
	if (attrs[LAYA_A_LABEL_EXPIRES_MS])
		params.expires_ms = nla_get_u32(attrs[LAYA_A_LABEL_EXPIRES_MS]);

	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_LABEL_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	if (nla_get_flag(attrs[LAYA_A_LABEL_BOUND])) {
		user = laya_netlink_peer(laya, info, LAYA_A_LABEL_FOR_KEY);
		if (IS_ERR(user)) {
			err = PTR_ERR(user);
			goto out;
		}
	}
	err = laya_forward_label_set(laya->forward, peer, user, &params,
				     info->extack);
	if (err && info->extack && !info->extack->bad_attr)
		NL_SET_BAD_ATTR(info->extack, attrs[LAYA_A_LABEL_LABEL]);
out:
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_label_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	int err;

	err = laya_netlink_require(info, LAYA_A_LABEL_LABEL, "label");
	if (err)
		return err;
	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	err = laya_forward_label_del(laya->forward,
				     nla_data(info->attrs[LAYA_A_LABEL_LABEL]));
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[LAYA_A_LABEL_LABEL],
				    "The device has no such label");
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_label_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_label_info label;
	struct laya_device *laya;
	struct sk_buff *reply;
	void *header;
	int err;

	err = laya_netlink_require(info, LAYA_A_LABEL_LABEL, "label");
	if (err)
		return err;
	laya = laya_netlink_begin(info, LAYA_NETLINK_READ);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	err = laya_forward_label_get(laya->forward,
				     nla_data(info->attrs[LAYA_A_LABEL_LABEL]),
				     &label);
	if (err) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[LAYA_A_LABEL_LABEL],
				    "The device has no such label");
		goto out;
	}
	reply = laya_netlink_reply_new(info, LAYA_CMD_LABEL_GET, &header);
	if (IS_ERR(reply)) {
		err = PTR_ERR(reply);
		goto out;
	}
	err = laya_netlink_put_label(reply, laya, &label);
	if (err) {
		nlmsg_free(reply);
		goto out;
	}
	genlmsg_end(reply, header);
	err = genlmsg_reply(reply, info);
out:
	laya_netlink_end(laya, LAYA_NETLINK_READ);
	return err;
}

struct laya_netlink_labels {
	struct sk_buff		*skb;
	struct netlink_callback	*cb;
	struct laya_device	*laya;
	const u8		*key;
};

static int laya_netlink_emit_label(const struct laya_label_info *label,
				   void *data)
{
	struct laya_netlink_labels *to = data;
	void *header;

	if (to->key && memcmp(label->key, to->key, LAYA_KEY_SIZE))
		return 0;
	header = laya_netlink_dump_put(to->skb, to->cb, LAYA_CMD_LABEL_GET);
	if (!header)
		return -EMSGSIZE;
	if (laya_netlink_put_label(to->skb, to->laya, label)) {
		genlmsg_cancel(to->skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(to->skb, header);
	return 0;
}

int laya_nl_label_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = laya_compat_dump_attrs(cb);
	struct laya_netlink_labels to = {
		.skb	= skb,
		.cb	= cb,
	};
	unsigned long *pos = (unsigned long *)cb->ctx;
	int err;

	if (attrs[LAYA_A_LABEL_PUBLIC_KEY])
		to.key = nla_data(attrs[LAYA_A_LABEL_PUBLIC_KEY]);
	to.laya = laya_netlink_begin_dump(cb);
	if (IS_ERR(to.laya))
		return PTR_ERR(to.laya);
	err = laya_forward_label_dump(to.laya->forward, pos,
				      laya_netlink_emit_label, &to);
	laya_netlink_end_dump(to.laya);
	if (err && (err != -EMSGSIZE || !skb->len))
		return err;
	return skb->len;
}
