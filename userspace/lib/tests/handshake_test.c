// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "../cipher.h"
#include "../handshake.h"
#include "../stamp.h"

#define N_PEERS	3

struct node {
	struct laya_identity self;
	struct laya_handshake_peer peers[N_PEERS];
	size_t n_peers;
};

/* alice dials bob; carol is another peer of bob; nobody knows mallory */
struct nodes {
	struct node alice;
	struct node bob;
	struct node carol;
	struct node mallory;
	struct laya_candidates few;
	struct laya_candidates all;
};

static struct laya_handshake_peer *lookup(void *data, const uint8_t *key)
{
	struct node *node = data;
	size_t i;

	for (i = 0; i < node->n_peers; i++) {
		if (laya_key_equal(node->peers[i].key, key))
			return &node->peers[i];
	}
	return NULL;
}

static struct laya_handshake_peer *at(void *data, size_t index)
{
	struct node *node = data;

	return index < node->n_peers ? &node->peers[index] : NULL;
}

static struct laya_handshake_table table(struct node *node)
{
	struct laya_handshake_table t = {
		.lookup = lookup,
		.at = at,
		.data = node,
	};

	return t;
}

static void make_node(struct node *node, bool accelerated)
{
	uint8_t private_key[LAYA_KEY_SIZE];

	assert_int_equal(laya_key_generate(private_key), 0);
	assert_int_equal(laya_identity_init(&node->self, private_key,
					    accelerated), 0);
}

static void add_peer(struct node *node, const struct node *peer,
		     const uint8_t *psk)
{
	assert_int_equal(laya_handshake_peer_init(&node->peers[node->n_peers++],
						  &node->self,
						  peer->self.public_key, psk),
			 0);
}

static int setup(void **state)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));
	struct laya_candidate candidate = {
		.type = LAYA_CANDIDATE_RELAY,
		.n_labels = 1,
	};

	assert_non_null(nodes);
	make_node(&nodes->alice, true);
	make_node(&nodes->bob, true);
	make_node(&nodes->carol, false);
	make_node(&nodes->mallory, true);
	add_peer(&nodes->alice, &nodes->bob, NULL);
	add_peer(&nodes->bob, &nodes->carol, NULL);
	add_peer(&nodes->bob, &nodes->alice, NULL);
	add_peer(&nodes->carol, &nodes->bob, NULL);
	add_peer(&nodes->mallory, &nodes->bob, NULL);
	add_peer(&nodes->mallory, &nodes->alice, NULL);
	laya_address_parse(&candidate.address, "192.0.2.1:5292");
	laya_candidates_add(&nodes->few, &candidate);
	nodes->all = nodes->few;
	candidate.type = LAYA_CANDIDATE_HOST;
	candidate.n_labels = 0;
	laya_address_parse(&candidate.address, "[2001:db8::1]:9");
	laya_candidates_add(&nodes->all, &candidate);
	*state = nodes;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

struct message {
	uint8_t body[LAYA_MAX_BODY];
	size_t len;
};

static void make_offer(struct nodes *nodes, struct laya_offer *offer,
		       uint64_t stamp, struct message *out)
{
	assert_int_equal(laya_offer_make(offer, &nodes->alice.self,
					 &nodes->alice.peers[0], stamp, 0x1111,
					 &nodes->few, out->body,
					 sizeof(out->body), &out->len), 0);
}

static int read_offer_as(struct nodes *nodes, struct laya_request *request,
			 const uint8_t *claimed, const struct message *in)
{
	struct laya_handshake_table t = table(&nodes->bob);

	return laya_offer_read(request, &nodes->bob.self, &t, claimed, in->body,
			       in->len);
}

static int read_offer(struct nodes *nodes, struct laya_request *request,
		      const struct message *in)
{
	return read_offer_as(nodes, request, nodes->alice.self.public_key, in);
}

