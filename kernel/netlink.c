// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: what the requests on devices, peers, sessions, paths, carriers and
 * labels have in common, the device's own, and events.
 *
 * One socket may claim a device: it is its owner, is sent its events, and it alone
 * may change the device from then on, until it is closed.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "carrier.h"
#include "device.h"
#include "forward.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "path.h"
#include "peer.h"
#include "untrack.h"

static const struct genl_multicast_group laya_netlink_groups[] = {
	/* Who talks to whom is not for everyone's eyes */
	[LAYA_NLGRP_MONITOR] = {
		.name	= LAYA_MCGRP_MONITOR,
		.flags	= GENL_MCAST_CAP_NET_ADMIN,
	},
};

struct genl_family laya_netlink_family __ro_after_init = {
	.name		= LAYA_FAMILY_NAME,
	.version	= LAYA_FAMILY_VERSION,
	.maxattr	= LAYA_A_PATH_MAX,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= laya_nl_ops,
	.n_ops		= ARRAY_SIZE(laya_nl_ops),
	.resv_start_op	= LAYA_CMD_MAX + 1,
	.mcgrps		= laya_netlink_groups,
	.n_mcgrps	= ARRAY_SIZE(laya_netlink_groups),
};

/* Finding what a request is about */

static struct laya_device *laya_netlink_find(struct net *net,
					     const struct nlattr *ifindex,
					     const struct nlattr *ifname,
					     struct netlink_ext_ack *extack)
{
	struct laya_device *laya = NULL;

	if (ifindex && nla_get_u32(ifindex))
		laya = laya_device_lookup_hold(net, nla_get_u32(ifindex), NULL);
	else if (ifname)
		laya = laya_device_lookup_hold(net, 0, nla_data(ifname));
	if (laya)
		return laya;
	if (!ifindex && !ifname) {
		NL_SET_ERR_MSG(extack, "Attribute ifindex is missing");
		return ERR_PTR(-EINVAL);
	}
	NL_SET_ERR_MSG_ATTR(extack, ifindex ?: ifname, "No such Laya device");
	return ERR_PTR(-ENODEV);
}

static bool laya_netlink_is_owner(struct laya_device *laya, struct net *net,
				  u32 portid)
{
	return READ_ONCE(laya->owner_portid) == portid &&
	       READ_ONCE(laya->owner_net) == net;
}

static int laya_netlink_lock(struct laya_device *laya, struct net *net,
			     u32 portid, enum laya_netlink_intent intent,
			     struct netlink_ext_ack *extack)
{
	if (intent == LAYA_NETLINK_CHANGE_RTNL)
		rtnl_lock();
	mutex_lock(&laya->lock);
	if (laya->dead) {
		NL_SET_ERR_MSG(extack, "The device is being deleted");
		return -ENODEV;
	}
	if (intent != LAYA_NETLINK_READ && READ_ONCE(laya->owner_portid) &&
	    !laya_netlink_is_owner(laya, net, portid)) {
		NL_SET_ERR_MSG(extack,
			       "The device has an owner, who alone may change it");
		return -EPERM;
	}
	return 0;
}

static void laya_netlink_unlock(struct laya_device *laya,
				enum laya_netlink_intent intent)
{
	mutex_unlock(&laya->lock);
	if (intent == LAYA_NETLINK_CHANGE_RTNL)
		rtnl_unlock();
	dev_put(laya->dev);
}

static struct laya_device *laya_netlink_enter(struct genl_info *info,
					      const struct nlattr *ifname,
					      enum laya_netlink_intent intent)
{
	struct laya_device *laya;
	int err;

	laya = laya_netlink_find(genl_info_net(info),
				 info->attrs[LAYA_NETLINK_IFINDEX], ifname,
				 info->extack);
	if (IS_ERR(laya))
		return laya;
	err = laya_netlink_lock(laya, genl_info_net(info), info->snd_portid,
				intent, info->extack);
	if (err) {
		laya_netlink_unlock(laya, intent);
		return ERR_PTR(err);
	}
	return laya;
}

