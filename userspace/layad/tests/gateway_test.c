// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../gateway.h"
#include "../outside.h"

/* A node that is attached to a relay and to a gateway, which have labels for bob */
struct fixture {
	struct node node;
	struct peer bob;
	struct peer relay_peer;
	struct peer gateway_peer;
	struct forwarder relay;
	struct forwarder gateway;
	struct forwarder_label labels[2];
	struct laya_candidates candidates;
};

static struct laya_address address(const char *text)
{
	struct laya_address a;

	assert_int_equal(laya_address_parse(&a, text), 0);
	return a;
}

static void attached(struct fixture *f, struct forwarder *forwarder,
		     struct peer *peer, struct forwarder_label *label,
		     uint8_t number)
{
	forwarder->node = &f->node;
	forwarder->peer = peer;
	forwarder->state = FORWARDER_UP;
	forwarder->key[0] = number;
	forwarder->labels = label;
	forwarder->n_labels = 1;
	memcpy(label->key, f->bob.handshake.key, LAYA_KEY_SIZE);
	label->label[0] = number;
	TAILQ_INSERT_TAIL(&f->node.forwarders, forwarder, entry);
}

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	*state = &f;
	TAILQ_INIT(&f.node.forwarders);
	TAILQ_INIT(&f.node.peers);
	f.node.port = LAYA_DEFAULT_PORT;
	f.bob.handshake.key[0] = 1;
	attached(&f, &f.relay, &f.relay_peer, &f.labels[0], 2);
	f.relay.dialled = address("198.51.100.1:5292");
	attached(&f, &f.gateway, &f.gateway_peer, &f.labels[1], 3);
	f.gateway.gateway = true;
	f.gateway.dialled = address("10.0.0.1:5292");
	f.gateway.addresses_told.n = 1;
	f.gateway.addresses_told.list[0] = address("192.0.2.1:5292");
	assert_int_equal(gateway_ephemeral(&f.gateway), 0);
	return 0;
}

static void expect(const struct fixture *f, unsigned int i,
		   enum laya_candidate_type type, const char *where,
		   unsigned int n_labels, uint8_t outer, uint8_t inner)
{
	const struct laya_candidate *candidate = &f->candidates.list[i];
	const struct laya_address at = address(where);

	assert_in_range(i + 1, 1, f->candidates.n);
	assert_int_equal(candidate->type, type);
	assert_true(laya_address_equal(&candidate->address, &at));
	assert_int_equal(candidate->n_labels, n_labels);
	assert_int_equal(candidate->labels[0][0], outer);
	if (n_labels == 2)
		assert_int_equal(candidate->labels[1][0], inner);
}

/* A candidate of the gateway's own, as it tells it */
static void above(struct fixture *f, enum laya_candidate_type type,
		  const char *where, unsigned int n_labels, uint8_t label)
{
	struct laya_candidate candidate = {
		.type = type,
		.address = address(where),
		.n_labels = n_labels,
		.labels[0][0] = label,
	};

	laya_candidates_add(&f->gateway.above, &candidate);
}

static void reached(struct fixture *f, const char *where)
{
	f->node.reached.list[f->node.reached.n++] = address(where);
}

static void forwarder_candidates__outside_of_the_gateway(void **state)
{
	struct fixture *f = *state;

	reached(f, "192.0.2.1:5292");
	forwarder_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 2);
	expect(f, 0, LAYA_CANDIDATE_RELAY, "198.51.100.1:5292", 1, 2, 0);
	/* Not where we dialled it */
	expect(f, 1, LAYA_CANDIDATE_GATEWAY, "192.0.2.1:5292", 1, 3, 0);
}

static void forwarder_candidates__above_the_gateway(void **state)
{
	struct fixture *f = *state;

	above(f, LAYA_CANDIDATE_GATEWAY, "192.0.2.1:5292", 0, 0);
	above(f, LAYA_CANDIDATE_GATEWAY, "203.0.113.1:5292", 1, 7);
	above(f, LAYA_CANDIDATE_GATEWAY, "203.0.113.2:5292", 2, 8);
	above(f, LAYA_CANDIDATE_RELAY, "203.0.113.3:5292", 1, 9);
	forwarder_candidates(&f->node, &f->bob, &f->candidates);
	/* The first twice, the third would have three, the last is a detour */
	assert_int_equal(f->candidates.n, 3);
	expect(f, 1, LAYA_CANDIDATE_GATEWAY, "192.0.2.1:5292", 1, 3, 0);
	expect(f, 2, LAYA_CANDIDATE_GATEWAY, "203.0.113.1:5292", 2, 7, 3);

	/* which is taken when we have no relay of our own. */
	f->candidates.n = 0;
	f->relay.state = FORWARDER_IDLE;
	forwarder_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 3);
	expect(f, 2, LAYA_CANDIDATE_RELAY, "203.0.113.3:5292", 2, 9, 3);
}