static void make_answer(struct nodes *nodes, struct laya_session_keys *keys,
			struct laya_request *request, struct message *out)
{
	assert_int_equal(laya_answer_make(keys, request, &nodes->bob.self,
					  0x2222, &nodes->all, out->body,
					  sizeof(out->body), &out->len), 0);
}

static void handshake__three_messages(void **state)
{
	struct nodes *nodes = *state;
	struct laya_session_keys alice;
	struct laya_session_keys bob;
	struct laya_candidates got;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;
	struct message m2;
	struct message m3;

	make_offer(nodes, &offer, 1000, &m1);
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
	assert_ptr_equal(request.peer, &nodes->bob.peers[1]);
	assert_int_equal(request.payload.stamp, 1000);
	assert_int_equal(request.payload.index, 0x1111);
	assert_int_equal(request.payload.candidates.n, 1);
	make_answer(nodes, &bob, &request, &m2);
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
					  m2.len), 0);
	assert_memory_equal(&got, &nodes->all, sizeof(got));

	assert_true(alice.initiator);
	assert_false(bob.initiator);
	assert_int_equal(alice.rx_index, 0x1111);
	assert_int_equal(alice.tx_index, 0x2222);
	assert_int_equal(bob.rx_index, 0x2222);
	assert_int_equal(bob.tx_index, 0x1111);
	assert_int_equal(alice.cipher, LAYA_CIPHER_AES_256_GCM);
	assert_int_equal(bob.cipher, LAYA_CIPHER_AES_256_GCM);
	assert_memory_equal(alice.rx_key, bob.tx_key, 32);
	assert_memory_equal(alice.tx_key, bob.rx_key, 32);
	assert_memory_not_equal(alice.rx_key, alice.tx_key, 32);
	assert_memory_not_equal(alice.followup_key, alice.tx_key, 32);

	assert_int_equal(laya_followup_make(&alice, &nodes->all, m3.body,
					    sizeof(m3.body), &m3.len), 0);
	/* one message only under that key */
	assert_int_equal(laya_followup_make(&alice, &nodes->all, m3.body,
					    sizeof(m3.body), &m3.len), -EPROTO);
	/* a forged one does not keep the true one out */
	m3.body[3] ^= 1;
	assert_int_equal(laya_followup_read(&bob, &got, m3.body, m3.len),
			 -EBADMSG);
	m3.body[3] ^= 1;
	assert_int_equal(laya_followup_read(&bob, &got, m3.body, m3.len), 0);
	assert_memory_equal(&got, &nodes->all, sizeof(got));
	assert_int_equal(laya_followup_read(&bob, &got, m3.body, m3.len),
			 -EALREADY);
	assert_int_equal(laya_followup_read(&alice, &got, m3.body, m3.len),
			 -EPROTO);
	assert_int_equal(laya_followup_make(&bob, &nodes->all, m3.body,
					    sizeof(m3.body), &m3.len), -EPROTO);
}

static void handshake__derivation(void **state)
{
	struct nodes *nodes = *state;
	struct laya_session_keys alice;
	struct laya_session_keys bob;
	struct laya_candidates got;
	struct laya_request request;
	uint8_t expected[32];
	struct laya_offer offer;
	struct message m1;
	struct message m2;

	make_offer(nodes, &offer, 1, &m1);
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
	make_answer(nodes, &bob, &request, &m2);
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
					  m2.len), 0);
	/* k_ir seals the follow-up and is the parent of the initiator's key */
	crypto_auth_hmacsha256(expected, (const uint8_t *)"laya session key 1",
			       18, alice.followup_key);
	assert_memory_equal(expected, alice.tx_key, 32);
}

