// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: peers and their sessions.
 */
#include <net/genetlink.h>
#include <net/netlink.h>

#include "device.h"
#include "forward.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "path.h"
#include "peer.h"
#include "session.h"

static int laya_netlink_put_peer_key(struct sk_buff *skb,
				     const struct laya_peer *peer)
{
	BUILD_BUG_ON(LAYA_A_PEER_IFINDEX != LAYA_NETLINK_IFINDEX);
	BUILD_BUG_ON((int)LAYA_A_SESSION_IFINDEX != LAYA_A_PEER_IFINDEX);
	BUILD_BUG_ON((int)LAYA_A_SESSION_PUBLIC_KEY != LAYA_A_PEER_PUBLIC_KEY);

	if (nla_put_u32(skb, LAYA_A_PEER_IFINDEX, peer->device->dev->ifindex) ||
	    nla_put(skb, LAYA_A_PEER_PUBLIC_KEY, LAYA_KEY_SIZE, peer->key))
		return -EMSGSIZE;
	return 0;
}

/* Under RCU. */
static int laya_netlink_put_peer(struct sk_buff *skb, struct laya_peer *peer)
{
	unsigned long last_rx = READ_ONCE(peer->last_rx);
	struct rtnl_link_stats64 sum;
	struct laya_path *best;

	laya_counts_sum(&sum, peer->counts);
	best = rcu_dereference(peer->best);
	if (laya_netlink_put_peer_key(skb, peer) ||
	    nla_put_in6_addr(skb, LAYA_A_PEER_ORCHID, &peer->orchid) ||
	    nla_put_u32(skb, LAYA_A_PEER_FLAGS, READ_ONCE(peer->flags)) ||
	    nla_put_u32(skb, LAYA_A_PEER_ERROR, READ_ONCE(peer->error)) ||
	    nla_put_u32(skb, LAYA_A_PEER_QUEUED,
			skb_queue_len_lockless(&peer->queue)) ||
	    nla_put_u64_64bit(skb, LAYA_A_PEER_TX_PACKETS,
			      sum.tx_packets, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_PEER_TX_BYTES,
			      sum.tx_bytes, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_PEER_RX_PACKETS,
			      sum.rx_packets, 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_PEER_RX_BYTES,
			      sum.rx_bytes, 0) ||
	    nla_put_u32(skb, LAYA_A_PEER_PATH_ID, best ? best->id : 0))
		return -EMSGSIZE;
	if (memcmp(peer->local_key, peer->device->public_key, LAYA_KEY_SIZE) &&
	    nla_put(skb, LAYA_A_PEER_LOCAL_KEY, LAYA_KEY_SIZE, peer->local_key))
		return -EMSGSIZE;
	if (last_rx &&
	    nla_put_u64_64bit(skb, LAYA_A_PEER_LAST_RX_MS,
			      laya_netlink_ms_since(last_rx), 0))
		return -EMSGSIZE;
	return 0;
}

int laya_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct laya_device *laya;
	const u8 *local_key = NULL;
	struct laya_peer *peer;
	u32 flags = 0;
	int err;

	err = laya_netlink_require(info, LAYA_A_PEER_PUBLIC_KEY, "public-key");
	if (err)
		return err;
	if (attrs[LAYA_A_PEER_FLAGS])
		flags = nla_get_u32(attrs[LAYA_A_PEER_FLAGS]);

	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	if (attrs[LAYA_A_PEER_LOCAL_KEY])
		local_key = nla_data(attrs[LAYA_A_PEER_LOCAL_KEY]);
	peer = laya_peer_create(laya, nla_data(attrs[LAYA_A_PEER_PUBLIC_KEY]),
				local_key, flags, info->extack);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		NL_SET_BAD_ATTR(info->extack, attrs[LAYA_A_PEER_PUBLIC_KEY]);
	} else {
		laya->seq = laya->seq + 1 ?: 1;
	}
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct laya_device *laya;
	struct laya_peer *peer;
	int err = 0;

	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_PEER_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	if (attrs[LAYA_A_PEER_FLAGS]) {
		u32 flags = nla_get_u32(attrs[LAYA_A_PEER_FLAGS]);

		if ((peer->flags & ~flags) & LAYA_PEER_FLAGS_ATTACHMENT)
			laya_forward_peer_gone(laya->forward, peer);
		WRITE_ONCE(peer->flags, flags);
	}
	if (attrs[LAYA_A_PEER_ERROR])
		laya_peer_fail(peer, nla_get_u32(attrs[LAYA_A_PEER_ERROR]));
out:
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	struct laya_peer *peer;
	int err = 0;

	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_PEER_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
	} else {
		laya_peer_remove(peer);
		laya->seq = laya->seq + 1 ?: 1;
	}
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	struct laya_peer *peer;
	struct sk_buff *reply;
	void *header;
	int err;

	laya = laya_netlink_begin(info, LAYA_NETLINK_READ);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_PEER_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	reply = laya_netlink_reply_new(info, LAYA_CMD_PEER_GET, &header);
	if (IS_ERR(reply)) {
		err = PTR_ERR(reply);
		goto out;
	}
	rcu_read_lock();
	err = laya_netlink_put_peer(reply, peer);
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

