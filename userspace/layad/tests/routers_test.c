// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "../routers.h"

static const uint8_t router4[4] = { 192, 0, 2, 1 };
static const uint8_t router6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

static struct nl_msg *route(uint8_t family)
{
	const struct rtmsg info = {
		.rtm_family = family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWROUTE, 0);

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, (void *)&info, sizeof(info),
				      NLMSG_ALIGNTO), 0);
	return msg;
}

static struct rtmsg *info_of(struct nl_msg *msg)
{
	return nlmsg_data(nlmsg_hdr(msg));
}

static void routers_add__of_both_families(void **state)
{
	struct routers routers = {};
	struct nl_msg *msg;

	(void)state;
	msg = route(AF_INET);
	nla_put(msg, RTA_GATEWAY, 4, router4);
	nla_put_u32(msg, RTA_OIF, 3);
	routers_add(&routers, nlmsg_hdr(msg));
	nlmsg_free(msg);
	msg = route(AF_INET6);
	nla_put(msg, RTA_GATEWAY, 16, router6);
	nla_put_u32(msg, RTA_OIF, 4);
	routers_add(&routers, nlmsg_hdr(msg));
	nlmsg_free(msg);
	assert_int_equal(routers.n, 2);
	assert_int_equal(routers.list[0].address.family, AF_INET);
	assert_memory_equal(routers.list[0].address.addr, router4, 4);
	assert_int_equal(routers.list[1].address.family, AF_INET6);
	assert_memory_equal(routers.list[1].address.addr, router6, 16);
	assert_true(routers_uplink(&routers, 3));
	assert_true(routers_uplink(&routers, 4));
	assert_false(routers_uplink(&routers, 5));
}

/* As of a point-to-point link: nobody to ask, but outside all the same */
static void routers_add__without_an_address(void **state)
{
	struct routers routers = {};
	struct nl_msg *msg = route(AF_INET);

	(void)state;
	nla_put_u32(msg, RTA_OIF, 3);
	routers_add(&routers, nlmsg_hdr(msg));
	nlmsg_free(msg);
	assert_int_equal(routers.n, 1);
	assert_int_equal(routers.list[0].address.family, 0);
	assert_true(routers_uplink(&routers, 3));
}

static void routers_add__several_hops(void **state)
{
	struct routers routers = {};
	struct nl_msg *msg = route(AF_INET);
	struct rtnexthop *hop;
	struct nlattr *hops;
	struct nlattr *attr;
	unsigned int i;

	(void)state;
	hops = nla_nest_start(msg, RTA_MULTIPATH);
	for (i = 0; i < 12; i++) {
		hop = nlmsg_reserve(msg, sizeof(*hop), NLMSG_ALIGNTO);
		assert_non_null(hop);
		memset(hop, 0, sizeof(*hop));
		hop->rtnh_ifindex = 10 + i;
		attr = nla_reserve(msg, RTA_GATEWAY, 4);
		memcpy(nla_data(attr), router4, 4);
		hop->rtnh_len = sizeof(*hop) + nla_total_size(4);
	}
	nla_nest_end(msg, hops);
	routers_add(&routers, nlmsg_hdr(msg));
	nlmsg_free(msg);
	assert_int_equal(routers.n, ROUTERS_MAX);
	assert_int_equal(routers.list[1].ifindex, 11);
	assert_memory_equal(routers.list[1].address.addr, router4, 4);
}

static void routers_concern__default_routes_only(void **state)
{
	struct routers routers = {};
	struct nl_msg *msg = route(AF_INET);

	(void)state;
	nla_put_u32(msg, RTA_OIF, 3);
	assert_true(routers_concern(nlmsg_hdr(msg)));
	info_of(msg)->rtm_dst_len = 24;
	assert_false(routers_concern(nlmsg_hdr(msg)));
	routers_add(&routers, nlmsg_hdr(msg));
	info_of(msg)->rtm_dst_len = 0;
	info_of(msg)->rtm_table = RT_TABLE_LOCAL;
	assert_false(routers_concern(nlmsg_hdr(msg)));
	info_of(msg)->rtm_table = RT_TABLE_MAIN;
	info_of(msg)->rtm_type = RTN_UNREACHABLE;
	assert_false(routers_concern(nlmsg_hdr(msg)));
	info_of(msg)->rtm_type = RTN_UNICAST;
	/* That one is gone is news, but no router. */
	nlmsg_hdr(msg)->nlmsg_type = RTM_DELROUTE;
	assert_true(routers_concern(nlmsg_hdr(msg)));
	routers_add(&routers, nlmsg_hdr(msg));
	nlmsg_free(msg);
	assert_int_equal(routers.n, 0);
}

static void routers_equal__all_of_it(void **state)
{
	struct routers a = { .n = 1, .list[0].ifindex = 3 };
	struct routers b = a;

	(void)state;
	assert_true(routers_equal(&a, &b));
	b.list[0].ifindex = 4;
	assert_false(routers_equal(&a, &b));
	b = a;
	b.list[0].address.family = AF_INET;
	assert_false(routers_equal(&a, &b));
	b.n = 0;
	assert_false(routers_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routers_concern__default_routes_only),
		cmocka_unit_test(routers_add__of_both_families),
		cmocka_unit_test(routers_add__without_an_address),
		cmocka_unit_test(routers_add__several_hops),
		cmocka_unit_test(routers_equal__all_of_it),
	};

	return cmocka_run_group_tests_name("routers", tests, NULL, NULL);
}