static void offer__tag_is_as_documented(void **state)
{
	struct nodes *nodes = *state;
	crypto_hash_sha256_state hash;
	struct laya_offer offer;
	uint8_t secret[32];
	struct message m1;
	uint8_t mac[32];
	uint8_t key[32];

	make_offer(nodes, &offer, 1, &m1);
	assert_int_equal(laya_key_shared(secret, nodes->bob.self.private_key,
					 nodes->alice.self.public_key), 0);
	crypto_hash_sha256_init(&hash);
	crypto_hash_sha256_update(&hash, (const uint8_t *)"laya tag 1", 10);
	crypto_hash_sha256_update(&hash, secret, 32);
	crypto_hash_sha256_final(&hash, key);
	crypto_auth_hmacsha256(mac, m1.body + 16, m1.len - 16, key);
	assert_memory_equal(mac, m1.body, 16);
}

static void offer__replayed(void **state)
{
	struct nodes *nodes = *state;
	struct laya_request request;
	struct laya_offer offer;
	struct message first;
	struct message second;
	struct message equal;

	make_offer(nodes, &offer, 1000, &first);
	make_offer(nodes, &offer, 1001, &second);
	make_offer(nodes, &offer, 1001, &equal);
	assert_int_equal(read_offer(nodes, &request, &first), 0);
	/* an exact duplicate of the newest: its answer again */
	assert_int_equal(read_offer(nodes, &request, &first), -EALREADY);
	assert_ptr_equal(request.peer, &nodes->bob.peers[1]);
	assert_int_equal(read_offer(nodes, &request, &second), 0);
	/* no longer the newest */
	assert_int_equal(read_offer(nodes, &request, &first), -ESTALE);
	assert_int_equal(read_offer(nodes, &request, &equal), -ESTALE);
	assert_int_equal(read_offer(nodes, &request, &second), -EALREADY);

	/* after a restart the stamp is known, the hash is not */
	memset(nodes->bob.peers[1].offer_hash, 0, LAYA_OFFER_HASH_SIZE);
	assert_int_equal(read_offer(nodes, &request, &second), -ESTALE);
	assert_int_equal(nodes->bob.peers[1].stamp, 1001);
}

static void offer__wrong_claim(void **state)
{
	struct nodes *nodes = *state;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;

	/* a rendezvous that lies about who it is from */
	make_offer(nodes, &offer, 5, &m1);
	assert_int_equal(read_offer_as(nodes, &request,
				       nodes->carol.self.public_key, &m1), 0);
	assert_ptr_equal(request.peer, &nodes->bob.peers[1]);
	make_offer(nodes, &offer, 6, &m1);
	assert_int_equal(read_offer_as(nodes, &request,
				       nodes->mallory.self.public_key, &m1),
			 0);
	assert_ptr_equal(request.peer, &nodes->bob.peers[1]);
}

static void offer__of_a_stranger(void **state)
{
	struct nodes *nodes = *state;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;

	assert_int_equal(laya_offer_make(&offer, &nodes->mallory.self,
					 &nodes->mallory.peers[0], 1, 1,
					 &nodes->few, m1.body, sizeof(m1.body),
					 &m1.len), 0);
	assert_int_equal(read_offer(nodes, &request, &m1), -ENOENT);
	assert_int_equal(read_offer_as(nodes, &request,
				       nodes->mallory.self.public_key, &m1),
			 -ENOENT);
}

static void offer__wrong_tag(void **state)
{
	struct nodes *nodes = *state;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;
	size_t i;

	make_offer(nodes, &offer, 1, &m1);
	for (i = 0; i < LAYA_TAG_SIZE; i++) {
		m1.body[i] ^= 0x80;
		assert_int_equal(read_offer(nodes, &request, &m1), -ENOENT);
		m1.body[i] ^= 0x80;
	}
	/* the tag covers all of the message */
	for (i = LAYA_TAG_SIZE; i < m1.len; i++) {
		m1.body[i] ^= 1;
		assert_int_equal(read_offer(nodes, &request, &m1), -ENOENT);
		m1.body[i] ^= 1;
	}
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
}