/**
 * laya_netlink_begin - find and lock the device of a request
 * @info: The request.
 * @intent: What is going to be done.
 *
 * Return: The device, with a reference and its lock held (and rtnl, as @intent
 * says), or ERR_PTR with nothing held.
 */
struct laya_device *laya_netlink_begin(struct genl_info *info,
				       enum laya_netlink_intent intent)
{
	return laya_netlink_enter(info, NULL, intent);
}

/**
 * laya_netlink_end - undo laya_netlink_begin()
 * @laya: The device.
 * @intent: The same as there.
 */
void laya_netlink_end(struct laya_device *laya, enum laya_netlink_intent intent)
{
	laya_netlink_unlock(laya, intent);
}

/**
 * laya_netlink_begin_dump - find and lock the device of a dump
 * @cb: The dump.
 *
 * Return: The device, held and locked, or ERR_PTR with nothing held.
 */
struct laya_device *laya_netlink_begin_dump(struct netlink_callback *cb)
{
	struct nlattr **attrs = laya_compat_dump_attrs(cb);
	struct net *net = sock_net(cb->skb->sk);
	struct laya_device *laya;
	int err;

	laya = laya_netlink_find(net, attrs[LAYA_NETLINK_IFINDEX], NULL,
				 cb->extack);
	if (IS_ERR(laya))
		return laya;
	err = laya_netlink_lock(laya, net, 0, LAYA_NETLINK_READ, cb->extack);
	if (err) {
		laya_netlink_unlock(laya, LAYA_NETLINK_READ);
		return ERR_PTR(err);
	}
	cb->seq = laya->seq;
	return laya;
}

/**
 * laya_netlink_end_dump - undo laya_netlink_begin_dump()
 * @laya: The device.
 */
void laya_netlink_end_dump(struct laya_device *laya)
{
	laya_netlink_unlock(laya, LAYA_NETLINK_READ);
}

/**
 * laya_netlink_peer - the peer of a request
 * @laya: Its device, locked.
 * @info: The request.
 * @attr: Number of the attribute with the public key.
 *
 * Return: The peer, valid while the device is locked; ERR_PTR.
 */
struct laya_peer *laya_netlink_peer(struct laya_device *laya,
				    struct genl_info *info, int attr)
{
	struct laya_peer *peer;
	int err;

	err = laya_netlink_require(info, attr, "public-key");
	if (err)
		return ERR_PTR(err);
	/* Nobody removes it while the device is locked, RCU or not */
	rcu_read_lock();
	peer = laya_peer_lookup_key(laya, nla_data(info->attrs[attr]));
	rcu_read_unlock();
	if (!peer) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "The device has no peer with this key");
		return ERR_PTR(-ENOENT);
	}
	return peer;
}

/* Messages */

/**
 * laya_netlink_ms_since - how long ago something was
 * @stamp: jiffies; 0 is never.
 *
 * Return: Milliseconds.
 */
u64 laya_netlink_ms_since(unsigned long stamp)
{
	return jiffies_to_msecs(jiffies - stamp);
}

/**
 * laya_netlink_reply_new - begin a reply
 * @info: The request.
 * @cmd: The command of the reply.
 * @header: Set; for genlmsg_end().
 *
 * Return: The message, or ERR_PTR(-ENOMEM).
 */
struct sk_buff *laya_netlink_reply_new(struct genl_info *info, u8 cmd,
				       void **header)
{
	struct sk_buff *skb;

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!skb)
		return ERR_PTR(-ENOMEM);
	*header = genlmsg_put_reply(skb, info, &laya_netlink_family, 0, cmd);
	if (!*header) {
		nlmsg_free(skb);
		return ERR_PTR(-ENOMEM);
	}
	return skb;
}

/**
 * laya_netlink_dump_put - begin a message of a dump
 * @skb: The dump's buffer.
 * @cb: The dump.
 * @cmd: The command.
 *
 * Return: For genlmsg_end() or genlmsg_cancel(); NULL when there is no room.
 */
void *laya_netlink_dump_put(struct sk_buff *skb, struct netlink_callback *cb,
			    u8 cmd)
{
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			     &laya_netlink_family, NLM_F_MULTI, cmd);
	if (header)
		genl_dump_check_consistent(cb, header);
	return header;
}

