// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../message.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static uint8_t keys[3][LAYA_KEY_SIZE];
static const uint8_t body[LAYA_MAX_BODY] = { 1, 2, 3 };

static struct laya_address v4(uint8_t last, uint16_t port)
{
	struct laya_address address = {
		.family = AF_INET,
		.port = port,
		.addr = { 192, 0, 2, last },
	};

	return address;
}

static struct laya_address v6(uint8_t last, uint16_t port)
{
	struct laya_address address = {
		.family = AF_INET6,
		.port = port,
		.addr = { 0x20, 0x01, 0x0d, 0xb8, [15] = last },
	};

	return address;
}

static struct laya_candidates some_candidates(unsigned int n)
{
	struct laya_candidates candidates = { .n = n };
	struct laya_candidate *candidate;
	unsigned int i;

	for (i = 0; i < n; i++) {
		candidate = &candidates.list[i];
		candidate->type = 1 + i % 5;
		candidate->address = i % 2 ? v6(i, 60000 + i) : v4(i, i + 1);
		candidate->n_labels = i % 3;
		memset(candidate->labels, i + 1,
		       candidate->n_labels * LAYA_LABEL_SIZE);
		candidate->have_forwarder = i % 3 != 0;
		if (candidate->have_forwarder)
			memcpy(candidate->forwarder, keys[i % 3],
			       LAYA_KEY_SIZE);
	}
	return candidates;
}

/* A message of each type; the biggest ones that there are come last. */
static unsigned int make_messages(struct laya_message *list)
{
	struct laya_message *m = list;
	struct laya_relay *relay;
	unsigned int i;
	unsigned int j;

	memset(list, 0, 20 * sizeof(*list));
	m->type = LAYA_MESSAGE_REGISTER;
	m->reg.role = LAYA_ROLE_RELAY;
	m->reg.addresses.n = 2;
	m->reg.addresses.list[0] = v4(1, 5292);
	m->reg.addresses.list[1] = v6(1, 23);
	strcpy(m->reg.host_name, "relay-1.example.org");
	m++;
	m->type = LAYA_MESSAGE_REGISTER;
	m++;
	m->type = LAYA_MESSAGE_REGISTERED;
	m->registered.observed = v6(7, 65535);
	m->registered.relays.n = 1;
	memcpy(m->registered.relays.list[0].key, keys[1], LAYA_KEY_SIZE);
	strcpy(m->registered.relays.list[0].host_name, "relay.example.org");
	m++;
	for (i = LAYA_MESSAGE_OFFER; i <= LAYA_MESSAGE_FOLLOWUP; i++) {
		m->type = i;
		m->id = UINT64_MAX - i;
		memcpy(m->sealed.key, keys[2], LAYA_KEY_SIZE);
		m->sealed.body = body;
		m->sealed.body_len = i == LAYA_MESSAGE_OFFER ? 1 : 300;
		m++;
	}
	m->type = LAYA_MESSAGE_ERROR;
	m->id = 77;
	m->code = LAYA_MESSAGE_ERROR_MALFORMED;
	m++;
	m->type = LAYA_MESSAGE_PING;
	m->id = 0x123456789abcdef;
	m++;
	m->type = LAYA_MESSAGE_PONG;
	m++;
	m->type = LAYA_MESSAGE_ACK;
	m->id = 24;
	m++;
	m->type = LAYA_MESSAGE_CANDIDATES;
	m->id = 256;
	m->candidates = some_candidates(LAYA_MAX_CANDIDATES);
	m++;
	m->type = LAYA_MESSAGE_LABEL_REQUEST;
	m->id = 65536;
	m->label_request.n = 3;
	memcpy(m->label_request.keys, keys, sizeof(keys));
	m++;
	m->type = LAYA_MESSAGE_LABELS;
	m->labels.n = LAYA_MAX_LABELS;
	for (i = 0; i < LAYA_MAX_LABELS; i++) {
		memcpy(m->labels.list[i].key, keys[i % 3], LAYA_KEY_SIZE);
		memset(m->labels.list[i].label, i, LAYA_LABEL_SIZE);
	}
	m->labels.lifetime = 180;
	m->labels.addresses.n = 1;
	m->labels.addresses.list[0] = v4(9, 5292);
	m->labels.load = 100;
	m++;
	m->type = LAYA_MESSAGE_LABEL_RELEASE;
	m->label_release.n = 2;
	m++;
	m->type = LAYA_MESSAGE_TRUNK_REQUEST;
	m->id = 9;
	memcpy(m->trunk_request.key, keys[1], LAYA_KEY_SIZE);
	m->trunk_request.addresses.n = LAYA_MAX_ADDRESSES;
	for (i = 0; i < LAYA_MAX_ADDRESSES; i++)
		m->trunk_request.addresses.list[i] = v6(i, 5292 + i);
	m++;
	m->type = LAYA_MESSAGE_TRUNK;
	m->id = 9;
	memcpy(m->trunk.label.key, keys[1], LAYA_KEY_SIZE);
	memset(m->trunk.label.label, 0xa5, LAYA_LABEL_SIZE);
	m->trunk.lifetime = 180;
	m++;
	m->type = LAYA_MESSAGE_OFFER;
	memcpy(m->sealed.key, keys[0], LAYA_KEY_SIZE);
	m->sealed.body = body;
	m->sealed.body_len = LAYA_MAX_BODY;
	m++;
	m->type = LAYA_MESSAGE_RELAYS;
	m->relays.n = LAYA_MAX_RELAYS;
	for (i = 0; i < LAYA_MAX_RELAYS; i++) {
		relay = &m->relays.list[i];
		memcpy(relay->key, keys[i % 3], LAYA_KEY_SIZE);
		relay->addresses.n = LAYA_MAX_ADDRESSES;
		for (j = 0; j < LAYA_MAX_ADDRESSES; j++)
			relay->addresses.list[j] = v6(i, 60000 + j);
	}
	m++;
	m->type = LAYA_MESSAGE_REGISTERED;
	m->registered.observed = v6(7, 65535);
	m->registered.relays = m[-1].relays;
	m++;
	return m - list;
}

