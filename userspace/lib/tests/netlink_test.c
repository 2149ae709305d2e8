// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "../netlink.h"
#include "../netlink_attrs.h"

static struct nl_msg *msg;

static int setup(void **state)
{
	(void)state;
	msg = nlmsg_alloc_simple(0, 0);
	return !msg;
}

static int teardown(void **state)
{
	(void)state;
	nlmsg_free(msg);
	return 0;
}

static const void *attrs(void)
{
	return nlmsg_data(nlmsg_hdr(msg));
}

static size_t len(void)
{
	return nlmsg_datalen(nlmsg_hdr(msg));
}

static void encode__round_trip(void **state)
{
	struct laya_nl_path path = {
		.ifindex = 7, .path_id = 65535, .kind = LAYA_PATH_KIND_RELAY,
		.remote = { AF_INET, 5292, { 192, 0, 2, 1 } },
		.local = { AF_INET6, 1, { 0x20, 1, [15] = 9 } },
		.n_labels = 2,
		.labels = { "abcde", "fghij" },
		.goodput = UINT64_MAX,
	};
	struct laya_nl_path back;

	(void)state;
	laya_nl_set(&path, LAYA_A_PATH_IFINDEX);
	laya_nl_set(&path, LAYA_A_PATH_PATH_ID);
	laya_nl_set(&path, LAYA_A_PATH_KIND);
	laya_nl_set(&path, LAYA_A_PATH_IN_USE);
	laya_nl_set(&path, LAYA_A_PATH_REMOTE);
	laya_nl_set(&path, LAYA_A_PATH_LOCAL);
	laya_nl_set(&path, LAYA_A_PATH_LABELS);
	laya_nl_set(&path, LAYA_A_PATH_GOODPUT);
	assert_int_equal(laya_nl_encode(msg, LAYA_NL_SET_PATH, &path), 0);
	assert_int_equal(laya_nl_decode_path(&back, attrs(), len()), 0);
	assert_int_equal(back.present, path.present);
	assert_memory_equal(&back.remote, &path.remote, sizeof(path.remote));
	assert_memory_equal(&back.local, &path.local, sizeof(path.local));
	assert_int_equal(back.n_labels, 2);
	assert_memory_equal(back.labels, path.labels, sizeof(path.labels));
	assert_true(back.goodput == UINT64_MAX);
	assert_int_equal(back.path_id, 65535);
	assert_true(laya_nl_has(&back, LAYA_A_PATH_IN_USE));
	assert_false(laya_nl_has(&back, LAYA_A_PATH_ANSWERED));
	assert_false(laya_nl_has(&back, LAYA_A_PATH_RTT_US));
}

static void encode__only_what_is_present(void **state)
{
	struct laya_nl_session session = { .rx_key = { 1 }, .rx_index = 3 };

	(void)state;
	laya_nl_set(&session, LAYA_A_SESSION_RX_INDEX);
	assert_int_equal(laya_nl_encode(msg, LAYA_NL_SET_SESSION, &session),
			 0);
	assert_int_equal(len(), 8);
}

static void encode__bad_values(void **state)
{
	struct laya_nl_path path = { .n_labels = 3 };

	(void)state;
	laya_nl_set(&path, LAYA_A_PATH_LABELS);
	assert_int_equal(laya_nl_encode(msg, LAYA_NL_SET_PATH, &path),
			 -EINVAL);
	path = (struct laya_nl_path){};
	laya_nl_set(&path, LAYA_A_PATH_REMOTE);
	assert_int_equal(laya_nl_encode(msg, LAYA_NL_SET_PATH, &path),
			 -EINVAL);
}

static void decode__empty(void **state)
{
	struct laya_nl_peer peer;

	(void)state;
	assert_int_equal(laya_nl_decode_peer(&peer, attrs(), 0), 0);
	assert_int_equal(peer.present, 0);
}