/* Where somebody can be asked, an address that nobody has reached is not told. */
static void forwarder_candidates__reached_from_outside(void **state)
{
	struct fixture *f = *state;

	forwarder_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 1);
	expect(f, 0, LAYA_CANDIDATE_RELAY, "198.51.100.1:5292", 1, 2, 0);

	/* The relay is told all the same: it is to find out. */
	memcpy(f->labels[1].key, f->relay_peer.handshake.key, LAYA_KEY_SIZE);
	f->candidates.n = 0;
	forwarder_claims(&f->node, &f->relay_peer, &f->candidates);
	assert_int_equal(f->candidates.n, 1);
	expect(f, 0, LAYA_CANDIDATE_GATEWAY, "192.0.2.1:5292", 1, 3, 0);
}

/* Nobody to ask: the peers' probes show it, unless the gateway has asked. */
static void forwarder_candidates__nobody_to_ask(void **state)
{
	struct fixture *f = *state;

	f->relay.state = FORWARDER_IDLE;
	forwarder_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 1);
	expect(f, 0, LAYA_CANDIDATE_GATEWAY, "192.0.2.1:5292", 1, 3, 0);
	f->gateway.above_told = true;
	f->candidates.n = 0;
	forwarder_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 0);
	/* One that is being tried for the first time may be there soon. */
	f->gateway.above_told = false;
	f->relay.state = FORWARDER_CONNECTING;
	forwarder_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 0);
}

static void address_is_near__cases(void **state)
{
	const struct laya_address seen = address("192.0.2.1:40000");
	const struct laya_address other = address("192.0.2.2:5292");
	const struct laya_address same = address("192.0.2.1:5292");
	const struct laya_address here = address("[2001:db8:1::1]:5292");
	const struct laya_address near = address("[2001:db8:2::1]:5292");
	const struct laya_address far = address("[2001:db9:2::1]:5292");

	(void)state;
	assert_true(laya_address_is_near(&same, &seen));
	assert_false(laya_address_is_near(&other, &seen));
	assert_false(laya_address_is_near(&here, &seen));
	assert_true(laya_address_is_near(&near, &here));
	assert_false(laya_address_is_near(&far, &here));
}

/* Of a link-local address its link is a part; messages never have it. */
static void address_parse__scope(void **state)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];
	const struct laya_address one = address("[fe80::1%1]:5292");
	const struct laya_address two = address("[fe80::1%4294967295]:5292");
	struct sockaddr_storage ss;
	struct laya_address back;

	(void)state;
	assert_int_equal(one.scope, 1);
	assert_false(laya_address_equal(&one, &two));
	laya_address_to_sockaddr(&two, &ss);
	assert_int_equal(laya_address_from_sockaddr(&back,
						    (struct sockaddr *)&ss), 0);
	assert_true(laya_address_equal(&back, &two));
	laya_address_format(text, &back);
	assert_string_equal(text, "[fe80::1%4294967295]:5292");
	assert_int_equal(laya_address_parse(&back, "[fe80::1%]:1"), -EINVAL);
	assert_int_equal(laya_address_parse(&back, "[fe80::1%eth0]:1"), -EINVAL);
	assert_int_equal(laya_address_parse(&back, "[fe80::1%4294967296]:1"),
			 -EINVAL);
	assert_int_equal(laya_address_parse(&back, "[2001:db8::1%1]:1"), -EINVAL);
	assert_int_equal(laya_address_parse(&back, "192.0.2.1%1:1"), -EINVAL);
}

static void gateway_refused__by_key(void **state)
{
	struct laya_config_gateway allowed = { .public_key[0] = 5 };
	uint8_t key[LAYA_KEY_SIZE] = { 4 };
	struct fixture *f = *state;

	f->node.self.public_key[0] = 9;
	f->gateway.key[0] = 0;
	assert_null(gateway_refused(&f->gateway, key));
	f->node.config.gateways = &allowed;
	f->node.config.n_gateways = 1;
	assert_non_null(gateway_refused(&f->gateway, key));
	key[0] = 5;
	assert_null(gateway_refused(&f->gateway, key));

	f->node.config.n_gateways = 0;
	key[0] = 2;	/* The relay */
	assert_non_null(gateway_refused(&f->gateway, key));
	key[0] = 9;	/* Ours */
	assert_non_null(gateway_refused(&f->gateway, key));
}

