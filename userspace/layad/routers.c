// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "routers.h"

/**
 * routers_concern() - is a message about a default route
 * @header: of rtnetlink
 *
 * Return: whether it is.
 */
bool routers_concern(const struct nlmsghdr *header)
{
	const struct rtmsg *route = nlmsg_data(header);

	return (header->nlmsg_type == RTM_NEWROUTE ||
		header->nlmsg_type == RTM_DELROUTE) &&
	       nlmsg_valid_hdr(header, sizeof(*route)) &&
	       route->rtm_dst_len == 0 && route->rtm_src_len == 0 &&
	       route->rtm_type == RTN_UNICAST &&
	       route->rtm_table == RT_TABLE_MAIN;
}

static void add(struct routers *routers, const struct nlattr *gateway,
		uint16_t family, uint32_t ifindex)
{
	struct router router = { .ifindex = ifindex };

	if (gateway && nla_len(gateway) == (family == AF_INET ? 4 : 16)) {
		router.address.family = family;
		memcpy(router.address.addr, nla_data(gateway),
		       nla_len(gateway));
	}
	if (routers->n < ROUTERS_MAX)
		routers->list[routers->n++] = router;
}

static void add_hops(struct routers *routers, const struct nlattr *hops,
		     uint16_t family)
{
	const struct rtnexthop *hop = nla_data(hops);
	struct nlattr *attrs[RTA_MAX + 1];
	int left = nla_len(hops);

	while (RTNH_OK(hop, left)) {
		if (nla_parse(attrs, RTA_MAX, (struct nlattr *)RTNH_DATA(hop),
			      hop->rtnh_len - sizeof(*hop), NULL) < 0)
			return;
		add(routers, attrs[RTA_GATEWAY], family, hop->rtnh_ifindex);
		left -= NLMSG_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
}

/**
 * routers_add() - take note of a route, if it is a default one
 * @routers: where to put it
 * @header: a route of a dump
 */
void routers_add(struct routers *routers, const struct nlmsghdr *header)
{
	struct nlattr *attrs[RTA_MAX + 1];
	struct rtmsg *route;

	if (!routers_concern(header) || header->nlmsg_type != RTM_NEWROUTE)
		return;
	route = nlmsg_data(header);
	if (nlmsg_parse((struct nlmsghdr *)header, sizeof(*route), attrs,
			RTA_MAX, NULL) < 0)
		return;
	if (attrs[RTA_MULTIPATH])
		add_hops(routers, attrs[RTA_MULTIPATH], route->rtm_family);
	else if (attrs[RTA_OIF])
		add(routers, attrs[RTA_GATEWAY], route->rtm_family,
		    nla_get_u32(attrs[RTA_OIF]));
}

/**
 * routers_equal() - has nothing changed
 * @a: the routers then
 * @b: the routers now
 *
 * Return: whether they are the same, in the same order.
 */
bool routers_equal(const struct routers *a, const struct routers *b)
{
	unsigned int i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (a->list[i].ifindex != b->list[i].ifindex ||
		    !laya_address_equal(&a->list[i].address,
					&b->list[i].address))
			return false;
	}
	return true;
}

/**
 * routers_uplink() - does an interface lead outside
 * @routers: our default routers
 * @ifindex: the interface
 *
 * Return: whether a default route goes there.
 */
bool routers_uplink(const struct routers *routers, uint32_t ifindex)
{
	unsigned int i;

	for (i = 0; i < routers->n; i++) {
		if (routers->list[i].ifindex == ifindex)
			return true;
	}
	return false;
}

static int on_route(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct nlattr *attrs[RTA_MAX + 1];

	if (header->nlmsg_type == RTM_NEWROUTE &&
	    nlmsg_parse(header, sizeof(struct rtmsg), attrs, RTA_MAX,
			NULL) >= 0 && attrs[RTA_OIF])
		*(uint32_t *)arg = nla_get_u32(attrs[RTA_OIF]);
	return NL_OK;
}

/**
 * routers_interface() - by which interface would we send to an address
 * @to: the address
 * @ifindex: where to put it
 *
 * Return: 0; -EHOSTUNREACH if there is no route, or another negative errno.
 */
int routers_interface(const struct laya_address *to, uint32_t *ifindex)
{
	struct rtmsg route = {
		.rtm_family = to->family,
		.rtm_dst_len = 8 * laya_address_size(to),
	};
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	int ret = -ENOMEM;

	*ifindex = 0;
	if (!sock || !msg || nlmsg_append(msg, &route, sizeof(route),
					  NLMSG_ALIGNTO) ||
	    nla_put(msg, RTA_DST, laya_address_size(to), to->addr))
		goto out;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_route, ifindex);
	ret = -EHOSTUNREACH;
	if (!nl_connect(sock, NETLINK_ROUTE) && nl_send_auto(sock, msg) >= 0 &&
	    nl_recvmsgs_default(sock) >= 0 && *ifindex != 0)
		ret = 0;
out:
	nlmsg_free(msg);
	nl_socket_free(sock);
	return ret;
}
