// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/laya_netlink.h>

#include "../candidates.h"

static struct local local(const char *text, uint8_t prefix)
{
	struct local l = { .prefix = prefix, .ifindex = 2 };

	assert_int_equal(laya_address_parse(&l.address, text), 0);
	l.address.port = 0;
	l.link_local = l.address.family == AF_INET6 &&
		       l.address.addr[0] == 0xfe &&
		       (l.address.addr[1] & 0xc0) == 0x80;
	return l;
}

static void add(struct locals *locals, const char *text, uint8_t prefix)
{
	struct local l = local(text, prefix);

	assert_true(locals_add(locals, &l));
}

static bool on_link(const struct locals *locals, const char *text)
{
	struct laya_address address;

	assert_int_equal(laya_address_parse(&address, text), 0);
	return locals_on_link(locals, &address);
}

static struct laya_candidate candidate(enum laya_candidate_type type,
				       const char *text)
{
	struct laya_candidate c = { .type = type };

	assert_int_equal(laya_address_parse(&c.address, text), 0);
	return c;
}

static void locals_add__refuses(void **state)
{
	static const char * const bad[] = {
		"127.0.0.1:1", "0.0.0.0:1", "224.0.0.1:1", "[::1]:1",
		"[ff02::1]:1", "[2001:25:14b4:274:f09e:89c7:e21d:14e3]:1",
	};
	struct locals locals = {};
	struct local l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		l = local(bad[i], 8);
		assert_false(locals_add(&locals, &l));
	}
	assert_int_equal(locals.n, 0);
}

static void locals_add__once(void **state)
{
	struct locals locals = {};
	struct local l = local("10.0.0.1:1", 24);

	(void)state;
	assert_true(locals_add(&locals, &l));
	assert_false(locals_add(&locals, &l));
	assert_int_equal(locals.n, 1);
}

static void locals_add__bounded(void **state)
{
	struct locals locals = {};
	struct local l = local("10.0.0.1:1", 24);
	unsigned int i;

	(void)state;
	for (i = 0; i < LOCALS_MAX + 10; i++) {
		l.address.addr[2] = i;
		assert_int_equal(locals_add(&locals, &l), i < LOCALS_MAX);
	}
}

static void locals_equal__sees_changes(void **state)
{
	struct locals a = {};
	struct locals b;

	(void)state;
	add(&a, "10.0.0.1:1", 24);
	b = a;
	assert_true(locals_equal(&a, &b));
	b.list[0].prefix = 16;
	assert_false(locals_equal(&a, &b));
	b = a;
	b.list[0].ifindex = 3;
	assert_false(locals_equal(&a, &b));
	b = a;
	add(&b, "10.0.1.1:1", 24);
	assert_false(locals_equal(&a, &b));
}

static void locals_on_link__prefixes(void **state)
{
	struct locals locals = {};

	(void)state;
	add(&locals, "10.1.2.3:1", 24);
	add(&locals, "192.0.2.5:1", 30);
	add(&locals, "203.0.113.9:1", 32);
	add(&locals, "[2001:db8:1::2]:1", 64);
	add(&locals, "[2001:db8:2::2]:1", 61);
	assert_true(on_link(&locals, "10.1.2.200:7"));
	assert_false(on_link(&locals, "10.1.3.3:7"));
	assert_true(on_link(&locals, "192.0.2.6:7"));
	assert_false(on_link(&locals, "192.0.2.8:7"));
	assert_true(on_link(&locals, "203.0.113.9:7"));
	assert_false(on_link(&locals, "203.0.113.8:7"));
	assert_true(on_link(&locals, "[2001:db8:1::ffff]:7"));
	assert_false(on_link(&locals, "[2001:db8:1:1::ffff]:7"));
	assert_true(on_link(&locals, "[2001:db8:2:7::1]:7"));
	assert_false(on_link(&locals, "[2001:db8:2:8::1]:7"));
}

static void locals_on_link__prefix_0(void **state)
{
	struct locals locals = {};

	(void)state;
	add(&locals, "10.1.2.3:1", 0);
	assert_true(on_link(&locals, "198.51.100.1:7"));
	assert_false(on_link(&locals, "[2001:db8::1]:7"));
}

static void is_private__ranges(void **state)
{
	static const char * const private[] = {
		"10.0.0.1:1", "172.16.0.1:1", "172.31.255.1:1",
		"192.168.1.1:1", "100.64.0.1:1", "100.127.0.1:1",
		"169.254.1.1:1", "[fd00::1]:1", "[fc00::1]:1",
	};
	static const char * const public[] = {
		"9.0.0.1:1", "172.32.0.1:1", "172.15.0.1:1", "192.169.0.1:1",
		"100.128.0.1:1", "198.51.100.1:1", "[2001:db8::1]:1",
	};
	struct local l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		l = local(private[i], 8);
		assert_true(laya_address_is_private(&l.address));
	}
	for (i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
		l = local(public[i], 8);
		assert_false(laya_address_is_private(&l.address));
	}
}

static void candidates_add_hosts__port(void **state)
{
	struct laya_candidates candidates = {};
	struct locals locals = {};

	(void)state;
	add(&locals, "10.1.2.3:1", 24);
	add(&locals, "[fe80::1]:1", 64);
	add(&locals, "[2001:db8::1]:1", 64);
	candidates_add_hosts(&candidates, &locals, 4711);
	assert_int_equal(candidates.n, 2);
	assert_int_equal(candidates.list[0].type, LAYA_CANDIDATE_HOST);
	assert_int_equal(candidates.list[0].address.port, 4711);
	assert_int_equal(candidates.list[1].address.family, AF_INET6);
	assert_int_equal(candidates.list[1].address.addr[0], 0x20);
}