static bool sealed(const struct laya_message *m)
{
	return m->type == LAYA_MESSAGE_OFFER ||
	       m->type == LAYA_MESSAGE_ANSWER ||
	       m->type == LAYA_MESSAGE_FOLLOWUP;
}

static void assert_same(const struct laya_message *a,
			const struct laya_message *b)
{
	struct laya_message x = *a;
	struct laya_message y = *b;

	if (sealed(a)) {
		assert_int_equal(a->sealed.body_len, b->sealed.body_len);
		assert_memory_equal(a->sealed.body, b->sealed.body,
				    a->sealed.body_len);
		x.sealed.body = NULL;
		y.sealed.body = NULL;
	}
	assert_memory_equal(&x, &y, sizeof(x));
}

/* So that ASan sees each read too far */
static int decode_copy(const uint8_t *in, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct laya_message message;
	int ret;

	assert_non_null(copy);
	memcpy(copy, in, len);
	ret = laya_message_decode(&message, copy, len);
	free(copy);
	return ret;
}

static void decode__what_encode_wrote(void **state)
{
	uint8_t again[LAYA_MESSAGE_MAX];
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_message list[20];
	struct laya_message message;
	size_t again_len;
	unsigned int n;
	unsigned int i;
	size_t len;

	(void)state;
	n = make_messages(list);
	for (i = 0; i < n; i++) {
		assert_int_equal(laya_message_encode(&list[i], out, sizeof(out),
						     &len), 0);
		assert_int_equal(laya_message_decode(&message, out, len), 0);
		assert_same(&message, &list[i]);
		assert_int_equal(laya_message_encode(&message, again,
						     sizeof(again),
						     &again_len), 0);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, out, len);
	}
}

static void encode__bytes(void **state)
{
	static const uint8_t want[] = { 0xa2, 0, 7, 2, 0x19, 0x01, 0x02 };
	struct laya_message ping = { .type = LAYA_MESSAGE_PING, .id = 258 };
	uint8_t out[64];
	size_t len;

	(void)state;
	assert_int_equal(laya_message_encode(&ping, out, sizeof(out), &len), 0);
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(out, want, len);
}

static void encode__buffer_too_small(void **state)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_message list[20];
	unsigned int n;
	unsigned int i;
	uint8_t *small;
	size_t len;
	size_t cap;

	(void)state;
	n = make_messages(list);
	for (i = 0; i < n; i++) {
		assert_int_equal(laya_message_encode(&list[i], out, sizeof(out),
						     &len), 0);
		for (cap = 0; cap < len; cap += 1 + cap / 64) {
			size_t unused = 4711;

			small = malloc(cap ? cap : 1);
			assert_non_null(small);
			assert_int_equal(laya_message_encode(&list[i], small,
							     cap, &unused),
					 -EMSGSIZE);
			assert_int_equal(unused, 4711);
			free(small);
		}
	}
}

