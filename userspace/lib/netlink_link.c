// SPDX-License-Identifier: GPL-2.0
/* Network interfaces: the part of ip-link(8) that a daemon needs. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netlink_socket.h"

/* 2001:20::/28, all ORCHIDs (RFC 7343) */
#define ORCHID_PREFIX_LEN	28

static const uint8_t orchid_prefix[16] = { 0x20, 0x01, 0x00, 0x20 };

/* Behind the prefix of a device (256) and before nothing */
#define UNREACHABLE_METRIC	0xfffffff0u

static struct nl_msg *link_message(int type, int flags, unsigned int up,
				   const char *name)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC,
		.ifi_flags = up,
		.ifi_change = up,
	};
	struct nl_msg *msg;

	msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);
	if (!msg)
		return NULL;
	if (nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) ||
	    nla_put_string(msg, IFLA_IFNAME, name)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int link_send(struct laya_nl *nl, struct nl_msg *msg, const char *what)
{
	int err;

	if (!msg)
		return laya_nl_fail(nl, -ENOMEM, "%s: out of memory", what);
	if (!nl->route)
		nl->route = laya_nl_socket(NETLINK_ROUTE, &err);
	if (!nl->route) {
		nlmsg_free(msg);
		return laya_nl_fail(nl, err, "rtnetlink: %s", strerror(-err));
	}
	return laya_nl_transact(nl, nl->route, msg, what, -1, NULL);
}

static int name_check(struct laya_nl *nl, const char *name)
{
	size_t len = strlen(name);

	if (len && len < IFNAMSIZ)
		return 0;
	return laya_nl_fail(nl, -EINVAL,
			    "\"%s\" cannot be an interface: 1 to %d characters",
			    name, IFNAMSIZ - 1);
}

/**
 * laya_nl_link_add() - add a Laya device
 * @nl: the connection
 * @name: what to call it
 *
 * Return: 0, -EEXIST, or another negative errno.
 */
int laya_nl_link_add(struct laya_nl *nl, const char *name)
{
	struct nlattr *info;
	struct nl_msg *msg;
	int err;

	err = name_check(nl, name);
	if (err)
		return err;
	msg = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, name);
	if (msg) {
		info = nla_nest_start(msg, IFLA_LINKINFO);
		if (!info || nla_put_string(msg, IFLA_INFO_KIND, "laya")) {
			nlmsg_free(msg);
			msg = NULL;
		} else {
			nla_nest_end(msg, info);
		}
	}
	err = link_send(nl, msg, "link-add");
	if (err == -EOPNOTSUPP)
		laya_nl_fail(nl, err, LAYA_NL_NOT_LOADED);
	else if (err == -EEXIST)
		laya_nl_fail(nl, err, "link-add: there is an interface %s",
			     name);
	return err;
}

/**
 * laya_nl_link_del() - delete a device
 * @nl: the connection
 * @name: which
 *
 * Return: 0, -ENODEV, or another negative errno.
 */
int laya_nl_link_del(struct laya_nl *nl, const char *name)
{
	int err = name_check(nl, name);

	if (err)
		return err;
	return link_send(nl, link_message(RTM_DELLINK, 0, 0, name),
			 "link-del");
}

/**
 * laya_nl_link_up() - set a device up
 * @nl: the connection
 * @name: which
 *
 * Return: 0, -ENODEV, or another negative errno.
 */
int laya_nl_link_up(struct laya_nl *nl, const char *name)
{
	int err = name_check(nl, name);

	if (err)
		return err;
	return link_send(nl, link_message(RTM_SETLINK, 0, IFF_UP, name),
			 "link-up");
}

static struct nl_msg *address_message(const struct ifaddrmsg *info,
				      const void *address, size_t size)
{
	struct nl_msg *msg;

	msg = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK |
				 NLM_F_CREATE | NLM_F_REPLACE);
	if (msg && (nlmsg_append(msg, (void *)info, sizeof(*info),
				 NLMSG_ALIGNTO) ||
		    nla_put(msg, IFA_LOCAL, size, address) ||
		    nla_put(msg, IFA_ADDRESS, size, address))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/**
 * laya_nl_link_address() - give a device its ORCHID, and all others' the route
 * @nl: the connection
 * @ifindex: the device
 * @orchid: the address of its key
 *
 * The prefix is that of all ORCHIDs, so that they are routed to the device.
 *
 * Return: 0, also when it is there already; -EACCES or -EOPNOTSUPP when IPv6 is
 * disabled; or another negative errno.
 */
int laya_nl_link_address(struct laya_nl *nl, uint32_t ifindex,
			 const struct in6_addr *orchid)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = ORCHID_PREFIX_LEN,
		/* Nobody else can have it: it is the hash of our key. */
		.ifa_flags = IFA_F_NODAD,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = ifindex,
	};
	int err;

	err = link_send(nl, address_message(&info, orchid, sizeof(*orchid)),
			"link-address");
	if (err == -EACCES || err == -EOPNOTSUPP)
		laya_nl_fail(nl, err,
			     "IPv6 is disabled on the Laya device, whose address is IPv6; see sysctl net.ipv6.conf.*.disable_ipv6");
	return err;
}

/**
 * laya_nl_link_anycast() - give a device an address that many have
 * @nl: the connection
 * @ifindex: the device
 * @family: AF_INET or AF_INET6
 * @address: the address
 *
 * So that this machine answers to it; it is never the source of what the machine
 * begins.
 *
 * Return: 0, also when it is there already; or a negative errno.
 */
int laya_nl_link_anycast(struct laya_nl *nl, uint32_t ifindex, int family,
			 const uint8_t *address)
{
	const struct ifa_cacheinfo never = { .ifa_valid = UINT32_MAX };
	struct ifaddrmsg info = {
		.ifa_family = family,
		.ifa_prefixlen = family == AF_INET ? 32 : 128,
		.ifa_flags = family == AF_INET ? 0 : IFA_F_NODAD,
		.ifa_scope = family == AF_INET ? RT_SCOPE_HOST :
						 RT_SCOPE_UNIVERSE,
		.ifa_index = ifindex,
	};
	struct nl_msg *msg;

	msg = address_message(&info, address, info.ifa_prefixlen / 8);
	if (msg && nla_put(msg, IFA_CACHEINFO, sizeof(never), &never)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return link_send(nl, msg, "link-anycast");
}

/**
 * laya_nl_link_unreachable() - keep ORCHIDs off the default route
 * @nl: the connection
 *
 * An unreachable route for all of them, behind that of any device: with no
 * device there is an error instead of a packet that leaves in clear.
 *
 * Return: 0, also when it is there already; or a negative errno.
 */
int laya_nl_link_unreachable(struct laya_nl *nl)
{
	struct rtmsg info = {
		.rtm_family = AF_INET6,
		.rtm_dst_len = ORCHID_PREFIX_LEN,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNREACHABLE,
	};
	struct nl_msg *msg;
	int err;

	msg = nlmsg_alloc_simple(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK |
				 NLM_F_CREATE | NLM_F_EXCL);
	if (msg && (nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) ||
		    nla_put(msg, RTA_DST, sizeof(orchid_prefix),
			    orchid_prefix) ||
		    nla_put_u32(msg, RTA_PRIORITY, UNREACHABLE_METRIC))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	err = link_send(nl, msg, "route unreachable 2001:20::/28");
	return err == -EEXIST ? 0 : err;
}