static void decode__unknown_is_read_over(void **state)
{
	struct laya_nl_peer peer;

	(void)state;
	nla_put_u32(msg, 200, 1);
	nla_put_u32(msg, LAYA_A_PEER_IFINDEX, 9);
	assert_int_equal(laya_nl_decode_peer(&peer, attrs(), len()), 0);
	assert_int_equal(peer.present, 1u << LAYA_A_PEER_IFINDEX);
	assert_int_equal(peer.ifindex, 9);
}

static void decode__wrong_sizes(void **state)
{
	static const struct {
		enum laya_nl_set_id set;
		int attr;
		int size;
	} cases[] = {
		{ LAYA_NL_SET_PEER, LAYA_A_PEER_IFINDEX, 3 },
		{ LAYA_NL_SET_PEER, LAYA_A_PEER_IFINDEX, 8 },
		{ LAYA_NL_SET_PEER, LAYA_A_PEER_PUBLIC_KEY, 31 },
		{ LAYA_NL_SET_PEER, LAYA_A_PEER_PUBLIC_KEY, 33 },
		{ LAYA_NL_SET_PEER, LAYA_A_PEER_TX_BYTES, 4 },
		{ LAYA_NL_SET_PEER, LAYA_A_PEER_ORCHID, 4 },
		{ LAYA_NL_SET_SESSION, LAYA_A_SESSION_INITIATOR, 1 },
		{ LAYA_NL_SET_PATH, LAYA_A_PATH_LABELS, 5 },
		{ LAYA_NL_SET_PATH, LAYA_A_PATH_LABELS, 18 },
		{ LAYA_NL_SET_PATH, LAYA_A_PATH_REMOTE, 15 },
		{ LAYA_NL_SET_PATH, LAYA_A_PATH_REMOTE, 16 },
		{ LAYA_NL_SET_CARRIER, LAYA_A_CARRIER_PORT, 4 },
		{ LAYA_NL_SET_CARRIER, LAYA_A_CARRIER_ERROR, 2 },
		{ LAYA_NL_SET_CARRIER, LAYA_A_CARRIER_REMOTE, 8 },
		{ LAYA_NL_SET_LABEL, LAYA_A_LABEL_LABEL, 8 },
		{ LAYA_NL_SET_DEVICE, LAYA_A_DEVICE_IFNAME, 16 },
		{ LAYA_NL_SET_DEVICE, LAYA_A_DEVICE_DROPS, 3 },
	};
	uint8_t value[64];
	size_t i;

	(void)state;
	memset(value, 'x', sizeof(value));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct laya_nl_device object;
		struct nl_msg *one = nlmsg_alloc_simple(0, 0);

		nla_put(one, cases[i].attr, cases[i].size, value);
		if (laya_nl_decode(cases[i].set, &object,
				   nlmsg_data(nlmsg_hdr(one)),
				   nlmsg_datalen(nlmsg_hdr(one))) != -EBADMSG)
			fail_msg("case %zu", i);
		nlmsg_free(one);
	}
}

static void decode__address_of_another_size(void **state)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET };
	struct laya_nl_path path;

	(void)state;
	nla_put(msg, LAYA_A_PATH_REMOTE, sizeof(sin6), &sin6);
	assert_int_equal(laya_nl_decode_path(&path, attrs(), len()), -EBADMSG);
}

/* As in the event that tells of a stream carrier's end. */
static void decode__carrier(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct laya_nl_carrier carrier;

	(void)state;
	sin.sin_port = htons(443);
	inet_pton(AF_INET, "192.0.2.7", &sin.sin_addr);
	nla_put_u32(msg, LAYA_A_CARRIER_IFINDEX, 3);
	nla_put_u32(msg, LAYA_A_CARRIER_CARRIER_ID, 17);
	nla_put_u32(msg, LAYA_A_CARRIER_TYPE, LAYA_CARRIER_TYPE_WSS);
	nla_put(msg, LAYA_A_CARRIER_REMOTE, sizeof(sin), &sin);
	nla_put_u32(msg, LAYA_A_CARRIER_ERROR, EPIPE);
	assert_int_equal(laya_nl_decode_carrier(&carrier, attrs(), len()), 0);
	assert_int_equal(carrier.carrier_id, 17);
	assert_int_equal(carrier.type, LAYA_CARRIER_TYPE_WSS);
	assert_int_equal(carrier.remote.port, 443);
	assert_int_equal(carrier.error, EPIPE);
	assert_false(laya_nl_has(&carrier, LAYA_A_CARRIER_PORT));
}