/* Bob tags, with the key that he shares with carol, what alice wrote. */
static void offer__tag_of_another_peer(void **state)
{
	struct nodes *nodes = *state;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;
	uint8_t mac[32];

	make_offer(nodes, &offer, 1, &m1);
	crypto_auth_hmacsha256(mac, m1.body + LAYA_TAG_SIZE,
			       m1.len - LAYA_TAG_SIZE,
			       nodes->carol.peers[0].tag_key);
	memcpy(m1.body, mac, LAYA_TAG_SIZE);
	assert_int_equal(read_offer(nodes, &request, &m1), -EBADMSG);
	assert_null(request.peer);
	assert_int_equal(nodes->bob.peers[0].stamp, 0);
	assert_int_equal(nodes->bob.peers[1].stamp, 0);
}

static void offer__reflected(void **state)
{
	struct nodes *nodes = *state;
	struct laya_handshake_table t = table(&nodes->alice);
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;

	/* the tag is right, as it has no direction; Noise sees to the rest */
	make_offer(nodes, &offer, 1, &m1);
	assert_int_equal(laya_offer_read(&request, &nodes->alice.self, &t,
					 nodes->bob.self.public_key, m1.body,
					 m1.len), -EBADMSG);
	assert_int_equal(nodes->alice.peers[0].stamp, 0);
}

static void offer__truncated_at_every_byte(void **state)
{
	struct nodes *nodes = *state;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;
	struct message cut;
	int ret;

	make_offer(nodes, &offer, 1, &m1);
	cut = m1;
	for (cut.len = 0; cut.len < m1.len; cut.len++) {
		ret = read_offer(nodes, &request, &cut);
		assert_true(ret == -ENOENT || ret == -EBADMSG);
	}
	/* with a tag that fits */
	for (cut.len = LAYA_TAG_SIZE + 1; cut.len < m1.len; cut.len++) {
		uint8_t mac[32];

		crypto_auth_hmacsha256(mac, cut.body + LAYA_TAG_SIZE,
				       cut.len - LAYA_TAG_SIZE,
				       nodes->alice.peers[0].tag_key);
		memcpy(cut.body, mac, LAYA_TAG_SIZE);
		assert_int_equal(read_offer(nodes, &request, &cut), -EBADMSG);
	}
	cut.len = LAYA_MAX_BODY + 1;
	{
		uint8_t *big = calloc(1, cut.len);
		struct laya_handshake_table t = table(&nodes->bob);

		assert_non_null(big);
		assert_int_equal(laya_offer_read(&request, &nodes->bob.self, &t,
						 nodes->alice.self.public_key,
						 big, cut.len), -EBADMSG);
		free(big);
	}
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
}

static void offer__fits_a_body(void **state)
{
	struct nodes *nodes = *state;
	struct laya_candidates most = { .n = LAYA_MAX_CANDIDATES };
	struct laya_candidate *candidate;
	struct laya_offer offer;
	struct message m1;
	unsigned int i;

	for (i = 0; i < LAYA_MAX_CANDIDATES; i++) {
		candidate = &most.list[i];
		candidate->type = LAYA_CANDIDATE_RELAY;
		laya_address_parse(&candidate->address, "[2001:db8::1]:65535");
		candidate->n_labels = 2;
		candidate->have_forwarder = true;
		memcpy(candidate->forwarder, nodes->bob.self.public_key, 32);
	}
	assert_int_equal(laya_offer_make(&offer, &nodes->alice.self,
					 &nodes->alice.peers[0], UINT64_MAX,
					 UINT32_MAX, &most, m1.body,
					 sizeof(m1.body), &m1.len), 0);
	assert_true(m1.len <= LAYA_MAX_BODY);
	assert_int_equal(laya_offer_make(&offer, &nodes->alice.self,
					 &nodes->alice.peers[0], 1, 1, &most,
					 m1.body, m1.len - 20, &m1.len),
			 -EMSGSIZE);
	assert_int_equal(laya_offer_make(&offer, &nodes->alice.self,
					 &nodes->alice.peers[0], 1, 0, &most,
					 m1.body, sizeof(m1.body), &m1.len),
			 -EINVAL);
}

