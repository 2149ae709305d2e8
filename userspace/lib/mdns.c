// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "mdns.h"

#define HEADER_SIZE	12
#define FLAG_ANSWER	0x8000
#define FLAG_OPCODE	0x7800
#define FLAG_RCODE	0x000f
/* An answer of ours is the only one for its name (RFC 6762, 10.2). */
#define CACHE_FLUSH	0x8000
#define CLASS_IN	1
#define CLASS_ANY	255
#define TYPE_A		1
#define TYPE_TXT	16
#define TYPE_AAAA	28
#define TYPE_SRV	33
#define TYPE_ANY	255
/* RFC 6762, 10: of records that contain host names and addresses */
#define TTL_S		120
/* More of either in one message is nobody's who means well. */
#define RECORDS_MAX	256
#define NAME_SIZE	256
#define POINTERS_MAX	16

static const char suffix[] = "._laya._tcp.local";
/* The same as labels, behind the one that holds the token */
static const uint8_t labels[] = "\5_laya\4_tcp\5local";

/* A message that is read */
struct input {
	const uint8_t *bytes;
	size_t len;
	size_t at;
};

/* One that is written; @overrun: it does not fit */
struct output {
	uint8_t *bytes;
	size_t cap;
	size_t len;
	bool overrun;
};

/**
 * laya_mdns_secret() - what the tokens of two nodes are made from
 * @secret: where to put it
 * @private_key: of the one
 * @public_key: of the other
 *
 * Return: 0, or -EINVAL for a bad key.
 */
int laya_mdns_secret(uint8_t secret[LAYA_KEY_SIZE],
		     const uint8_t private_key[LAYA_KEY_SIZE],
		     const uint8_t public_key[LAYA_KEY_SIZE])
{
	static const char context[] = "laya local 1";
	crypto_hash_sha256_state hash;
	uint8_t shared[LAYA_KEY_SIZE];
	int ret;

	ret = laya_key_shared(shared, private_key, public_key);
	if (ret)
		return ret;
	crypto_hash_sha256_init(&hash);
	crypto_hash_sha256_update(&hash, (const uint8_t *)context,
				  sizeof(context) - 1);
	crypto_hash_sha256_update(&hash, shared, sizeof(shared));
	crypto_hash_sha256_final(&hash, secret);
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(&hash, sizeof(hash));
	return 0;
}

/**
 * laya_mdns_token() - what a node is called by a peer
 * @token: where to put it
 * @secret: of the two
 * @owner: public key of the node that is called so
 * @period: seconds since 1970 / LAYA_MDNS_PERIOD_S
 */
void laya_mdns_token(uint8_t token[LAYA_MDNS_TOKEN_SIZE],
		     const uint8_t secret[LAYA_KEY_SIZE],
		     const uint8_t owner[LAYA_KEY_SIZE], uint64_t period)
{
	uint8_t message[LAYA_KEY_SIZE + 8];
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	unsigned int i;

	memcpy(message, owner, LAYA_KEY_SIZE);
	for (i = 0; i < 8; i++)
		message[LAYA_KEY_SIZE + i] = period >> (56 - 8 * i);
	crypto_auth_hmacsha256(mac, message, sizeof(message), secret);
	memcpy(token, mac, LAYA_MDNS_TOKEN_SIZE);
}

/* The token says who, and when; its owner and the asker alone have the secret. */
static void make_proof(uint8_t proof[LAYA_MDNS_TOKEN_SIZE],
		       const struct laya_mdns_service *service,
		       const uint8_t secret[LAYA_KEY_SIZE])
{
	const uint8_t port[] = { service->port >> 8, service->port };
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	uint8_t size;
	unsigned int i;

	crypto_auth_hmacsha256_init(&state, secret, LAYA_KEY_SIZE);
	crypto_auth_hmacsha256_update(&state, service->token,
				      LAYA_MDNS_TOKEN_SIZE);
	crypto_auth_hmacsha256_update(&state, port, sizeof(port));
	for (i = 0; i < service->n; i++) {
		size = laya_address_size(&service->addresses[i]);
		crypto_auth_hmacsha256_update(&state, &size, 1);
		crypto_auth_hmacsha256_update(&state,
					      service->addresses[i].addr, size);
	}
	crypto_auth_hmacsha256_final(&state, mac);
	memcpy(proof, mac, LAYA_MDNS_TOKEN_SIZE);
}