static void encode__refuses(void **state)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_message m;
	size_t len;

	(void)state;
#define REFUSED() assert_int_equal(laya_message_encode(&m, out, sizeof(out), \
						       &len), -EINVAL)
#define NEW(t) do { memset(&m, 0, sizeof(m)); m.type = (t); } while (0)
	NEW(0);
	REFUSED();
	NEW(17);
	REFUSED();
	NEW(LAYA_MESSAGE_REGISTER);
	m.reg.role = 2;
	REFUSED();
	NEW(LAYA_MESSAGE_REGISTER);
	m.reg.addresses.n = LAYA_MAX_ADDRESSES + 1;
	REFUSED();
	NEW(LAYA_MESSAGE_REGISTER);
	m.reg.addresses.n = 1;		/* no family */
	REFUSED();
	NEW(LAYA_MESSAGE_REGISTER);
	strcpy(m.reg.host_name, "127.0.0.1");
	REFUSED();
	NEW(LAYA_MESSAGE_RELAYS);
	m.relays.n = LAYA_MAX_RELAYS + 1;
	REFUSED();
	NEW(LAYA_MESSAGE_RELAYS);
	m.relays.n = 1;			/* zero key */
	REFUSED();
	NEW(LAYA_MESSAGE_OFFER);
	memcpy(m.sealed.key, keys[0], LAYA_KEY_SIZE);
	REFUSED();			/* no body */
	m.sealed.body = body;
	m.sealed.body_len = LAYA_MAX_BODY + 1;
	REFUSED();
	NEW(LAYA_MESSAGE_CANDIDATES);
	m.candidates.n = LAYA_MAX_CANDIDATES + 1;
	REFUSED();
	m.candidates = some_candidates(1);
	m.candidates.list[0].n_labels = 3;
	REFUSED();
	m.candidates = some_candidates(1);
	m.candidates.list[0].type = 0;
	REFUSED();
	NEW(LAYA_MESSAGE_LABELS);
	m.labels.n = LAYA_MAX_LABELS + 1;
	REFUSED();
	NEW(LAYA_MESSAGE_LABEL_REQUEST);
	m.label_request.n = LAYA_MAX_LABELS + 1;
	REFUSED();
	NEW(LAYA_MESSAGE_LABEL_RELEASE);
	m.label_release.n = LAYA_MAX_LABELS + 1;
	REFUSED();
	NEW(LAYA_MESSAGE_TRUNK_REQUEST);
	REFUSED();			/* zero key */
	memcpy(m.trunk_request.key, keys[0], LAYA_KEY_SIZE);
	m.trunk_request.addresses.n = LAYA_MAX_ADDRESSES + 1;
	REFUSED();
	NEW(LAYA_MESSAGE_TRUNK);
	REFUSED();			/* zero key */
#undef NEW
#undef REFUSED
}

static void relay_size__is_enough(void **state)
{
	struct laya_message m = { .type = LAYA_MESSAGE_REGISTERED };
	struct laya_relays *relays = &m.registered.relays;
	struct laya_relay relay = { .addresses.n = LAYA_MAX_ADDRESSES };
	uint8_t out[LAYA_MESSAGE_MAX];
	size_t none;
	size_t len;
	unsigned int i;

	(void)state;
	memcpy(relay.key, keys[0], LAYA_KEY_SIZE);
	for (i = 0; i < LAYA_MAX_ADDRESSES; i++)
		relay.addresses.list[i] = v6(i, 65535);
	assert_true(LAYA_MAX_RELAYS * laya_relay_size(&relay) <=
		    LAYA_MAX_RELAYS_SIZE);
	memset(relay.host_name, 'a', LAYA_HOST_NAME_SIZE - 1);
	relay.host_name[1] = '.';
	m.registered.observed = v6(7, 65535);
	assert_int_equal(laya_message_encode(&m, out, sizeof(out), &none), 0);
	assert_true(none + LAYA_MAX_RELAYS_SIZE <= LAYA_MESSAGE_MAX);
	for (i = 1; i <= LAYA_MAX_RELAYS_SIZE / laya_relay_size(&relay); i++) {
		relays->list[relays->n++] = relay;
		assert_int_equal(laya_message_encode(&m, out, sizeof(out),
						     &len), 0);
		/* and one more byte for how many there are */
		assert_true(len <= none + i * laya_relay_size(&relay) + 1);
	}
}

