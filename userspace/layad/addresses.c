// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "addresses.h"
#include "kernel.h"
#include "log.h"

/* News come in bursts: an interface comes up, its addresses one by one. */
#define SETTLE_MS	150
#define LINKS_MAX	4096

struct addresses {
	struct node *node;
	struct nl_sock *events;
	uv_poll_t poll;
	struct timer *settle;
	bool own_up;
};

/* What a dump finds */
struct gathering {
	const struct node *node;
	struct locals *locals;
	struct routers *routers;
	uint32_t up[LINKS_MAX];
	size_t n_up;
};

static int on_link(struct nl_msg *msg, void *arg)
{
	struct gathering *gathering = arg;
	const struct nlmsghdr *header = nlmsg_hdr(msg);
	const struct ifinfomsg *info = nlmsg_data(header);

	if (header->nlmsg_type != RTM_NEWLINK)
		return NL_OK;
	if ((info->ifi_flags & IFF_UP) && !(info->ifi_flags & IFF_LOOPBACK) &&
	    (uint32_t)info->ifi_index != gathering->node->ifindex &&
	    gathering->n_up < LINKS_MAX)
		gathering->up[gathering->n_up++] = info->ifi_index;
	return NL_OK;
}

static bool is_up(const struct gathering *gathering, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < gathering->n_up; i++) {
		if (gathering->up[i] == ifindex)
			return true;
	}
	return false;
}

static int on_address(struct nl_msg *msg, void *arg)
{
	struct gathering *gathering = arg;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	const struct ifaddrmsg *info = nlmsg_data(header);
	struct nlattr *attrs[IFA_MAX + 1];
	struct nlattr *attr;
	struct local local = {};
	uint32_t flags;
	size_t size;

	if (header->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(header, sizeof(*info), attrs, IFA_MAX, NULL) < 0 ||
	    !is_up(gathering, info->ifa_index))
		return NL_OK;
	flags = info->ifa_flags;
	if (attrs[IFA_FLAGS])
		flags = nla_get_u32(attrs[IFA_FLAGS]);
	if (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED))
		return NL_OK;
	/* Of a point-to-point link IFA_ADDRESS is the other end. */
	attr = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	size = info->ifa_family == AF_INET ? 4 : 16;
	if (!attr || (size_t)nla_len(attr) != size ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return NL_OK;
	local.address.family = info->ifa_family;
	memcpy(local.address.addr, nla_data(attr), size);
	local.prefix = info->ifa_prefixlen;
	local.ifindex = info->ifa_index;
	local.link_local = info->ifa_family == AF_INET6 &&
			   info->ifa_scope == RT_SCOPE_LINK;
	locals_add(gathering->locals, &local);
	return NL_OK;
}

static int on_route(struct nl_msg *msg, void *arg)
{
	struct gathering *gathering = arg;

	routers_add(gathering->routers, nlmsg_hdr(msg));
	return NL_OK;
}

static int dump(struct nl_sock *sock, int type, nl_recvmsg_msg_cb_t fn,
		void *arg)
{
	struct rtgenmsg request = { .rtgen_family = AF_UNSPEC };
	int ret;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn, arg);
	ret = nl_send_simple(sock, type, NLM_F_DUMP, &request,
			     sizeof(request));
	return ret < 0 ? ret : nl_recvmsgs_default(sock);
}

static int gather(struct node *node, struct locals *locals,
		  struct routers *routers)
{
	struct gathering *gathering;
	struct nl_sock *sock;
	int ret;

	gathering = calloc(1, sizeof(*gathering));
	sock = nl_socket_alloc();
	if (!gathering || !sock) {
		ret = -NLE_NOMEM;
		goto out;
	}
	memset(locals, 0, sizeof(*locals));
	memset(routers, 0, sizeof(*routers));
	gathering->node = node;
	gathering->locals = locals;
	gathering->routers = routers;
	ret = nl_connect(sock, NETLINK_ROUTE);
	if (!ret)
		ret = dump(sock, RTM_GETLINK, on_link, gathering);
	if (ret >= 0)
		ret = dump(sock, RTM_GETADDR, on_address, gathering);
	if (ret >= 0)
		ret = dump(sock, RTM_GETROUTE, on_route, gathering);
out:
	if (ret < 0)
		laya_warning("cannot list the addresses of this machine: %s",
			     nl_geterror(ret));
	if (sock)
		nl_socket_free(sock);
	free(gathering);
	return ret < 0 ? -EIO : 0;
}