/**
 * laya_netlink_dump_peers - dump something of each peer
 * @skb: The dump's buffer.
 * @cb: The dump; struct laya_netlink_cursor is in its context.
 * @attr: Number of the attribute that may name one peer.
 * @fn: Dumps what one peer has.
 *
 * Return: Bytes in @skb, or a negative errno.
 */
int laya_netlink_dump_peers(struct sk_buff *skb, struct netlink_callback *cb,
			    int attr, laya_netlink_peer_fn fn)
{
	struct laya_netlink_cursor *cursor = (void *)cb->ctx;
	struct nlattr **attrs = laya_compat_dump_attrs(cb);
	struct rhashtable_iter iter;
	struct laya_device *laya;
	struct laya_peer *peer;
	unsigned int n = 0;
	int err = 0;

	BUILD_BUG_ON(sizeof(*cursor) > sizeof(cb->ctx));
	laya = laya_netlink_begin_dump(cb);
	if (IS_ERR(laya))
		return PTR_ERR(laya);

	rhashtable_walk_enter(&laya->peers_by_key, &iter);
	rhashtable_walk_start(&iter);
	while ((peer = rhashtable_walk_next(&iter))) {
		if (IS_ERR(peer)) {
			/* Resized below us: what was told may not be all */
			if (n || cursor->peer)
				cb->seq = 0;
			n = 0;
			continue;
		}
		if (n++ < cursor->peer)
			continue;
		if (attrs[attr] &&
		    memcmp(peer->key, nla_data(attrs[attr]), LAYA_KEY_SIZE)) {
			cursor->peer = n;
			continue;
		}
		err = fn(skb, cb, peer, &cursor->item);
		if (err)
			break;
		cursor->peer = n;
		cursor->item = 0;
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	laya_netlink_end_dump(laya);
	/* Full: what is there goes out, and the rest comes next time */
	if (err && (err != -EMSGSIZE || !skb->len))
		return err;
	return skb->len;
}

/* Events */

/**
 * laya_netlink_event_new - begin an event
 * @laya: The device.
 * @cmd: The command.
 * @header: Set; for laya_netlink_event_send().
 *
 * Under rcu_read_lock.
 *
 * Return: The message; NULL when nobody listens or there is no memory.
 */
struct sk_buff *laya_netlink_event_new(struct laya_device *laya, u8 cmd,
				       void **header)
{
	struct net *net = READ_ONCE(laya->creating_net);
	struct sk_buff *skb;

	if (!READ_ONCE(laya->owner_portid) &&
	    (!net || !genl_has_listeners(&laya_netlink_family, net,
					 LAYA_NLGRP_MONITOR)))
		return NULL;
	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	if (!skb)
		return NULL;
	*header = genlmsg_put(skb, 0, 0, &laya_netlink_family, 0, cmd);
	if (!*header) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

/**
 * laya_netlink_event_send - send an event
 * @laya: The device.
 * @skb: From laya_netlink_event_new(), filled; consumed.
 * @header: From there.
 *
 * To the owner and to the monitor group of the namespace where the device was
 * created; the owner, if it is in the group too, hears it once.
 */
void laya_netlink_event_send(struct laya_device *laya, struct sk_buff *skb,
			     void *header)
{
	struct net *net = READ_ONCE(laya->creating_net);
	u32 portid = READ_ONCE(laya->owner_portid);
	struct net *owner_net;
	struct sk_buff *copy;

	genlmsg_end(skb, header);
	/* Pairs with the claim, which sets the namespace first */
	smp_rmb();
	owner_net = READ_ONCE(laya->owner_net);
	if (portid && owner_net) {
		copy = skb_clone(skb, GFP_ATOMIC);
		if (copy)
			genlmsg_unicast(owner_net, copy, portid);
	}
	if (net && genl_has_listeners(&laya_netlink_family, net,
				      LAYA_NLGRP_MONITOR))
		genlmsg_multicast_netns(&laya_netlink_family, net, skb,
					owner_net == net ? portid : 0,
					LAYA_NLGRP_MONITOR, GFP_ATOMIC);
	else
		consume_skb(skb);
}

/* The device's own requests */

static int laya_netlink_put_drops(struct sk_buff *skb, struct laya_device *laya)
{
	static const char * const words[LAYA_DROP_COUNT] = {
#define LAYA_NETLINK_WORDS(name, words)	\
		[LAYA_DROP_##name] = words,
		LAYA_DROP_REASONS(LAYA_NETLINK_WORDS)
#undef LAYA_NETLINK_WORDS
	};
	unsigned int reason;
	struct nlattr *nest;
	u64 packets;
	int cpu;

	for (reason = 0; reason < LAYA_DROP_COUNT; reason++) {
		packets = 0;
		for_each_possible_cpu(cpu)
			packets += READ_ONCE(per_cpu_ptr(laya->drops, cpu)->packets[reason]);
		if (!packets)
			continue;
		nest = nla_nest_start(skb, LAYA_A_DEVICE_DROPS);
		if (!nest ||
		    nla_put_string(skb, LAYA_A_DROP_REASON, words[reason]) ||
		    nla_put_u64_64bit(skb, LAYA_A_DROP_PACKETS, packets, 0))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

static int laya_netlink_put_device(struct sk_buff *skb, struct laya_device *laya)
{
	static const u8 no_key[LAYA_KEY_SIZE];

	if (nla_put_u32(skb, LAYA_A_DEVICE_IFINDEX, laya->dev->ifindex) ||
	    nla_put_string(skb, LAYA_A_DEVICE_IFNAME, laya->dev->name) ||
	    nla_put_u32(skb, LAYA_A_DEVICE_FLAGS, laya->flags) ||
	    nla_put_u32(skb, LAYA_A_DEVICE_FWMARK, laya->fwmark) ||
	    nla_put_u32(skb, LAYA_A_DEVICE_OWNER,
			READ_ONCE(laya->owner_portid)) ||
	    nla_put_u32(skb, LAYA_A_DEVICE_PEERS, laya->n_peers) ||
	    nla_put_u32(skb, LAYA_A_DEVICE_LABELS,
			laya_forward_label_count(laya->forward)) ||
	    nla_put_u32(skb, LAYA_A_DEVICE_USER_TIMEOUT, laya->user_timeout_ms))
		return -EMSGSIZE;
	if (memcmp(laya->public_key, no_key, LAYA_KEY_SIZE) &&
	    (nla_put(skb, LAYA_A_DEVICE_PUBLIC_KEY, LAYA_KEY_SIZE,
		     laya->public_key) ||
	     nla_put_in6_addr(skb, LAYA_A_DEVICE_ORCHID, &laya->orchid)))
		return -EMSGSIZE;
	return laya_netlink_put_drops(skb, laya);
}

int laya_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	struct sk_buff *reply;
	void *header;
	int err;

	laya = laya_netlink_enter(info, info->attrs[LAYA_A_DEVICE_IFNAME],
				  LAYA_NETLINK_READ);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	reply = laya_netlink_reply_new(info, LAYA_CMD_DEVICE_GET, &header);
	if (IS_ERR(reply)) {
		err = PTR_ERR(reply);
		goto out;
	}
	err = laya_netlink_put_device(reply, laya);
	if (err) {
		nlmsg_free(reply);
		goto out;
	}
	genlmsg_end(reply, header);
	err = genlmsg_reply(reply, info);
out:
	laya_netlink_unlock(laya, LAYA_NETLINK_READ);
	return err;
}

int laya_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct laya_netlink_cursor *cursor = (void *)cb->ctx;
	struct net *net = sock_net(cb->skb->sk);
	struct laya_device *laya = NULL;
	unsigned int n = 0;
	void *header;
	int err = 0;

	/* The list changes under rtnl, what is told of a device under its lock */
	rtnl_lock();
	cb->seq = net->dev_base_seq ?: 1;
	rcu_read_lock();
	while ((laya = laya_device_next(net, laya))) {
		if (n++ < cursor->item)
			continue;
		/* Nobody takes it off the list while we have rtnl */
		rcu_read_unlock();
		mutex_lock(&laya->lock);
		header = laya_netlink_dump_put(skb, cb, LAYA_CMD_DEVICE_GET);
		err = header ? laya_netlink_put_device(skb, laya) : -EMSGSIZE;
		mutex_unlock(&laya->lock);
		rcu_read_lock();
		if (err) {
			if (header)
				genlmsg_cancel(skb, header);
			break;
		}
		genlmsg_end(skb, header);
		cursor->item = n;
	}
	rcu_read_unlock();
	rtnl_unlock();
	return err && !skb->len ? err : skb->len;
}

int laya_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct laya_device *laya;
	int err = 0;

	laya = laya_netlink_enter(info, attrs[LAYA_A_DEVICE_IFNAME],
				  LAYA_NETLINK_CHANGE_RTNL);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	if (attrs[LAYA_A_DEVICE_PUBLIC_KEY]) {
		err = laya_device_set_key(laya,
					  nla_data(attrs[LAYA_A_DEVICE_PUBLIC_KEY]),
					  info->extack);
		if (err) {
			NL_SET_BAD_ATTR(info->extack,
					attrs[LAYA_A_DEVICE_PUBLIC_KEY]);
			goto out;
		}
	}
	if (attrs[LAYA_A_DEVICE_FLAGS]) {
		u32 before = laya->flags;

		WRITE_ONCE(laya->flags, nla_get_u32(attrs[LAYA_A_DEVICE_FLAGS]));
		err = laya_untrack_update(laya, info->extack);
		if (err) {
			WRITE_ONCE(laya->flags, before);
			NL_SET_BAD_ATTR(info->extack, attrs[LAYA_A_DEVICE_FLAGS]);
			goto out;
		}
	}
	if (attrs[LAYA_A_DEVICE_FWMARK]) {
		u32 fwmark = nla_get_u32(attrs[LAYA_A_DEVICE_FWMARK]);

		if (fwmark != laya->fwmark) {
			WRITE_ONCE(laya->fwmark, fwmark);
			laya_carrier_reroute(laya);
		}
	}
	if (attrs[LAYA_A_DEVICE_USER_TIMEOUT])
		WRITE_ONCE(laya->user_timeout_ms,
			   nla_get_u32(attrs[LAYA_A_DEVICE_USER_TIMEOUT]));
out:
	laya_netlink_unlock(laya, LAYA_NETLINK_CHANGE_RTNL);
	return err;
}

int laya_nl_device_claim_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct laya_device *laya;
	int err = 0;

	laya = laya_netlink_enter(info, info->attrs[LAYA_A_DEVICE_IFNAME],
				  LAYA_NETLINK_READ);
	if (IS_ERR(laya))
		return PTR_ERR(laya);
	/* Another may only give it up meanwhile: claims hold the lock */
	if (!READ_ONCE(laya->owner_portid)) {
		WRITE_ONCE(laya->owner_net, genl_info_net(info));
		/* Pairs with laya_netlink_event_send() */
		smp_wmb();
		WRITE_ONCE(laya->owner_portid, info->snd_portid);
	} else if (!laya_netlink_is_owner(laya, genl_info_net(info),
					  info->snd_portid)) {
		NL_SET_ERR_MSG(info->extack,
			       "The device has an owner: is another layad running?");
		err = -EBUSY;
	}
	laya_netlink_unlock(laya, LAYA_NETLINK_READ);
	return err;
}

/* A socket was closed: what it owned, it owns no more */
static int laya_netlink_notify(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	struct netlink_notify *notify = data;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		laya_device_release_owner(notify->net, notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block laya_netlink_notifier = {
	.notifier_call = laya_netlink_notify,
};

/**
 * laya_netlink_init - register the family
 *
 * Return: 0 or a negative errno.
 */
int laya_netlink_init(void)
{
	int err;

	err = netlink_register_notifier(&laya_netlink_notifier);
	if (err)
		return err;
	err = genl_register_family(&laya_netlink_family);
	if (err)
		goto err_notifier;
	return 0;

err_notifier:
	netlink_unregister_notifier(&laya_netlink_notifier);
	return err;
}

/**
 * laya_netlink_exit - forget the family
 */
void laya_netlink_exit(void)
{
	genl_unregister_family(&laya_netlink_family);
	netlink_unregister_notifier(&laya_netlink_notifier);
}
