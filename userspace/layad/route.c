// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "log.h"
#include "orchid.h"
#include "route.h"

#define ORCHID_PREFIX		28
/* Worse than any that somebody would set, better than that of "no route" */
#define UNREACHABLE_METRIC	4278198272u

static int add_address(struct nl_sock *sock, uint32_t ifindex,
		       const struct in6_addr *orchid)
{
	const struct ifaddrmsg info = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = ORCHID_PREFIX,
		.ifa_index = ifindex,
		.ifa_scope = RT_SCOPE_UNIVERSE,
	};
	struct nl_msg *msg;

	msg = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	if (!msg)
		return -NLE_NOMEM;
	/* An address that is made of a key needs no search for duplicates. */
	if (nlmsg_append(msg, (void *)&info, sizeof(info), NLMSG_ALIGNTO) ||
	    nla_put(msg, IFA_LOCAL, sizeof(*orchid), orchid) ||
	    nla_put(msg, IFA_ADDRESS, sizeof(*orchid), orchid) ||
	    nla_put_u32(msg, IFA_FLAGS, IFA_F_NODAD)) {
		nlmsg_free(msg);
		return -NLE_NOMEM;
	}
	return nl_send_sync(sock, msg);
}

static int add_unreachable(struct nl_sock *sock)
{
	static const struct in6_addr prefix = {
		.s6_addr = { 0x20, 0x01, 0x00, 0x20 },
	};
	const struct rtmsg info = {
		.rtm_family = AF_INET6,
		.rtm_dst_len = ORCHID_PREFIX,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNREACHABLE,
	};
	struct nl_msg *msg;
	int ret;

	msg = nlmsg_alloc_simple(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	if (!msg)
		return -NLE_NOMEM;
	if (nlmsg_append(msg, (void *)&info, sizeof(info), NLMSG_ALIGNTO) ||
	    nla_put(msg, RTA_DST, sizeof(prefix), &prefix) ||
	    nla_put_u32(msg, RTA_PRIORITY, UNREACHABLE_METRIC)) {
		nlmsg_free(msg);
		return -NLE_NOMEM;
	}
	ret = nl_send_sync(sock, msg);
	return ret == -NLE_EXIST ? 0 : ret;
}

/**
 * route_ensure() - see that the device has its address, and ORCHIDs their way
 * @node: ours, with a device that is up
 *
 * Return: 0, or a negative errno, which was logged.
 */
int route_ensure(struct node *node)
{
	struct in6_addr orchid;
	struct nl_sock *sock;
	int ret;

	ret = laya_orchid_from_key(&orchid, node->self.public_key);
	if (ret)
		return ret;
	sock = nl_socket_alloc();
	if (!sock)
		return -ENOMEM;
	ret = nl_connect(sock, NETLINK_ROUTE);
	if (!ret)
		ret = add_unreachable(sock);
	if (ret < 0)
		laya_error("cannot set the route 'unreachable 2001:20::/28': %s",
			   nl_geterror(ret));
	else
		ret = add_address(sock, node->ifindex, &orchid);
	if (ret < 0)
		laya_error("%s: cannot set its address: %s",
			   node->config.device, nl_geterror(ret));
	nl_socket_free(sock);
	return ret < 0 ? -EIO : 0;
}