static void gateway_self__told_to_whom(void **state)
{
	struct laya_config_gateway known = { .public_key[0] = 5 };
	uint8_t key[LAYA_KEY_SIZE] = { 5 };
	struct fixture *f = *state;

	assert_ptr_equal(gateway_self(&f->gateway, key), &f->gateway.self);
	f->node.config.gateways = &known;
	f->node.config.n_gateways = 1;
	assert_true(gateway_is_configured(&f->node, key));
	assert_ptr_equal(gateway_self(&f->gateway, key), &f->gateway.self);
	known.identify = true;
	assert_ptr_equal(gateway_self(&f->gateway, key), &f->node.self);
	key[0] = 6;
	assert_false(gateway_is_configured(&f->node, key));
	assert_ptr_equal(gateway_self(&f->gateway, key), &f->gateway.self);
}

static void gateway_admits__all_or_those_listed(void **state)
{
	uint8_t key[LAYA_KEY_SIZE] = { 4 };
	struct fixture *f = *state;

	assert_true(gateway_admits(&f->node, key));
	f->node.config.gateway_keys[0][0] = 5;
	f->node.config.gateway_keys[1][0] = 6;
	f->node.config.n_gateway_keys = 2;
	assert_false(gateway_admits(&f->node, key));
	key[0] = 6;
	assert_true(gateway_admits(&f->node, key));
}

static void gateway_alias__tells_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t again[LAYA_KEY_SIZE];
	uint8_t key[LAYA_KEY_SIZE];

	gateway_alias(&f->gateway, &f->bob, key);
	gateway_alias(&f->gateway, &f->bob, again);
	assert_memory_equal(key, again, LAYA_KEY_SIZE);
	assert_true(laya_key_valid(key));
	assert_memory_not_equal(key, f->bob.handshake.key, LAYA_KEY_SIZE);
	gateway_alias(&f->gateway, &f->relay_peer, again);
	assert_memory_not_equal(key, again, LAYA_KEY_SIZE);
	/* Of the next attachment */
	assert_int_equal(gateway_ephemeral(&f->gateway), 0);
	gateway_alias(&f->gateway, &f->bob, again);
	assert_memory_not_equal(key, again, LAYA_KEY_SIZE);
}

/* The two default routes go by interface 2, the networks inside are 3. */
static void gateway_outside__where_routes_lead(void **state)
{
	struct fixture *f = *state;
	struct laya_addresses addresses;
	const struct local locals[] = {
		{ .address = address("10.0.0.1:1"), .ifindex = 3 },
		{ .address = address("192.0.2.1:1"), .ifindex = 2 },
		{ .address = address("[fe80::1]:1"), .ifindex = 2,
		  .link_local = true },
		{ .address = address("[2001:db8::1]:1"), .ifindex = 2 },
	};
	const struct laya_address expected[] = {
		address("192.0.2.1:5292"), address("[2001:db8::1]:5292"),
	};

	memcpy(f->node.locals.list, locals, sizeof(locals));
	f->node.locals.n = 4;
	f->node.routers.n = 1;
	f->node.routers.list[0].ifindex = 2;
	gateway_outside(&f->node, &addresses);
	assert_int_equal(addresses.n, 2);
	assert_true(laya_address_equal(&addresses.list[0], &expected[0]));
	assert_true(laya_address_equal(&addresses.list[1], &expected[1]));

	/* Hosts are told as reached what a relay sees: no other, or port */
	gateway_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 1);
	expect(f, 0, LAYA_CANDIDATE_RELAY, "198.51.100.1:5292", 1, 2, 0);
	f->relay.have_observed = true;
	f->relay.observed = address("192.0.2.1:5293");
	gateway_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 1);
	f->relay.observed = expected[0];
	gateway_candidates(&f->node, &f->bob, &f->candidates);
	assert_int_equal(f->candidates.n, 2);
	expect(f, 0, LAYA_CANDIDATE_GATEWAY, "192.0.2.1:5292", 0, 0, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(forwarder_candidates__outside_of_the_gateway),
		TEST(forwarder_candidates__above_the_gateway),
		TEST(forwarder_candidates__reached_from_outside),
		TEST(forwarder_candidates__nobody_to_ask),
		cmocka_unit_test(address_is_near__cases),
		cmocka_unit_test(address_parse__scope),
		TEST(gateway_refused__by_key),
		TEST(gateway_self__told_to_whom),
		TEST(gateway_admits__all_or_those_listed),
		TEST(gateway_alias__tells_nothing),
		TEST(gateway_outside__where_routes_lead),
	};

	return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