static void answer__wrong_psk(void **state)
{
	struct nodes *nodes = *state;
	struct laya_session_keys alice;
	struct laya_session_keys bob;
	struct laya_candidates got;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;
	struct message m2;

	memset(nodes->alice.peers[0].psk, 1, LAYA_KEY_SIZE);
	make_offer(nodes, &offer, 1, &m1);
	/* the first message does not need it */
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
	make_answer(nodes, &bob, &request, &m2);
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
					  m2.len), -EBADMSG);
	assert_true(sodium_is_zero((uint8_t *)&alice, sizeof(alice)));

	/* and with the right one it works */
	memset(nodes->bob.peers[1].psk, 1, LAYA_KEY_SIZE);
	make_offer(nodes, &offer, 2, &m1);
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
	make_answer(nodes, &bob, &request, &m2);
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
					  m2.len), 0);
}

static void answer__forged_ones_before_the_true_one(void **state)
{
	struct nodes *nodes = *state;
	struct laya_session_keys alice;
	struct laya_session_keys bob;
	struct laya_candidates got;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;
	struct message m2;
	uint8_t *copy;
	size_t i;

	make_offer(nodes, &offer, 1, &m1);
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
	make_answer(nodes, &bob, &request, &m2);
	for (i = 0; i < m2.len; i++) {
		copy = malloc(i + 1);
		assert_non_null(copy);
		memcpy(copy, m2.body, i);
		assert_int_equal(laya_answer_read(&alice, &got, &offer, copy,
						  i), -EBADMSG);
		free(copy);
		m2.body[i] ^= 4;
		assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
						  m2.len), -EBADMSG);
		m2.body[i] ^= 4;
	}
	/* our own offer as its answer */
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m1.body,
					  m1.len), -EBADMSG);
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
					  m2.len), 0);
	/* once */
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
					  m2.len), -EPROTO);
}

static void answer__to_another_offer(void **state)
{
	struct nodes *nodes = *state;
	struct laya_session_keys alice;
	struct laya_session_keys bob;
	struct laya_candidates got;
	struct laya_request request;
	struct laya_offer older;
	struct laya_offer offer;
	struct message m1;
	struct message m2;

	make_offer(nodes, &older, 1, &m1);
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
	make_answer(nodes, &bob, &request, &m2);
	make_offer(nodes, &offer, 2, &m1);
	assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
					  m2.len), -EBADMSG);
	assert_int_equal(laya_answer_read(&alice, &got, &older, m2.body,
					  m2.len), 0);
}

static void answer__ciphers(void **state)
{
	static const struct {
		bool alice;
		bool bob;
		uint32_t cipher;
	} cases[] = {
		{ true, true, LAYA_CIPHER_AES_256_GCM },
		{ true, false, LAYA_CIPHER_CHACHA20_POLY1305 },
		{ false, true, LAYA_CIPHER_CHACHA20_POLY1305 },
		{ false, false, LAYA_CIPHER_CHACHA20_POLY1305 },
	};
	struct nodes *nodes = *state;
	struct laya_session_keys alice;
	struct laya_session_keys bob;
	struct laya_candidates got;
	struct laya_request request;
	struct laya_offer offer;
	struct message m1;
	struct message m2;
	size_t i;

	for (i = 0; i < 4; i++) {
		nodes->alice.self.accelerated = cases[i].alice;
		nodes->bob.self.accelerated = cases[i].bob;
		make_offer(nodes, &offer, 1 + i, &m1);
		assert_int_equal(read_offer(nodes, &request, &m1), 0);
		make_answer(nodes, &bob, &request, &m2);
		assert_int_equal(laya_answer_read(&alice, &got, &offer, m2.body,
						  m2.len), 0);
		assert_int_equal(alice.cipher, cases[i].cipher);
		assert_int_equal(bob.cipher, cases[i].cipher);
	}
	/* nothing in common */
	make_offer(nodes, &offer, 9, &m1);
	assert_int_equal(read_offer(nodes, &request, &m1), 0);
	request.payload.n_ciphers = 1;
	request.payload.ciphers[0] = 99;
	assert_int_equal(laya_answer_make(&bob, &request, &nodes->bob.self, 1,
					  &nodes->all, m2.body,
					  sizeof(m2.body), &m2.len),
			 -EPROTONOSUPPORT);
}