static void decode__truncated_at_every_byte(void **state)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_message list[20];
	unsigned int n;
	unsigned int i;
	size_t len;
	size_t cut;

	(void)state;
	n = make_messages(list);
	for (i = 0; i < n; i++) {
		assert_int_equal(laya_message_encode(&list[i], out, sizeof(out),
						     &len), 0);
		for (cut = 0; cut < len; cut++)
			assert_int_equal(decode_copy(out, cut), -EBADMSG);
	}
}

static void decode__trailing_byte(void **state)
{
	uint8_t out[LAYA_MESSAGE_MAX + 1];
	struct laya_message list[20];
	unsigned int n;
	unsigned int i;
	size_t len;

	(void)state;
	n = make_messages(list);
	for (i = 0; i < n; i++) {
		assert_int_equal(laya_message_encode(&list[i], out,
						     LAYA_MESSAGE_MAX, &len),
				 0);
		out[len] = 0;
		assert_int_equal(decode_copy(out, len + 1), -EBADMSG);
	}
}

/* Whatever a flipped bit makes of a message, it is read or refused. */
static void decode__every_bit_flipped(void **state)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_message list[20];
	struct laya_message message;
	unsigned int n;
	unsigned int i;
	size_t again;
	size_t bit;
	size_t len;
	int ret;

	(void)state;
	n = make_messages(list);
	for (i = 0; i < n; i++) {
		assert_int_equal(laya_message_encode(&list[i], out, sizeof(out),
						     &len), 0);
		for (bit = 0; bit < 8 * len; bit += len > 400 ? 7 : 1) {
			uint8_t copy[LAYA_MESSAGE_MAX];

			out[bit / 8] ^= 1 << bit % 8;
			ret = laya_message_decode(&message, out, len);
			assert_true(ret == 0 || ret == -EBADMSG);
			if (ret == 0)
				assert_true(laya_message_encode(&message, copy,
								sizeof(copy),
								&again) == 0);
			out[bit / 8] ^= 1 << bit % 8;
		}
	}
}

static void decode__refuses(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
	} bad[] = {
		{ "nothing", "" },
		{ "no map", "00" },
		{ "an array", "820007" },
		{ "empty map", "a0" },
		{ "no type", "a10200" },
		{ "type only", "a10007" },
		{ "unknown type 0", "a200000200" },
		{ "unknown type 17", "a200110200" },
		{ "type is text", "a20061610200" },
		{ "type is negative", "a200260200" },
		{ "indefinite map", "bf00070200ff" },
		{ "duplicate id", "a3000702000200" },
		{ "descending keys", "a202000007" },
		{ "descending keys behind the type", "a3000604010200" },
		{ "duplicate optional key", "a400070200188000188000" },
		{ "descending optional keys", "a400070200188100188000" },
		{ "duplicate type", "a3000700070200" },
		{ "unknown key 3", "a3000702000300" },
		{ "unknown key 127", "a300070200187f00" },
		{ "long form of 7", "a20018070200" },
		{ "long form of id", "a2000702190001" },
		{ "long form of id, 8 bytes", "a20007021b00000000ffffffff" },
		{ "long form of map", "b80200070200" },
		{ "id is bytes", "a20007024100" },
		{ "id is a float", "a2000702f90000" },
		{ "id is a tag", "a2000702c100" },
		{ "more pairs said than there", "a300070200" },
		{ "huge map", "bb7fffffffffffffff00070200" },
		{ "huge map 2", "bbffffffffffffffff00070200" },
		{ "role 2", "a40001010202800340" },
		{ "addresses are a map", "a40001010002a00340" },
		{ "address of 5 bytes", "a400010101028182450102030405010340" },
		{ "address of 16 bytes cut", "a4000101010281825001" },
		{ "port too big", "a40001010102818244010203041a000100000340" },
		{ "address of three", "a400010101028183440102030401010340" },
		{ "five addresses", "a40001010102858244010203040182440102030401"
		  "8244010203040182440102030401824401020304010340" },
		{ "no name", "a3000101010280" },
		{ "name is text", "a4000101010280" "0363612e62" },
		{ "name without a dot", "a4000101010280" "034161" },
		{ "name with NUL", "a4000101010280" "0343612e00" },
		{ "name of 64 characters", "a4000101010280" "035840"
		  "612e6161616161616161616161616161616161616161616161616161616161"
		  "616161616161616161616161616161616161616161616161616161616161616161"
		},
		{ "huge array", "a400010101029bffffffffffffffff" },
		{ "huge bytes", "a4000101010281825bffffffffffffffff" },
		{ "indefinite array", "a400010101029fff" },
		{ "indefinite bytes", "a4000101010281825f4401020304ff01" },
		{ "error code too big", "a300060200041b0000000100000000" },
		{ "reserved head", "a20007021c" },
		{ "break", "a2000702ff" },
	};
	uint8_t bytes[256];
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(sodium_hex2bin(bytes, sizeof(bytes),
						bad[i].hex,
						strlen(bad[i].hex), " ", &len,
						NULL), 0);
		if (decode_copy(bytes, len) != -EBADMSG)
			fail_msg("%s was not refused", bad[i].what);
	}
}