/**
 * laya_mdns_prove() - say it ourselves
 * @service: complete but for its proof
 * @secret: of the two
 */
void laya_mdns_prove(struct laya_mdns_service *service,
		     const uint8_t secret[LAYA_KEY_SIZE])
{
	make_proof(service->proof, service, secret);
}

/**
 * laya_mdns_is_proven() - does a node say it itself
 * @service: as it was read
 * @secret: of the two
 *
 * Return: whether; somebody may have repeated it, within the hour.
 */
bool laya_mdns_is_proven(const struct laya_mdns_service *service,
			 const uint8_t secret[LAYA_KEY_SIZE])
{
	uint8_t proof[LAYA_MDNS_TOKEN_SIZE];

	make_proof(proof, service, secret);
	return sodium_memcmp(proof, service->proof, sizeof(proof)) == 0;
}

static bool take(struct input *in, size_t n)
{
	if (in->len - in->at < n)
		return false;
	in->at += n;
	return true;
}

static unsigned int get16(const struct input *in, size_t at)
{
	return in->bytes[at] << 8 | in->bytes[at + 1];
}

/*
 * A name as text, in lower case; what is in no name of ours becomes "?".  Pointers
 * lead back only, each farther than the one before, so there is an end to them.
 */
static int read_name(struct input *in, char text[NAME_SIZE])
{
	unsigned int pointers = 0;
	size_t at = in->at;
	size_t limit = at;
	size_t end = 0;
	size_t n = 0;
	size_t size;
	uint8_t c;

	for (;;) {
		if (at >= in->len)
			return -EBADMSG;
		size = in->bytes[at++];
		if (size >= 0xc0) {
			if (at >= in->len || ++pointers > POINTERS_MAX)
				return -EBADMSG;
			size = (size & 0x3f) << 8 | in->bytes[at++];
			if (end == 0)
				end = at;
			if (size >= limit)
				return -EBADMSG;
			limit = size;
			at = size;
			continue;
		}
		if (size > 63 || in->len - at < size ||
		    n + size + 2 > NAME_SIZE)
			return -EBADMSG;
		if (size == 0)
			break;
		if (n > 0)
			text[n++] = '.';
		for (; size > 0; size--) {
			c = in->bytes[at++];
			text[n++] = isalnum(c) || c == '_' ? tolower(c) : '?';
		}
	}
	text[n] = '\0';
	in->at = end ? end : at;
	return 0;
}

/* Return: whether the name is one of ours. */
static bool parse_name(const char *text, uint8_t token[LAYA_MDNS_TOKEN_SIZE])
{
	const size_t len = 2 * LAYA_MDNS_TOKEN_SIZE;
	size_t size;

	return strlen(text) > len && strcmp(text + len, suffix) == 0 &&
	       !sodium_hex2bin(token, LAYA_MDNS_TOKEN_SIZE, text, len, NULL,
			       &size, NULL) && size == LAYA_MDNS_TOKEN_SIZE;
}

/* The one of this token, a new one if need be; NULL if there are too many */
static struct laya_mdns_service *
service_of(struct laya_mdns_message *message,
	   const uint8_t token[LAYA_MDNS_TOKEN_SIZE])
{
	struct laya_mdns_service *service;
	unsigned int i;

	for (i = 0; i < message->n; i++) {
		if (memcmp(message->services[i].token, token,
			   LAYA_MDNS_TOKEN_SIZE) == 0)
			return &message->services[i];
	}
	if (message->n == LAYA_MDNS_TOKENS)
		return NULL;
	service = &message->services[message->n++];
	memset(service, 0, sizeof(*service));
	memcpy(service->token, token, LAYA_MDNS_TOKEN_SIZE);
	return service;
}