static int laya_netlink_dump_peer(struct sk_buff *skb,
				  struct netlink_callback *cb,
				  struct laya_peer *peer, unsigned int *item)
{
	void *header;

	header = laya_netlink_dump_put(skb, cb, LAYA_CMD_PEER_GET);
	if (!header)
		return -EMSGSIZE;
	if (laya_netlink_put_peer(skb, peer)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

int laya_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return laya_netlink_dump_peers(skb, cb, LAYA_A_PEER_PUBLIC_KEY,
				       laya_netlink_dump_peer);
}

/* Sessions */

static int laya_netlink_put_session(struct sk_buff *skb,
				    const struct laya_session *session,
				    enum laya_session_slot slot)
{
	if (laya_netlink_put_peer_key(skb, session->peer) ||
	    nla_put_u32(skb, LAYA_A_SESSION_SLOT, slot) ||
	    nla_put_u32(skb, LAYA_A_SESSION_CIPHER, session->cipher) ||
	    nla_put_u32(skb, LAYA_A_SESSION_RX_INDEX, session->rx_index) ||
	    nla_put_u32(skb, LAYA_A_SESSION_TX_INDEX,
			be32_to_cpu(session->tx_index)) ||
	    nla_put_u64_64bit(skb, LAYA_A_SESSION_AGE_MS,
			      laya_session_age_ms(session), 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_SESSION_TX_PACKETS,
			      atomic64_read(&session->tx_counter), 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_SESSION_RX_PACKETS,
			      atomic64_read(&session->rx_packets), 0) ||
	    nla_put_u64_64bit(skb, LAYA_A_SESSION_FAILURES,
			      atomic64_read(&session->failures), 0))
		return -EMSGSIZE;
	if ((session->initiator &&
	     nla_put_flag(skb, LAYA_A_SESSION_INITIATOR)) ||
	    (READ_ONCE(session->confirmed) &&
	     nla_put_flag(skb, LAYA_A_SESSION_CONFIRMED)))
		return -EMSGSIZE;
	return 0;
}

/*
 * The session of a request, by its receiver index, and in which slot it is.
 * ERR_PTR. Under RCU.
 */
static struct laya_session *
laya_netlink_session(struct laya_peer *peer, struct genl_info *info,
		     enum laya_session_slot *slot)
{
	struct nlattr *attr = info->attrs[LAYA_A_SESSION_RX_INDEX];
	struct laya_session *session;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(peer->slots); i++) {
		session = rcu_dereference(peer->slots[i]);
		if (session && session->rx_index == nla_get_u32(attr)) {
			*slot = i + LAYA_SESSION_SLOT_CURRENT;
			return session;
		}
	}
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "The peer has no session with this receiver index");
	return ERR_PTR(-ENOENT);
}

static int laya_netlink_session_required(struct genl_info *info)
{
	return laya_netlink_require(info, LAYA_A_SESSION_CIPHER, "cipher") ?:
	       laya_netlink_require(info, LAYA_A_SESSION_RX_INDEX, "rx-index") ?:
	       laya_netlink_require(info, LAYA_A_SESSION_TX_INDEX, "tx-index") ?:
	       laya_netlink_require(info, LAYA_A_SESSION_RX_KEY, "rx-key") ?:
	       laya_netlink_require(info, LAYA_A_SESSION_TX_KEY, "tx-key");
}

int laya_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct laya_device *laya;
	struct laya_peer *peer;
	int err;

	err = laya_netlink_session_required(info);
	if (err)
		goto out_wipe;
	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya)) {
		err = PTR_ERR(laya);
		goto out_wipe;
	}
	peer = laya_netlink_peer(laya, info, LAYA_A_SESSION_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	err = laya_session_create(peer, nla_get_u32(attrs[LAYA_A_SESSION_CIPHER]),
				  nla_get_u32(attrs[LAYA_A_SESSION_RX_INDEX]),
				  nla_get_u32(attrs[LAYA_A_SESSION_TX_INDEX]),
				  nla_data(attrs[LAYA_A_SESSION_RX_KEY]),
				  nla_data(attrs[LAYA_A_SESSION_TX_KEY]),
				  nla_get_flag(attrs[LAYA_A_SESSION_INITIATOR]),
				  nla_get_flag(attrs[LAYA_A_SESSION_CONFIRMED]),
				  info->extack);
	if (err && info->extack && !info->extack->bad_attr)
		NL_SET_BAD_ATTR(info->extack, attrs[LAYA_A_SESSION_RX_INDEX]);
out:
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
out_wipe:
	/* The message is freed as it is: no keys are left in it */
	if (attrs[LAYA_A_SESSION_RX_KEY])
		memzero_explicit(nla_data(attrs[LAYA_A_SESSION_RX_KEY]),
				 LAYA_KEY_SIZE);
	if (attrs[LAYA_A_SESSION_TX_KEY])
		memzero_explicit(nla_data(attrs[LAYA_A_SESSION_TX_KEY]),
				 LAYA_KEY_SIZE);
	return err;
}