static void candidates_add_hosts__link_local_alone(void **state)
{
	struct laya_candidates candidates = {};
	struct locals locals = {};

	(void)state;
	add(&locals, "[fe80::1]:1", 64);
	candidates_add_hosts(&candidates, &locals, 4711);
	assert_int_equal(candidates.n, 1);
}

static void candidates_add_hosts__leaves_room(void **state)
{
	struct laya_candidates candidates = {};
	struct local l = local("10.0.0.1:1", 24);
	struct locals locals = {};
	unsigned int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		l.address.addr[2] = i;
		assert_true(locals_add(&locals, &l));
	}
	candidates_add_hosts(&candidates, &locals, 1);
	assert_int_equal(candidates.n, CANDIDATES_MAX_HOST);
}

static void candidate_kind__all(void **state)
{
	struct locals locals = {};
	struct laya_candidate c;

	(void)state;
	add(&locals, "10.1.2.3:1", 24);
	c = candidate(LAYA_CANDIDATE_HOST, "10.1.2.9:5");
	assert_int_equal(candidate_kind(&c, &locals), LAYA_PATH_KIND_LAN);
	c = candidate(LAYA_CANDIDATE_HOST, "10.1.3.9:5");
	assert_int_equal(candidate_kind(&c, &locals), LAYA_PATH_KIND_DIRECT);
	c = candidate(LAYA_CANDIDATE_MAPPED, "10.1.2.9:5");
	assert_int_equal(candidate_kind(&c, &locals), LAYA_PATH_KIND_MAPPED);
	c = candidate(LAYA_CANDIDATE_GATEWAY, "10.1.2.9:5");
	assert_int_equal(candidate_kind(&c, &locals), LAYA_PATH_KIND_GATEWAY);
	c = candidate(LAYA_CANDIDATE_PEER_RELAY, "10.1.2.9:5");
	assert_int_equal(candidate_kind(&c, &locals),
			 LAYA_PATH_KIND_PEER_RELAY);
	c = candidate(LAYA_CANDIDATE_RELAY, "10.1.2.9:5");
	assert_int_equal(candidate_kind(&c, &locals), LAYA_PATH_KIND_RELAY);
}

static void candidate_refused__never(void **state)
{
	static const char * const bad[] = {
		"127.0.0.1:5", "0.0.0.0:5", "239.1.1.1:5",
		"255.255.255.255:5", "10.1.2.9:0", "[::1]:5", "[ff02::1]:5",
		"[fe80::1]:5", "[::ffff:10.1.2.9]:5",
		"[2001:25:14b4:274:f09e:89c7:e21d:14e3]:5",
	};
	struct locals locals = {};
	struct laya_candidate c;
	size_t i;

	(void)state;
	add(&locals, "10.1.2.3:1", 24);
	add(&locals, "[2001:db8::1]:1", 64);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = candidate(LAYA_CANDIDATE_HOST, bad[i]);
		assert_non_null(candidate_refused(&c, &locals, 1, true));
	}
}

static void candidate_refused__own(void **state)
{
	struct locals locals = {};
	struct laya_candidate c;

	(void)state;
	add(&locals, "10.1.2.3:1", 24);
	c = candidate(LAYA_CANDIDATE_RELAY, "10.1.2.3:5292");
	assert_non_null(candidate_refused(&c, &locals, 5292, true));
	assert_null(candidate_refused(&c, &locals, 5293, true));
}

static void candidate_refused__mapped(void **state)
{
	struct locals locals = {};
	struct laya_candidate c;

	(void)state;
	add(&locals, "10.1.2.3:1", 24);
	c = candidate(LAYA_CANDIDATE_MAPPED, "198.51.100.7:5");
	assert_null(candidate_refused(&c, &locals, 1, true));
	assert_non_null(candidate_refused(&c, &locals, 1, false));
}

static void candidate_refused__no_family(void **state)
{
	struct locals locals = {};
	struct laya_candidate c;

	(void)state;
	add(&locals, "10.1.2.3:1", 24);
	add(&locals, "[fe80::1]:1", 64);
	c = candidate(LAYA_CANDIDATE_HOST, "[2001:db8::1]:5");
	assert_non_null(candidate_refused(&c, &locals, 1, true));
	add(&locals, "[2001:db8::2]:1", 64);
	assert_null(candidate_refused(&c, &locals, 1, true));
}

static void candidates_equal__labels(void **state)
{
	struct laya_candidates a = { .n = 1 };
	struct laya_candidates b;

	(void)state;
	a.list[0] = candidate(LAYA_CANDIDATE_RELAY, "198.51.100.7:5");
	a.list[0].n_labels = 1;
	a.list[0].labels[0][0] = 1;
	b = a;
	assert_true(candidates_equal(&a, &b));
	b.list[0].labels[0][5] = 1;
	assert_false(candidates_equal(&a, &b));
	b = a;
	b.n = 0;
	assert_false(candidates_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locals_add__refuses),
		cmocka_unit_test(locals_add__once),
		cmocka_unit_test(locals_add__bounded),
		cmocka_unit_test(locals_equal__sees_changes),
		cmocka_unit_test(locals_on_link__prefixes),
		cmocka_unit_test(locals_on_link__prefix_0),
		cmocka_unit_test(is_private__ranges),
		cmocka_unit_test(candidates_add_hosts__port),
		cmocka_unit_test(candidates_add_hosts__link_local_alone),
		cmocka_unit_test(candidates_add_hosts__leaves_room),
		cmocka_unit_test(candidates_equal__labels),
		cmocka_unit_test(candidate_kind__all),
		cmocka_unit_test(candidate_refused__never),
		cmocka_unit_test(candidate_refused__own),
		cmocka_unit_test(candidate_refused__mapped),
		cmocka_unit_test(candidate_refused__no_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