static void decode__refuses_bad_keys(void **state)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_message offer = { .type = LAYA_MESSAGE_OFFER };
	uint8_t *key;
	size_t len;

	(void)state;
	memcpy(offer.sealed.key, keys[0], LAYA_KEY_SIZE);
	offer.sealed.body = body;
	offer.sealed.body_len = 1;
	assert_int_equal(laya_message_encode(&offer, out, sizeof(out), &len),
			 0);
	key = memmem(out, len, keys[0], LAYA_KEY_SIZE);
	assert_non_null(key);
	assert_int_equal(decode_copy(out, len), 0);
	memset(key, 0, LAYA_KEY_SIZE);		/* low order */
	assert_int_equal(decode_copy(out, len), -EBADMSG);
	memset(key, 0xff, LAYA_KEY_SIZE);	/* not canonical */
	assert_int_equal(decode_copy(out, len), -EBADMSG);
}

static void decode__body_limits(void **state)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	uint8_t head[] = { 0xa4, 0, 3, 1, 0x58, 0x20 };
	size_t len = 0;

	(void)state;
	memcpy(out, head, sizeof(head));
	memcpy(out + 6, keys[0], 32);
	len = 38;
	out[len++] = 2;
	out[len++] = 0;
	out[len++] = 3;
	out[len] = 0x40;			/* empty */
	assert_int_equal(decode_copy(out, len + 1), -EBADMSG);
	out[len++] = 0x59;
	out[len++] = (LAYA_MAX_BODY + 1) >> 8;
	out[len++] = (LAYA_MAX_BODY + 1) & 255;
	memset(out + len, 0, LAYA_MAX_BODY + 1);
	assert_int_equal(decode_copy(out, len + LAYA_MAX_BODY + 1), -EBADMSG);
	out[len - 1] = LAYA_MAX_BODY & 255;
	assert_int_equal(decode_copy(out, len + LAYA_MAX_BODY), 0);
}

static void decode__too_long(void **state)
{
	uint8_t *out = calloc(1, LAYA_MESSAGE_MAX + 1);
	/* ping with an optional key that fills it up */
	uint8_t head[] = { 0xa3, 0, 7, 2, 0, 0x18, 200, 0x59, 0, 0 };
	size_t fill = LAYA_MESSAGE_MAX - sizeof(head);

	(void)state;
	assert_non_null(out);
	memcpy(out, head, sizeof(head));
	out[8] = fill >> 8;
	out[9] = fill;
	assert_int_equal(decode_copy(out, LAYA_MESSAGE_MAX), 0);
	fill++;
	out[8] = fill >> 8;
	out[9] = fill;
	assert_int_equal(decode_copy(out, LAYA_MESSAGE_MAX + 1), -EBADMSG);
	free(out);
}

static int decode_optional(const char *hex)
{
	uint8_t bytes[512] = { 0xa3, 0, 7, 2, 0, 0x18, 0x80 };
	size_t len;

	assert_int_equal(sodium_hex2bin(bytes + 7, sizeof(bytes) - 7, hex,
					strlen(hex), " ", &len, NULL), 0);
	return decode_copy(bytes, 7 + len);
}