static int read_question(struct laya_mdns_message *message, struct input *in)
{
	uint8_t token[LAYA_MDNS_TOKEN_SIZE];
	char name[NAME_SIZE];
	unsigned int class;
	unsigned int type;

	if (read_name(in, name) || !take(in, 4))
		return -EBADMSG;
	type = get16(in, in->at - 4);
	/* The top bit asks for an answer that is not multicast. */
	class = get16(in, in->at - 2) & 0x7fff;
	if (!message->answer && (type == TYPE_SRV || type == TYPE_ANY) &&
	    (class == CLASS_IN || class == CLASS_ANY) &&
	    parse_name(name, token))
		service_of(message, token);
	return 0;
}

static void add_address(struct laya_mdns_service *service, uint16_t family,
			const uint8_t *bytes, size_t size)
{
	struct laya_address *address;

	if (service->n == LAYA_MDNS_ADDRESSES)
		return;
	address = &service->addresses[service->n++];
	memset(address, 0, sizeof(*address));
	address->family = family;
	memcpy(address->addr, bytes, size);
}

static int read_record(struct laya_mdns_message *message, struct input *in)
{
	struct laya_mdns_service *service = NULL;
	uint8_t token[LAYA_MDNS_TOKEN_SIZE];
	char name[NAME_SIZE];
	unsigned int class;
	unsigned int type;
	size_t start;
	size_t size;

	if (read_name(in, name) || !take(in, 10))
		return -EBADMSG;
	type = get16(in, in->at - 10);
	class = get16(in, in->at - 8) & 0x7fff;
	size = get16(in, in->at - 2);
	start = in->at;
	if (!take(in, size))
		return -EBADMSG;
	if (message->answer && class == CLASS_IN && parse_name(name, token))
		service = service_of(message, token);
	if (!service)
		return 0;
	/* Priority, weight, port, and a name that is the same one */
	if (type == TYPE_SRV && size > 6)
		service->port = get16(in, start + 4);
	else if (type == TYPE_A && size == 4)
		add_address(service, AF_INET, in->bytes + start, size);
	else if (type == TYPE_AAAA && size == 16)
		add_address(service, AF_INET6, in->bytes + start, size);
	else if (type == TYPE_TXT && size == 1 + LAYA_MDNS_TOKEN_SIZE)
		memcpy(service->proof, in->bytes + start + 1,
		       LAYA_MDNS_TOKEN_SIZE);
	return 0;
}

/**
 * laya_mdns_read() - read a message
 * @message: what is ours in it
 * @bytes: the message
 * @len: its length
 *
 * Return: 0, also if nothing of ours is in it; or -EBADMSG.
 */
int laya_mdns_read(struct laya_mdns_message *message, const uint8_t *bytes,
		   size_t len)
{
	struct input in = { .bytes = bytes, .len = len, .at = HEADER_SIZE };
	unsigned int questions;
	unsigned int records;
	unsigned int flags;
	unsigned int i, j;

	memset(message, 0, sizeof(*message));
	if (len < HEADER_SIZE)
		return -EBADMSG;
	flags = get16(&in, 2);
	questions = get16(&in, 4);
	records = get16(&in, 6) + get16(&in, 8) + get16(&in, 10);
	/* RFC 6762, 18: such messages are ignored. */
	if (flags & (FLAG_OPCODE | FLAG_RCODE) || questions > RECORDS_MAX ||
	    records > RECORDS_MAX)
		return -EBADMSG;
	message->answer = flags & FLAG_ANSWER;
	for (i = 0; i < questions; i++) {
		if (read_question(message, &in))
			return -EBADMSG;
	}
	for (i = 0; i < records; i++) {
		if (read_record(message, &in))
			return -EBADMSG;
	}
	for (i = 0; i < message->n; i++) {
		for (j = 0; j < message->services[i].n; j++)
			message->services[i].addresses[j].port =
				message->services[i].port;
	}
	return 0;
}