/**
 * addresses_refresh() - look at our addresses and routers now
 * @node: ours; node_addresses_changed() if they are others
 *
 * Return: 0, or a negative errno, which was logged.
 */
int addresses_refresh(struct node *node)
{
	struct locals locals;
	struct routers routers;
	int ret;

	ret = gather(node, &locals, &routers);
	if (ret || (locals_equal(&locals, &node->locals) &&
		    routers_equal(&routers, &node->routers)))
		return ret;
	node->locals = locals;
	node->routers = routers;
	node_addresses_changed(node);
	return 0;
}

static void on_settled(void *data)
{
	addresses_refresh(data);
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct addresses *addresses = arg;
	const struct nlmsghdr *header = nlmsg_hdr(msg);
	const struct ifinfomsg *info = nlmsg_data(header);

	/* Of routes there may be many, and the default one is what counts. */
	if ((header->nlmsg_type == RTM_NEWROUTE ||
	     header->nlmsg_type == RTM_DELROUTE) && !routers_concern(header))
		return NL_OK;
	if (!timer_pending(addresses->settle))
		timer_start(addresses->settle, SETTLE_MS);
	/* IPv6 takes the addresses of a device that was down. */
	if (header->nlmsg_type == RTM_NEWLINK &&
	    (uint32_t)info->ifi_index == addresses->node->ifindex) {
		if (info->ifi_flags & IFF_UP) {
			if (!addresses->own_up)
				kernel_ensure_address(addresses->node);
			addresses->own_up = true;
		} else {
			addresses->own_up = false;
		}
	}
	return NL_OK;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct addresses *addresses = poll->data;

	(void)events;
	if (status < 0)
		return;
	/* If some was lost: look at all. */
	if (nl_recvmsgs_default(addresses->events) < 0 &&
	    !timer_pending(addresses->settle))
		timer_start(addresses->settle, SETTLE_MS);
}

/**
 * addresses_start() - look at our addresses, and keep looking
 * @node: ours
 *
 * Return: 0, or a negative errno, which was logged.
 */
int addresses_start(struct node *node)
{
	struct addresses *addresses;
	int ret;

	addresses = calloc(1, sizeof(*addresses));
	if (!addresses)
		return -ENOMEM;
	addresses->node = node;
	addresses->own_up = true;
	addresses->settle = timer_new(node->loop, on_settled, node);
	addresses->events = nl_socket_alloc();
	if (!addresses->settle || !addresses->events)
		goto err_free;
	nl_socket_disable_seq_check(addresses->events);
	nl_socket_modify_cb(addresses->events, NL_CB_VALID, NL_CB_CUSTOM,
			    on_event, addresses);
	ret = nl_connect(addresses->events, NETLINK_ROUTE);
	if (!ret)
		ret = nl_socket_set_nonblocking(addresses->events);
	if (!ret)
		ret = nl_socket_add_memberships(addresses->events,
						RTNLGRP_LINK,
						RTNLGRP_IPV4_IFADDR,
						RTNLGRP_IPV6_IFADDR,
						RTNLGRP_IPV4_ROUTE,
						RTNLGRP_IPV6_ROUTE, 0);
	if (ret) {
		laya_error("cannot hear of address changes: %s",
			   nl_geterror(ret));
		goto err_free;
	}
	if (uv_poll_init(node->loop, &addresses->poll,
			 nl_socket_get_fd(addresses->events)))
		goto err_free;
	addresses->poll.data = addresses;
	uv_poll_start(&addresses->poll, UV_READABLE, on_poll);
	node->addresses = addresses;
	return gather(node, &node->locals, &node->routers);

err_free:
	if (addresses->events)
		nl_socket_free(addresses->events);
	timer_free(addresses->settle);
	free(addresses);
	return -EIO;
}

static void on_closed(uv_handle_t *handle)
{
	struct addresses *addresses = handle->data;

	nl_socket_free(addresses->events);
	free(addresses);
}

/**
 * addresses_stop() - stop looking
 * @node: ours
 */
void addresses_stop(struct node *node)
{
	struct addresses *addresses = node->addresses;

	if (!addresses)
		return;
	node->addresses = NULL;
	timer_free(addresses->settle);
	uv_close((uv_handle_t *)&addresses->poll, on_closed);
}