static void decode__optional_keys(void **state)
{
	static const char * const good[] = {
		"00", "20", "4101", "6161", "80", "a0", "f5", "f6", "f93c00",
		"fb3ff0000000000000", "c100", "a1616181a10102",
		/* depth 8 */
		"818181818181818100",
	};
	static const char * const bad[] = {
		"", "9fff", "bfff", "5f4101ff", "7fff", "ff", "fc", "81",
		"a101", "c1", "9bffffffffffffffff", "bbffffffffffffffff",
		"bb8000000000000000", "1801",
		/* depth 9 */
		"81818181818181818100", "c1c1c1c1c1c1c1c1c100",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (decode_optional(good[i]) != 0)
			fail_msg("%s was refused", good[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (decode_optional(bad[i]) != -EBADMSG)
			fail_msg("%s was not refused", bad[i]);
	}
}

static void decode__candidates_beyond_16(void **state)
{
	struct laya_message in = { .type = LAYA_MESSAGE_CANDIDATES };
	struct laya_message message;
	uint8_t out[LAYA_MESSAGE_MAX];
	uint8_t one[64];
	size_t one_len;
	size_t start = 7;
	size_t len;

	(void)state;
	in.candidates = some_candidates(1);
	assert_int_equal(laya_message_encode(&in, out, sizeof(out), &len), 0);
	assert_int_equal(out[5], 3);
	assert_int_equal(out[6], 0x81);
	one_len = len - start;
	memcpy(one, out + start, one_len);
	out[6] = 0x94;			/* 20 */
	for (len = start; len < start + 20 * one_len; len += one_len)
		memcpy(out + len, one, one_len);
	assert_int_equal(laya_message_decode(&message, out, len), 0);
	assert_int_equal(message.candidates.n, LAYA_MAX_CANDIDATES);
	/* a bad one behind those that are kept */
	out[start + 19 * one_len] = 0x84;
	assert_int_equal(laya_message_decode(&message, out, len), -EBADMSG);
	out[start + 19 * one_len] = 0x85;
	/* a type of the future is passed over */
	out[start + 1] = 0x17;
	out[6] = 0x82;
	assert_int_equal(laya_message_decode(&message, out,
					     start + 2 * one_len), 0);
	assert_int_equal(message.candidates.n, 1);
	out[start + 1] = 0;
	assert_int_equal(laya_message_decode(&message, out,
					     start + 2 * one_len), -EBADMSG);
}

static struct laya_payload some_payload(enum laya_payload_kind kind)
{
	struct laya_payload payload = { 0 };

	if (kind != LAYA_PAYLOAD_FOLLOWUP) {
		payload.stamp = 1234567890123456;
		payload.index = UINT32_MAX;
		payload.n_ciphers = kind == LAYA_PAYLOAD_ANSWER ? 1 : 2;
		payload.ciphers[0] = LAYA_CIPHER_AES_256_GCM;
		if (kind == LAYA_PAYLOAD_OFFER)
			payload.ciphers[1] = LAYA_CIPHER_CHACHA20_POLY1305;
	}
	payload.candidates = some_candidates(LAYA_MAX_CANDIDATES);
	return payload;
}

static void payload__round_trip_and_truncation(void **state)
{
	struct laya_payload in;
	struct laya_payload got;
	uint8_t out[LAYA_MAX_BODY];
	uint8_t *copy;
	size_t len;
	size_t cut;
	int kind;

	(void)state;
	for (kind = 0; kind <= LAYA_PAYLOAD_FOLLOWUP; kind++) {
		in = some_payload(kind);
		assert_int_equal(laya_payload_encode(&in, kind, out,
						     sizeof(out), &len), 0);
		assert_int_equal(laya_payload_decode(&got, kind, out, len), 0);
		assert_memory_equal(&got, &in, sizeof(in));
		for (cut = 0; cut < len; cut++) {
			copy = malloc(cut ? cut : 1);
			assert_non_null(copy);
			memcpy(copy, out, cut);
			assert_int_equal(laya_payload_decode(&got, kind, copy,
							     cut), -EBADMSG);
			free(copy);
			assert_int_equal(laya_payload_encode(&in, kind, out,
							     cut, &(size_t){ 0 }
							     ), -EMSGSIZE);
			laya_payload_encode(&in, kind, out, sizeof(out), &len);
		}
		out[len] = 0;
		assert_int_equal(laya_payload_decode(&got, kind, out, len + 1),
				 -EBADMSG);
	}
}

static void payload__limits(void **state)
{
	struct laya_payload payload = some_payload(LAYA_PAYLOAD_OFFER);
	uint8_t out[LAYA_MAX_BODY];
	struct laya_payload got;
	size_t len;

	(void)state;
	payload.index = 0;
	assert_int_equal(laya_payload_encode(&payload, LAYA_PAYLOAD_OFFER, out,
					     sizeof(out), &len), -EINVAL);
	payload.index = 1;
	payload.n_ciphers = 0;
	assert_int_equal(laya_payload_encode(&payload, LAYA_PAYLOAD_OFFER, out,
					     sizeof(out), &len), -EINVAL);
	payload.n_ciphers = LAYA_MAX_CIPHERS + 1;
	assert_int_equal(laya_payload_encode(&payload, LAYA_PAYLOAD_OFFER, out,
					     sizeof(out), &len), -EINVAL);
	payload.n_ciphers = 2;
	assert_int_equal(laya_payload_encode(&payload, LAYA_PAYLOAD_ANSWER, out,
					     sizeof(out), &len), -EINVAL);
	/* an offer is no answer, no follow-up */
	assert_int_equal(laya_payload_encode(&payload, LAYA_PAYLOAD_OFFER, out,
					     sizeof(out), &len), 0);
	assert_int_equal(laya_payload_decode(&got, LAYA_PAYLOAD_ANSWER, out,
					     len), -EBADMSG);
	assert_int_equal(laya_payload_decode(&got, LAYA_PAYLOAD_FOLLOWUP, out,
					     len), -EBADMSG);
}

static void address__text(void **state)
{
	static const char * const good[] = {
		"192.0.2.1:5292", "[2001:db8::1]:1", "0.0.0.0:0",
		"[::]:65535",
	};
	static const char * const bad[] = {
		"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536",
		"192.0.2.1:-1", "192.0.2.1:1x", "192.0.2:1", "2001:db8::1",
		"2001:db8::1:80", "[192.0.2.1]:1", "[2001:db8::1]1", "[::1]",
		"[::1:5", "host:1", "[]:1",
	};
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct laya_address address;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(laya_address_parse(&address, good[i]), 0);
		laya_address_format(text, &address);
		assert_string_equal(text, good[i]);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (laya_address_parse(&address, bad[i]) != -EINVAL)
			fail_msg("\"%s\" was not refused", bad[i]);
	}
}

static void host_name__valid(void **state)
{
	static const char * const good[] = {
		"a.b", "relay.example.org", "4.relays.example", "x--y.a1",
		"R.EXAMPLE", "a.xn--bcher-kva",
		"63.characters.are.the.most.that.all.software.takes.in-a-name.xx",
	};
	static const char * const bad[] = {
		"", ".", "localhost", "a.", ".a", "a..b", "-a.b", "a-.b", "a.-b",
		"a_b.c", "a.b ", "a b.c", "a.b\n", "a/b.c", "a.b:80", "[::1]",
		"127.0.0.1", "10.1", "a.0x7f", "\xc3\xa4.b",
		"64.characters.are.one.more.than.all.software.takes.in-a-name.xxx",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		if (!laya_host_name_valid(good[i], strlen(good[i])))
			fail_msg("%s was refused", good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (laya_host_name_valid(bad[i], strlen(bad[i])))
			fail_msg("%s was not refused", bad[i]);
}

static void address__split(void **state)
{
	char host[16];
	char port[6];

	(void)state;
	assert_int_equal(laya_address_split("a.example:7", host, 16, port, 6,
					    NULL), 0);
	assert_string_equal(host, "a.example");
	assert_string_equal(port, "7");
	assert_int_equal(laya_address_split("a.example", host, 16, port, 6,
					    NULL), -EINVAL);
	assert_int_equal(laya_address_split("a.example", host, 16, port, 6,
					    "5291"), 0);
	assert_string_equal(port, "5291");
	assert_int_equal(laya_address_split("::1", host, 16, port, 6, "5291"),
			 0);
	assert_string_equal(host, "::1");
	assert_int_equal(laya_address_split("[::1]", host, 16, port, 6,
					    "5291"), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(laya_address_split("sixteen-bytes-ok", host, 16, port,
					    6, "1"), -EINVAL);
	assert_int_equal(laya_address_split("a:123456", host, 16, port, 6,
					    NULL), -EINVAL);
	assert_int_equal(laya_address_split(":1", host, 16, port, 6, NULL),
			 -EINVAL);
}

static void address__dialable(void **state)
{
	static const char * const yes[] = {
		"192.0.2.1:1", "10.0.0.1:1", "100.64.0.1:1", "1.1.1.1:65535",
		"169.254.1.1:1", "240.0.0.1:1", "[2001:db8::1]:1",
		"[fd00::1]:1", "[fe80::1]:1", "[64:ff9b::1]:1",
		"[2001:30::1]:1",
	};
	static const char * const no[] = {
		"192.0.2.1:0", "0.0.0.0:1", "0.1.2.3:1", "127.0.0.1:1",
		"127.255.255.255:1", "224.0.0.1:1", "239.1.1.1:1",
		"255.255.255.255:1", "[::]:1", "[::1]:1", "[ff02::1]:1",
		"[2001:20::1]:1", "[2001:2f:ffff::1]:1",
		"[::ffff:127.0.0.1]:1", "[::ffff:192.0.2.1]:1",
		"[::192.0.2.1]:1",
	};
	struct laya_address address;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_int_equal(laya_address_parse(&address, yes[i]), 0);
		if (!laya_address_is_dialable(&address))
			fail_msg("%s cannot be dialled", yes[i]);
	}
	for (i = 0; i < ARRAY_SIZE(no); i++) {
		assert_int_equal(laya_address_parse(&address, no[i]), 0);
		if (laya_address_is_dialable(&address))
			fail_msg("%s can be dialled", no[i]);
	}
}

static void address__sockaddr(void **state)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6,
				       .sin6_port = htons(9) };
	struct sockaddr_storage ss;
	struct laya_address address;
	struct laya_address back;

	(void)state;
	address = v6(3, 4);
	assert_int_equal(laya_address_to_sockaddr(&address, &ss),
			 sizeof(struct sockaddr_in6));
	assert_int_equal(laya_address_from_sockaddr(&back,
						    (struct sockaddr *)&ss), 0);
	assert_true(laya_address_equal(&address, &back));
	address = v4(3, 4);
	assert_int_equal(laya_address_to_sockaddr(&address, &ss),
			 sizeof(struct sockaddr_in));
	assert_int_equal(laya_address_from_sockaddr(&back,
						    (struct sockaddr *)&ss), 0);
	assert_true(laya_address_equal(&address, &back));
	back.port++;
	assert_false(laya_address_equal(&address, &back));

	memcpy(&mapped.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	assert_int_equal(laya_address_from_sockaddr(&back, (struct sockaddr *)
						    &mapped), 0);
	address = v4(1, 9);
	assert_true(laya_address_equal(&address, &back));

	ss.ss_family = AF_UNIX;
	assert_int_equal(laya_address_from_sockaddr(&back,
						    (struct sockaddr *)&ss),
			 -EAFNOSUPPORT);
}

static void candidates__add(void **state)
{
	struct laya_candidates list = { 0 };
	struct laya_candidates some = some_candidates(LAYA_MAX_CANDIDATES);
	struct laya_candidate other = some.list[0];
	unsigned int i;

	(void)state;
	for (i = 0; i < some.n; i++) {
		assert_int_equal(laya_candidates_add(&list, &some.list[i]), 0);
		assert_int_equal(laya_candidates_add(&list, &some.list[i]),
				 -EEXIST);
	}
	other.address.port = 9999;
	assert_int_equal(laya_candidates_add(&list, &other), -ENOSPC);
}

static int make_keys(void **state)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (laya_key_generate(private_key) ||
		    laya_key_public(keys[i], private_key))
			return -1;
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encode__bytes),
		cmocka_unit_test(encode__buffer_too_small),
		cmocka_unit_test(encode__refuses),
		cmocka_unit_test(decode__what_encode_wrote),
		cmocka_unit_test(relay_size__is_enough),
		cmocka_unit_test(decode__truncated_at_every_byte),
		cmocka_unit_test(decode__trailing_byte),
		cmocka_unit_test(decode__every_bit_flipped),
		cmocka_unit_test(decode__refuses),
		cmocka_unit_test(decode__refuses_bad_keys),
		cmocka_unit_test(decode__body_limits),
		cmocka_unit_test(decode__too_long),
		cmocka_unit_test(decode__optional_keys),
		cmocka_unit_test(decode__candidates_beyond_16),
		cmocka_unit_test(payload__round_trip_and_truncation),
		cmocka_unit_test(payload__limits),
		cmocka_unit_test(address__text),
		cmocka_unit_test(host_name__valid),
		cmocka_unit_test(address__split),
		cmocka_unit_test(address__dialable),
		cmocka_unit_test(address__sockaddr),
		cmocka_unit_test(candidates__add),
	};

	return cmocka_run_group_tests_name("message", tests, make_keys, NULL);
}