int laya_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	enum laya_session_slot slot;
	struct laya_session *session;
	struct laya_device *laya;
	struct laya_peer *peer;
	int err;

	err = laya_netlink_require(info, LAYA_A_SESSION_RX_INDEX, "rx-index") ?:
	      laya_netlink_require(info, LAYA_A_SESSION_CONFIRMED, "confirmed");
	if (err)
		return err;
	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_SESSION_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	rcu_read_lock();
	session = laya_netlink_session(peer, info, &slot);
	if (IS_ERR(session))
		err = PTR_ERR(session);
	else
		laya_session_confirm(session);
	rcu_read_unlock();
out:
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	enum laya_session_slot slot;
	struct laya_session *session;
	struct laya_device *laya;
	struct laya_peer *peer;
	int err = 0;

	laya = laya_netlink_begin(info, LAYA_NETLINK_CHANGE);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_SESSION_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	if (!info->attrs[LAYA_A_SESSION_RX_INDEX]) {
		laya_session_remove_all(peer);
		goto out;
	}
	rcu_read_lock();
	session = laya_netlink_session(peer, info, &slot);
	if (IS_ERR(session))
		err = PTR_ERR(session);
	else
		laya_session_remove(session);
	rcu_read_unlock();
out:
	laya_netlink_end(laya, LAYA_NETLINK_CHANGE);
	return err;
}

int laya_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	enum laya_session_slot slot;
	struct laya_session *session;
	struct laya_device *laya;
	struct laya_peer *peer;
	struct sk_buff *reply;
	void *header;
	int err;

	err = laya_netlink_require(info, LAYA_A_SESSION_RX_INDEX, "rx-index");
	if (err)
		return err;
	laya = laya_netlink_begin(info, LAYA_NETLINK_READ);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	peer = laya_netlink_peer(laya, info, LAYA_A_SESSION_PUBLIC_KEY);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		goto out;
	}
	reply = laya_netlink_reply_new(info, LAYA_CMD_SESSION_GET, &header);
	if (IS_ERR(reply)) {
		err = PTR_ERR(reply);
		goto out;
	}
	rcu_read_lock();
	session = laya_netlink_session(peer, info, &slot);
	err = PTR_ERR_OR_ZERO(session);
	if (!err)
		err = laya_netlink_put_session(reply, session, slot);
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

static int laya_netlink_dump_sessions(struct sk_buff *skb,
				      struct netlink_callback *cb,
				      struct laya_peer *peer, unsigned int *item)
{
	struct laya_session *session;
	void *header;

	for (; *item < ARRAY_SIZE(peer->slots); (*item)++) {
		session = rcu_dereference(peer->slots[*item]);
		if (!session)
			continue;
		header = laya_netlink_dump_put(skb, cb, LAYA_CMD_SESSION_GET);
		if (!header)
			return -EMSGSIZE;
		if (laya_netlink_put_session(skb, session,
					     *item + LAYA_SESSION_SLOT_CURRENT)) {
			genlmsg_cancel(skb, header);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, header);
	}
	return 0;
}

int laya_nl_session_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return laya_netlink_dump_peers(skb, cb, LAYA_A_SESSION_PUBLIC_KEY,
				       laya_netlink_dump_sessions);
}

/* Events */

/**
 * laya_netlink_peer_wanted - tell that there is traffic for a peer and no session
 * @peer: The peer.
 */
void laya_netlink_peer_wanted(struct laya_peer *peer)
{
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	skb = laya_netlink_event_new(peer->device, LAYA_CMD_PEER_WANTED, &header);
	if (!skb)
		goto out;
	if (laya_netlink_put_peer_key(skb, peer))
		nlmsg_free(skb);
	else
		laya_netlink_event_send(peer->device, skb, header);
out:
	rcu_read_unlock();
}

/**
 * laya_netlink_session_aging - tell that a session wants to be replaced, or is gone
 * @session: The session.
 * @reason: enum laya_session_aging_reason.
 */
void laya_netlink_session_aging(struct laya_session *session, u32 reason)
{
	struct laya_device *laya = session->peer->device;
	struct sk_buff *skb;
	void *header;

	rcu_read_lock();
	skb = laya_netlink_event_new(laya, LAYA_CMD_SESSION_AGING, &header);
	if (!skb)
		goto out;
	if (laya_netlink_put_peer_key(skb, session->peer) ||
	    nla_put_u32(skb, LAYA_A_SESSION_RX_INDEX, session->rx_index) ||
	    nla_put_u32(skb, LAYA_A_SESSION_REASON, reason) ||
	    (session->initiator && nla_put_flag(skb, LAYA_A_SESSION_INITIATOR)))
		nlmsg_free(skb);
	else
		laya_netlink_event_send(laya, skb, header);
out:
	rcu_read_unlock();
}
