/* SPDX-License-Identifier: GPL-2.0 */
/* Generic netlink: requests in, events out. */
#ifndef _LAYA_NETLINK_H
#define _LAYA_NETLINK_H

#include <net/genetlink.h>

#include "laya.h"

int laya_netlink_init(void);
void laya_netlink_exit(void);
/*
 * Events, from any context; to the owner of the device (in the namespace where
 * it was created) and to the monitor group there.
 */
void laya_netlink_peer_wanted(struct laya_peer *peer);
void laya_netlink_session_aging(struct laya_session *session, u32 reason);
void laya_netlink_path_changed(struct laya_path *path);
void laya_netlink_carrier_lost(const struct laya_carrier_stream *stream);

/*
 * Shared by netlink.c and netlink_*.c. Each request on something
 * of a device finds the device by its first attribute, whose number is the same in
 * all attribute sets.
 */
#define LAYA_NETLINK_IFINDEX	1

enum laya_netlink_intent {
	LAYA_NETLINK_READ,
	LAYA_NETLINK_CHANGE,		/* the owner's alone, while there is one */
	LAYA_NETLINK_CHANGE_RTNL,	/* the same, under rtnl too */
};

extern struct genl_family laya_netlink_family;

/* The device of a request, held and locked; ERR_PTR, with words and attribute. */
struct laya_device *laya_netlink_begin(struct genl_info *info,
				       enum laya_netlink_intent intent);
void laya_netlink_end(struct laya_device *laya,
		      enum laya_netlink_intent intent);
/* The same for a dump. */
struct laya_device *laya_netlink_begin_dump(struct netlink_callback *cb);
void laya_netlink_end_dump(struct laya_device *laya);
/* 0, or -EINVAL with words when attribute @attr is not there. @name: a literal. */
#define laya_netlink_require(info, attr, name)				\
({									\
	struct genl_info *__request = (info);				\
	bool __missing = GENL_REQ_ATTR_CHECK(__request, (attr));	\
									\
	if (__missing)							\
		NL_SET_ERR_MSG(__request->extack,			\
			       "Attribute " name " is missing");	\
	__missing ? -EINVAL : 0;					\
})
/* The peer of a request, by its public key in @attr. ERR_PTR. */
struct laya_peer *laya_netlink_peer(struct laya_device *laya,
				    struct genl_info *info, int attr);

/* Where a dump goes on. */
struct laya_netlink_cursor {
	unsigned int	peer;	/* number of the peer in the walk */
	unsigned int	item;	/* number of what is dumped, within the peer */
};

typedef int (*laya_netlink_peer_fn)(struct sk_buff *skb,
				    struct netlink_callback *cb,
				    struct laya_peer *peer,
				    unsigned int *item);

/*
 * Dump something of each peer of @cb's device, or of the one peer whose key is in
 * attribute @attr. @fn goes on from *@item, and leaves there where it stopped when it
 * returns -EMSGSIZE; it is called under RCU.
 */
int laya_netlink_dump_peers(struct sk_buff *skb, struct netlink_callback *cb,
			    int attr, laya_netlink_peer_fn fn);
/* Begin a message of a dump. NULL when there is no room. */
void *laya_netlink_dump_put(struct sk_buff *skb, struct netlink_callback *cb,
			    u8 cmd);
/* Begin a reply. ERR_PTR(-ENOMEM). *@header is for genlmsg_end(). */
struct sk_buff *laya_netlink_reply_new(struct genl_info *info, u8 cmd,
				       void **header);
/* Far ends, as struct sockaddr_in or sockaddr_in6. */
int laya_netlink_get_remote(struct laya_endpoint *endpoint,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack);
int laya_netlink_put_remote(struct sk_buff *skb, int attr,
			    const struct laya_endpoint *endpoint);
/* Begin an event, NULL when nobody listens or there is no memory. Under RCU. */
struct sk_buff *laya_netlink_event_new(struct laya_device *laya, u8 cmd,
				       void **header);
void laya_netlink_event_send(struct laya_device *laya, struct sk_buff *skb,
			     void *header);
/* jiffies stamp (0 is never) as milliseconds ago. */
u64 laya_netlink_ms_since(unsigned long stamp);

#endif /* _LAYA_NETLINK_H */