static void put(struct output *out, const void *bytes, size_t n)
{
	if (out->cap - out->len < n) {
		out->overrun = true;
		return;
	}
	memcpy(out->bytes + out->len, bytes, n);
	out->len += n;
}

static void put16(struct output *out, unsigned int value)
{
	const uint8_t bytes[] = { value >> 8, value };

	put(out, bytes, sizeof(bytes));
}

static void put_name(struct output *out,
		     const uint8_t token[LAYA_MDNS_TOKEN_SIZE])
{
	char hex[2 * LAYA_MDNS_TOKEN_SIZE + 1];
	const uint8_t size = sizeof(hex) - 1;

	sodium_bin2hex(hex, sizeof(hex), token, LAYA_MDNS_TOKEN_SIZE);
	put(out, &size, 1);
	put(out, hex, size);
	/* With the NUL, which is the root */
	put(out, labels, sizeof(labels));
}

static void put_record(struct output *out, const uint8_t *token,
		       unsigned int type, unsigned int size)
{
	put_name(out, token);
	put16(out, type);
	put16(out, CLASS_IN | CACHE_FLUSH);
	put16(out, 0);
	put16(out, TTL_S);
	put16(out, size);
}

/* Return: how many records it took. */
static unsigned int put_service(struct output *out,
				const struct laya_mdns_service *service)
{
	const uint8_t proof_size = LAYA_MDNS_TOKEN_SIZE;
	const struct laya_address *address;
	unsigned int i;

	/* The name in it is not compressed, as RFC 2782 wants. */
	put_record(out, service->token, TYPE_SRV,
		   6 + 1 + 2 * LAYA_MDNS_TOKEN_SIZE + sizeof(labels));
	put16(out, 0);
	put16(out, 0);
	put16(out, service->port);
	put_name(out, service->token);
	for (i = 0; i < service->n; i++) {
		address = &service->addresses[i];
		put_record(out, service->token, address->family == AF_INET ?
			   TYPE_A : TYPE_AAAA, laya_address_size(address));
		put(out, address->addr, laya_address_size(address));
	}
	put_record(out, service->token, TYPE_TXT, 1 + LAYA_MDNS_TOKEN_SIZE);
	put(out, &proof_size, 1);
	put(out, service->proof, LAYA_MDNS_TOKEN_SIZE);
	return 2 + service->n;
}

/**
 * laya_mdns_write() - write a message
 * @message: what to ask, or to answer
 * @bytes: where to put it
 * @cap: size of @bytes
 * @len: where to put its length
 *
 * Return: 0; -EMSGSIZE if it does not fit.
 */
int laya_mdns_write(const struct laya_mdns_message *message, uint8_t *bytes,
		    size_t cap, size_t *len)
{
	struct output out = { .bytes = bytes, .cap = cap };
	unsigned int records = 0;
	unsigned int i;

	put16(&out, 0);
	/* An answer is authoritative (18.4). */
	put16(&out, message->answer ? FLAG_ANSWER | 0x0400 : 0);
	put16(&out, message->answer ? 0 : message->n);
	put16(&out, 0);
	put16(&out, 0);
	put16(&out, 0);
	for (i = 0; i < message->n; i++) {
		if (message->answer) {
			records += put_service(&out, &message->services[i]);
			continue;
		}
		put_name(&out, message->services[i].token);
		put16(&out, TYPE_SRV);
		put16(&out, CLASS_IN);
	}
	if (out.overrun)
		return -EMSGSIZE;
	bytes[6] = records >> 8;
	bytes[7] = records;
	*len = out.len;
	return 0;
}