static void cipher__choose(void **state)
{
	static const uint32_t future[] = { 9, 1, 7, 2 };
	static const uint32_t aes[] = { 1 };

	(void)state;
	assert_int_equal(laya_cipher_choose(future, 4, true), 1);
	assert_int_equal(laya_cipher_choose(future, 4, false), 2);
	assert_int_equal(laya_cipher_choose(aes, 1, false), 1);
	assert_int_equal(laya_cipher_choose(future, 1, true), 0);
	assert_int_equal(laya_cipher_choose(NULL, 0, true), 0);
}

static void cipher__accelerated(void **state)
{
	static const char * const texts[] = {
		"flags\t\t: fpu aes sse\n", "Features\t: fp asimd aes\n",
		"flags\t\t: fpu vaes sse\n", "model name: aes\nflags :\n", "",
	};
	char path[] = "/tmp/laya-cpuinfo-XXXXXX";
	size_t i;
	int fd;

	(void)state;
	assert_false(laya_cipher_accelerated("/nonexistent"));
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (i = 0; i < 5; i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, texts[i], strlen(texts[i]), 0),
				 strlen(texts[i]));
		assert_int_equal(laya_cipher_accelerated(path), i < 2);
	}
	close(fd);
	unlink(path);
}

static void tie_break__one_wins(void **state)
{
	struct nodes *nodes = *state;
	const uint8_t *a = nodes->alice.self.public_key;
	const uint8_t *b = nodes->bob.self.public_key;

	assert_true(laya_handshake_ours_wins(a, b) !=
		    laya_handshake_ours_wins(b, a));
	assert_true(laya_handshake_ours_wins(a, b) == (memcmp(a, b, 32) < 0));
}

static void peer__refuses(void **state)
{
	struct nodes *nodes = *state;
	struct laya_handshake_peer peer;
	uint8_t zero[LAYA_KEY_SIZE] = { 0 };

	assert_int_equal(laya_handshake_peer_init(&peer, &nodes->alice.self,
						  zero, NULL), -EINVAL);
	assert_int_equal(laya_handshake_peer_init(&peer, &nodes->alice.self,
						  nodes->alice.self.public_key,
						  NULL), -EINVAL);
}

static void make_path(char *path)
{
	strcpy(path, "/tmp/laya-stamp-XXXXXX");
	assert_non_null(mkdtemp(path));
	strcat(path, "/stamp");
}

static void remove_path(char *path)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