static void decode__drops(void **state)
{
	struct laya_nl_device device;
	struct nlattr *nest;
	unsigned int i;

	(void)state;
	for (i = 0; i < LAYA_NL_MAX_DROPS + 3; i++) {
		nest = nla_nest_start(msg, LAYA_A_DEVICE_DROPS);
		assert_non_null(nest);
		nla_put_string(msg, LAYA_A_DROP_REASON,
			       "a reason that is far longer than anybody would ever want to read on one line");
		nla_put_u64(msg, LAYA_A_DROP_PACKETS, i);
		nla_nest_end(msg, nest);
		if (len() > 3000)
			break;
	}
	assert_int_equal(laya_nl_decode_device(&device, attrs(), len()), 0);
	assert_in_range(device.n_drops, 2, LAYA_NL_MAX_DROPS);
	assert_true(device.drops[1].packets == 1);
	assert_int_equal(strlen(device.drops[0].reason),
			 LAYA_NL_REASON_SIZE - 1);
}

static void decode__truncated(void **state)
{
	struct laya_nl_peer peer;
	size_t whole;
	size_t i;

	(void)state;
	nla_put_u32(msg, LAYA_A_PEER_IFINDEX, 9);
	nla_put_u64(msg, LAYA_A_PEER_TX_BYTES, 1);
	whole = len();
	for (i = 0; i < whole; i++) {
		void *copy = malloc(i ? i : 1);

		memcpy(copy, attrs(), i);
		assert_int_equal(laya_nl_decode_peer(&peer, copy, i),
				 i == 0 || i == 8 ? 0 : -EBADMSG);
		free(copy);
	}
}

static void decode__random(void **state)
{
	struct laya_nl_device object;
	uint32_t words[64];
	unsigned int set;
	int i;
	size_t j;

	(void)state;
	srandom(1);
	for (i = 0; i < 200000; i++) {
		for (j = 0; j < 64; j++)
			words[j] = random();
		/* Plausible headers get further in. */
		for (j = 0; j < 64; j += 1 + random() % 4)
			words[j] = (random() % 40) |
				   (uint32_t)(random() % 30) << 16;
		for (set = 0; set <= LAYA_NL_SET_LABEL; set++)
			laya_nl_decode(set, &object, words,
				       random() % (sizeof(words) + 1));
	}
}

static void name__unknown(void **state)
{
	(void)state;
	assert_string_equal(laya_nl_kind_name(LAYA_PATH_KIND_PEER_RELAY),
			    "peer-relay");
	assert_string_equal(laya_nl_kind_name(0), "unknown");
	assert_string_equal(laya_nl_kind_name(UINT32_MAX), "unknown");
	assert_string_equal(laya_nl_carrier_name(LAYA_CARRIER_TYPE_UDP),
			    "udp");
	assert_string_equal(laya_nl_state_name(9), "unknown");
}

/* On a machine without the module this is what a user sees. */
static void open__without_module(void **state)
{
	char text[128] = "";
	struct laya_nl *nl;
	int err;

	(void)state;
	err = laya_nl_open(&nl, text, sizeof(text));
	if (!err) {
		laya_nl_close(nl);
		skip();
	}
	assert_null(nl);
	if (err == -ENOENT)
		assert_string_equal(text,
				    "the laya module is not loaded: modprobe laya");
	else
		assert_int_not_equal(strlen(text), 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(encode__round_trip),
		TEST(encode__only_what_is_present),
		TEST(encode__bad_values),
		TEST(decode__empty),
		TEST(decode__unknown_is_read_over),
		TEST(decode__wrong_sizes),
		TEST(decode__address_of_another_size),
		TEST(decode__carrier),
		TEST(decode__drops),
		TEST(decode__truncated),
		TEST(decode__random),
		TEST(name__unknown),
		TEST(open__without_module),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