static void stamp__never_goes_back(void **state)
{
	const uint64_t start = 1700000000000000;
	struct laya_stamp stamp;
	char path[64];
	uint64_t value;
	uint64_t last;
	char msg[256];

	(void)state;
	make_path(path);
	assert_int_equal(laya_stamp_open(&stamp, path, msg, sizeof(msg)), 0);
	assert_int_equal(laya_stamp_next_at(&stamp, start, &value), 0);
	assert_int_equal(value, start);
	assert_int_equal(laya_stamp_next_at(&stamp, start, &value), 0);
	assert_int_equal(value, start + 1);
	assert_int_equal(laya_stamp_next_at(&stamp, 5, &value), 0);
	assert_int_equal(value, start + 2);
	/* within the reservation nothing is written */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(laya_stamp_next_at(&stamp, start + 59000000, &last),
			 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(laya_stamp_next_at(&stamp, start + 61000000, &last),
			 0);
	assert_int_equal(access(path, F_OK), 0);

	/* a restart, and a clock that was reset */
	assert_int_equal(laya_stamp_open(&stamp, path, msg, sizeof(msg)), 0);
	assert_int_equal(laya_stamp_next_at(&stamp, 7, &value), 0);
	assert_true(value > last);
	assert_int_equal(laya_stamp_open(&stamp, path, msg, sizeof(msg)), 0);
	assert_int_equal(laya_stamp_next(&stamp, &value), 0);
	assert_true(value > start);
	remove_path(path);
}

static void stamp__bad_files(void **state)
{
	static const char * const bad[] = {
		"", "x\n", "-1\n", "12 34\n", "99999999999999999999\n",
		"18446744073709551615\n", "\n",
	};
	struct laya_stamp stamp;
	char path[64];
	char msg[256];
	uint64_t value;
	FILE *file;
	size_t i;

	(void)state;
	make_path(path);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(bad[i], file);
		fclose(file);
		assert_int_equal(laya_stamp_open(&stamp, path, msg,
						 sizeof(msg)), -EINVAL);
		assert_non_null(strstr(msg, path));
	}
	remove_path(path);

	/* a directory that is not there: the stamp is good, but not kept */
	assert_int_equal(laya_stamp_open(&stamp, "/nonexistent/stamp", msg,
					 sizeof(msg)), 0);
	assert_int_equal(laya_stamp_next_at(&stamp, 10, &value), -ENOENT);
	assert_int_equal(value, 10);
	assert_int_equal(laya_stamp_open(&stamp, NULL, msg, sizeof(msg)), 0);
	assert_int_equal(laya_stamp_next_at(&stamp, 10, &value), 0);
}

static void collect(void *data, const struct laya_stamp_seen *entry)
{
	struct laya_stamp_seen **next = data;

	*(*next)++ = *entry;
}

static void stamp__seen(void **state)
{
	struct nodes *nodes = *state;
	struct laya_stamp_seen list[2] = {
		{ .stamp = 1 }, { .stamp = UINT64_MAX },
	};
	struct laya_stamp_seen got[4];
	struct laya_stamp_seen *next = got;
	char path[64];
	FILE *file;

	make_path(path);
	memcpy(list[0].key, nodes->alice.self.public_key, 32);
	memcpy(list[1].key, nodes->bob.self.public_key, 32);
	assert_int_equal(laya_stamp_seen_load(path, collect, &next), 0);
	assert_ptr_equal(next, got);
	assert_int_equal(laya_stamp_seen_save(path, list, 2), 0);
	assert_int_equal(laya_stamp_seen_load(path, collect, &next), 0);
	assert_ptr_equal(next, got + 2);
	assert_memory_equal(got, list, sizeof(list));
	/* a bad line loses nothing but itself */
	file = fopen(path, "a");
	assert_non_null(file);
	fputs("nonsense\n", file);
	fclose(file);
	next = got;
	assert_int_equal(laya_stamp_seen_load(path, collect, &next), -EINVAL);
	assert_ptr_equal(next, got + 2);
	remove_path(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(peer__refuses),
		TEST(tie_break__one_wins),
		TEST(handshake__three_messages),
		TEST(handshake__derivation),
		TEST(offer__tag_is_as_documented),
		TEST(offer__replayed),
		TEST(offer__wrong_claim),
		TEST(offer__of_a_stranger),
		TEST(offer__wrong_tag),
		TEST(offer__tag_of_another_peer),
		TEST(offer__reflected),
		TEST(offer__truncated_at_every_byte),
		TEST(offer__fits_a_body),
		TEST(answer__wrong_psk),
		TEST(answer__forged_ones_before_the_true_one),
		TEST(answer__to_another_offer),
		TEST(answer__ciphers),
		TEST(cipher__choose),
		TEST(cipher__accelerated),
		TEST(stamp__never_goes_back),
		TEST(stamp__bad_files),
		TEST(stamp__seen),
	};

	return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
