// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "codec.h"
#include "message.h"

#define BIT(n)	(1u << (n))

/*
 * Keys of the maps.  The type decides what keys 1 to 5 mean; each reader below
 * says which ones it wants.
 */
#define KEY_TYPE	0

static void write_key(struct laya_writer *writer,
		      const uint8_t key[LAYA_KEY_SIZE])
{
	if (!laya_key_valid(key))
		writer->error = -EINVAL;
	laya_write_bytes(writer, key, LAYA_KEY_SIZE);
}

static void read_key(struct laya_reader *reader, uint8_t key[LAYA_KEY_SIZE])
{
	const uint8_t *bytes;

	bytes = laya_read_bytes(reader, LAYA_KEY_SIZE, LAYA_KEY_SIZE, NULL);
	if (bytes && laya_key_valid(bytes))
		memcpy(key, bytes, LAYA_KEY_SIZE);
	else
		laya_reader_fail(reader);
}

static void write_label(struct laya_writer *writer,
			const uint8_t label[LAYA_LABEL_SIZE])
{
	laya_write_bytes(writer, label, LAYA_LABEL_SIZE);
}

static void read_label(struct laya_reader *reader,
		       uint8_t label[LAYA_LABEL_SIZE])
{
	const uint8_t *bytes;

	bytes = laya_read_bytes(reader, LAYA_LABEL_SIZE, LAYA_LABEL_SIZE, NULL);
	if (bytes)
		memcpy(label, bytes, LAYA_LABEL_SIZE);
}

static void write_addresses(struct laya_writer *writer,
			    const struct laya_addresses *addresses)
{
	unsigned int i;

	if (addresses->n > LAYA_MAX_ADDRESSES) {
		writer->error = -EINVAL;
		return;
	}
	laya_write_array(writer, addresses->n);
	for (i = 0; i < addresses->n; i++)
		laya_address_write(writer, &addresses->list[i]);
}

static void read_addresses(struct laya_reader *reader,
			   struct laya_addresses *addresses)
{
	unsigned int i;

	addresses->n = laya_read_array(reader, LAYA_MAX_ADDRESSES);
	for (i = 0; i < addresses->n; i++)
		laya_address_read(reader, &addresses->list[i]);
}

static void write_host_name(struct laya_writer *writer, const char *name)
{
	size_t len = strlen(name);

	if (len > 0 && !laya_host_name_valid(name, len))
		writer->error = -EINVAL;
	laya_write_bytes(writer, name, len);
}

static void read_host_name(struct laya_reader *reader,
			   char name[LAYA_HOST_NAME_SIZE])
{
	const uint8_t *bytes;
	size_t len;

	bytes = laya_read_bytes(reader, 0, LAYA_HOST_NAME_SIZE - 1, &len);
	if (!bytes || len == 0)
		return;
	if (laya_host_name_valid((const char *)bytes, len))
		memcpy(name, bytes, len);
	else
		laya_reader_fail(reader);
}

static void write_relays(struct laya_writer *writer,
			 const struct laya_relays *relays)
{
	unsigned int i;

	if (relays->n > LAYA_MAX_RELAYS) {
		writer->error = -EINVAL;
		return;
	}
	laya_write_array(writer, relays->n);
	for (i = 0; i < relays->n; i++) {
		laya_write_array(writer, 3);
		write_key(writer, relays->list[i].key);
		write_addresses(writer, &relays->list[i].addresses);
		write_host_name(writer, relays->list[i].host_name);
	}
}

static void read_relays(struct laya_reader *reader, struct laya_relays *relays)
{
	unsigned int i;

	relays->n = laya_read_array(reader, LAYA_MAX_RELAYS);
	for (i = 0; i < relays->n; i++) {
		if (laya_read_array(reader, 3) != 3)
			laya_reader_fail(reader);
		read_key(reader, relays->list[i].key);
		read_addresses(reader, &relays->list[i].addresses);
		read_host_name(reader, relays->list[i].host_name);
	}
}

static void write_id(struct laya_writer *writer, uint64_t id)
{
	laya_write_uint(writer, 2);
	laya_write_uint(writer, id);
}

static void write_register(struct laya_writer *writer,
			   const struct laya_message *message)
{
	if (message->reg.role > LAYA_ROLE_RELAY)
		writer->error = -EINVAL;
	laya_write_uint(writer, 1);
	laya_write_uint(writer, message->reg.role);
	laya_write_uint(writer, 2);
	write_addresses(writer, &message->reg.addresses);
	laya_write_uint(writer, 3);
	write_host_name(writer, message->reg.host_name);
}

static void write_sealed(struct laya_writer *writer,
			 const struct laya_message *message)
{
	if (message->sealed.body_len == 0 ||
	    message->sealed.body_len > LAYA_MAX_BODY) {
		writer->error = -EINVAL;
		return;
	}
	laya_write_uint(writer, 1);
	write_key(writer, message->sealed.key);
	write_id(writer, message->id);
	laya_write_uint(writer, 3);
	laya_write_bytes(writer, message->sealed.body,
			 message->sealed.body_len);
}

static void write_label_request(struct laya_writer *writer,
				const struct laya_message *message)
{
	unsigned int i;

	if (message->label_request.n > LAYA_MAX_LABELS) {
		writer->error = -EINVAL;
		return;
	}
	write_id(writer, message->id);
	laya_write_uint(writer, 3);
	laya_write_array(writer, message->label_request.n);
	for (i = 0; i < message->label_request.n; i++)
		write_key(writer, message->label_request.keys[i]);
}

static void write_labels(struct laya_writer *writer,
			 const struct laya_message *message)
{
	unsigned int i;

	if (message->labels.n > LAYA_MAX_LABELS) {
		writer->error = -EINVAL;
		return;
	}
	write_id(writer, message->id);
	laya_write_uint(writer, 3);
	laya_write_array(writer, message->labels.n);
	for (i = 0; i < message->labels.n; i++) {
		laya_write_array(writer, 2);
		write_key(writer, message->labels.list[i].key);
		write_label(writer, message->labels.list[i].label);
	}
	laya_write_uint(writer, 4);
	laya_write_uint(writer, message->labels.lifetime);
	laya_write_uint(writer, 5);
	write_addresses(writer, &message->labels.addresses);
	if (message->labels.load > 100)
		writer->error = -EINVAL;
	laya_write_uint(writer, 6);
	laya_write_uint(writer, message->labels.load);
}

static void write_label_release(struct laya_writer *writer,
				const struct laya_message *message)
{
	unsigned int i;

	if (message->label_release.n > LAYA_MAX_LABELS) {
		writer->error = -EINVAL;
		return;
	}
	write_id(writer, message->id);
	laya_write_uint(writer, 3);
	laya_write_array(writer, message->label_release.n);
	for (i = 0; i < message->label_release.n; i++)
		write_label(writer, message->label_release.labels[i]);
}

static void write_trunk_request(struct laya_writer *writer,
				const struct laya_message *message)
{
	write_id(writer, message->id);
	laya_write_uint(writer, 3);
	write_key(writer, message->trunk_request.key);
	laya_write_uint(writer, 4);
	write_addresses(writer, &message->trunk_request.addresses);
}

static void write_trunk(struct laya_writer *writer,
			const struct laya_message *message)
{
	write_id(writer, message->id);
	laya_write_uint(writer, 3);
	write_key(writer, message->trunk.label.key);
	laya_write_uint(writer, 4);
	write_label(writer, message->trunk.label.label);
	laya_write_uint(writer, 5);
	laya_write_uint(writer, message->trunk.lifetime);
}

/* Pairs in the map of a type, the type's own included; 0: unknown type */
static size_t pairs_of(enum laya_message_type type)
{
	switch (type) {
	case LAYA_MESSAGE_REGISTERED:
	case LAYA_MESSAGE_ERROR:
	case LAYA_MESSAGE_CANDIDATES:
	case LAYA_MESSAGE_LABEL_REQUEST:
	case LAYA_MESSAGE_LABEL_RELEASE:
		return 3;
	case LAYA_MESSAGE_REGISTER:
	case LAYA_MESSAGE_OFFER:
	case LAYA_MESSAGE_ANSWER:
	case LAYA_MESSAGE_FOLLOWUP:
	case LAYA_MESSAGE_TRUNK_REQUEST:
		return 4;
	case LAYA_MESSAGE_TRUNK:
		return 5;
	case LAYA_MESSAGE_LABELS:
		return 6;
	case LAYA_MESSAGE_PING:
	case LAYA_MESSAGE_PONG:
	case LAYA_MESSAGE_RELAYS:
	case LAYA_MESSAGE_ACK:
		return 2;
	}
	return 0;
}

/**
 * laya_addresses_have() - look for an address and port
 * @addresses: where
 * @address: which
 *
 * Return: whether it is among them.
 */
bool laya_addresses_have(const struct laya_addresses *addresses,
			 const struct laya_address *address)
{
	unsigned int i;

	for (i = 0; i < addresses->n; i++) {
		if (laya_address_equal(&addresses->list[i], address))
			return true;
	}
	return false;
}

/**
 * laya_relay_size() - what a relay takes of LAYA_MAX_RELAYS_SIZE
 * @relay: the relay
 *
 * Return: bytes, at most.
 */
size_t laya_relay_size(const struct laya_relay *relay)
{
	/* An array of the key, of an array of addresses and ports, and of the name */
	return 1 + 2 + LAYA_KEY_SIZE +
	       1 + relay->addresses.n * (1 + 1 + 16 + 3) +
	       2 + strlen(relay->host_name);
}

/**
 * laya_message_encode() - write a message
 * @message: the message
 * @out: buffer, LAYA_MESSAGE_MAX bytes are enough
 * @cap: its size
 * @out_len: where to put the length
 *
 * Return: 0; -EMSGSIZE if @cap or LAYA_MESSAGE_MAX is too small; -EINVAL for a
 * message that a reader would refuse.
 */
int laya_message_encode(const struct laya_message *message, uint8_t *out,
			size_t cap, size_t *out_len)
{
	struct laya_writer writer;
	size_t pairs = pairs_of(message->type);

	if (pairs == 0)
		return -EINVAL;
	laya_writer_init(&writer, out,
			 cap < LAYA_MESSAGE_MAX ? cap : LAYA_MESSAGE_MAX);
	laya_write_map(&writer, pairs);
	laya_write_uint(&writer, KEY_TYPE);
	laya_write_uint(&writer, message->type);

	switch (message->type) {
	case LAYA_MESSAGE_REGISTER:
		write_register(&writer, message);
		break;
	case LAYA_MESSAGE_REGISTERED:
		laya_write_uint(&writer, 1);
		laya_address_write(&writer, &message->registered.observed);
		laya_write_uint(&writer, 2);
		write_relays(&writer, &message->registered.relays);
		break;
	case LAYA_MESSAGE_OFFER:
	case LAYA_MESSAGE_ANSWER:
	case LAYA_MESSAGE_FOLLOWUP:
		write_sealed(&writer, message);
		break;
	case LAYA_MESSAGE_ERROR:
		write_id(&writer, message->id);
		laya_write_uint(&writer, 4);
		laya_write_uint(&writer, message->code);
		break;
	case LAYA_MESSAGE_PING:
	case LAYA_MESSAGE_PONG:
	case LAYA_MESSAGE_ACK:
		write_id(&writer, message->id);
		break;
	case LAYA_MESSAGE_RELAYS:
		laya_write_uint(&writer, 1);
		write_relays(&writer, &message->relays);
		break;
	case LAYA_MESSAGE_CANDIDATES:
		write_id(&writer, message->id);
		laya_write_uint(&writer, 3);
		laya_candidates_write(&writer, &message->candidates);
		break;
	case LAYA_MESSAGE_LABEL_REQUEST:
		write_label_request(&writer, message);
		break;
	case LAYA_MESSAGE_LABELS:
		write_labels(&writer, message);
		break;
	case LAYA_MESSAGE_LABEL_RELEASE:
		write_label_release(&writer, message);
		break;
	case LAYA_MESSAGE_TRUNK_REQUEST:
		write_trunk_request(&writer, message);
		break;
	case LAYA_MESSAGE_TRUNK:
		write_trunk(&writer, message);
		break;
	}
	return laya_writer_finish(&writer, out_len);
}

static void read_sealed(struct laya_reader *reader,
			struct laya_message *message, uint64_t key)
{
	if (key == 1)
		read_key(reader, message->sealed.key);
	else
		message->sealed.body = laya_read_bytes(reader, 1, LAYA_MAX_BODY,
						       &message->sealed.body_len);
}

static void read_label_request(struct laya_reader *reader,
			       struct laya_message *message)
{
	unsigned int i;

	message->label_request.n = laya_read_array(reader, LAYA_MAX_LABELS);
	for (i = 0; i < message->label_request.n; i++)
		read_key(reader, message->label_request.keys[i]);
}

static void read_labels(struct laya_reader *reader,
			struct laya_message *message, uint64_t key)
{
	unsigned int i;

	switch (key) {
	case 3:
		message->labels.n = laya_read_array(reader, LAYA_MAX_LABELS);
		for (i = 0; i < message->labels.n; i++) {
			if (laya_read_array(reader, 2) != 2)
				laya_reader_fail(reader);
			read_key(reader, message->labels.list[i].key);
			read_label(reader, message->labels.list[i].label);
		}
		break;
	case 4:
		message->labels.lifetime = laya_read_uint(reader, UINT32_MAX);
		break;
	case 5:
		read_addresses(reader, &message->labels.addresses);
		break;
	case 6:
		message->labels.load = laya_read_uint(reader, 100);
		break;
	}
}

static void read_label_release(struct laya_reader *reader,
			       struct laya_message *message)
{
	unsigned int i;

	message->label_release.n = laya_read_array(reader, LAYA_MAX_LABELS);
	for (i = 0; i < message->label_release.n; i++)
		read_label(reader, message->label_release.labels[i]);
}

static void read_trunk_request(struct laya_reader *reader,
			       struct laya_message *message, uint64_t key)
{
	if (key == 3)
		read_key(reader, message->trunk_request.key);
	else
		read_addresses(reader, &message->trunk_request.addresses);
}

static void read_trunk(struct laya_reader *reader, struct laya_message *message,
		       uint64_t key)
{
	if (key == 3)
		read_key(reader, message->trunk.label.key);
	else if (key == 4)
		read_label(reader, message->trunk.label.label);
	else
		message->trunk.lifetime = laya_read_uint(reader, UINT32_MAX);
}

/* Keys that a message of the type has, besides its type; all are required */
static unsigned int keys_of(enum laya_message_type type)
{
	switch (type) {
	case LAYA_MESSAGE_REGISTERED:
		return BIT(1) | BIT(2);
	case LAYA_MESSAGE_REGISTER:
	case LAYA_MESSAGE_OFFER:
	case LAYA_MESSAGE_ANSWER:
	case LAYA_MESSAGE_FOLLOWUP:
		return BIT(1) | BIT(2) | BIT(3);
	case LAYA_MESSAGE_ERROR:
		return BIT(2) | BIT(4);
	case LAYA_MESSAGE_PING:
	case LAYA_MESSAGE_PONG:
	case LAYA_MESSAGE_ACK:
		return BIT(2);
	case LAYA_MESSAGE_RELAYS:
		return BIT(1);
	case LAYA_MESSAGE_CANDIDATES:
	case LAYA_MESSAGE_LABEL_REQUEST:
	case LAYA_MESSAGE_LABEL_RELEASE:
		return BIT(2) | BIT(3);
	case LAYA_MESSAGE_LABELS:
		return BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6);
	case LAYA_MESSAGE_TRUNK_REQUEST:
		return BIT(2) | BIT(3) | BIT(4);
	case LAYA_MESSAGE_TRUNK:
		return BIT(2) | BIT(3) | BIT(4) | BIT(5);
	}
	return 0;
}

/* Key 2 of a register or registered is no id; all others' key 2 is. */
static void read_value(struct laya_reader *reader,
		       struct laya_message *message, uint64_t key)
{
	switch (message->type) {
	case LAYA_MESSAGE_REGISTER:
		if (key == 1)
			message->reg.role = laya_read_uint(reader,
							   LAYA_ROLE_RELAY);
		else if (key == 2)
			read_addresses(reader, &message->reg.addresses);
		else
			read_host_name(reader, message->reg.host_name);
		return;
	case LAYA_MESSAGE_REGISTERED:
		if (key == 1)
			laya_address_read(reader,
					  &message->registered.observed);
		else
			read_relays(reader, &message->registered.relays);
		return;
	default:
		break;
	}

	if (key == 2) {
		message->id = laya_read_uint(reader, UINT64_MAX);
		return;
	}
	switch (message->type) {
	case LAYA_MESSAGE_OFFER:
	case LAYA_MESSAGE_ANSWER:
	case LAYA_MESSAGE_FOLLOWUP:
		read_sealed(reader, message, key);
		break;
	case LAYA_MESSAGE_ERROR:
		message->code = laya_read_uint(reader, UINT32_MAX);
		break;
	case LAYA_MESSAGE_RELAYS:
		read_relays(reader, &message->relays);
		break;
	case LAYA_MESSAGE_CANDIDATES:
		laya_candidates_read(reader, &message->candidates);
		break;
	case LAYA_MESSAGE_LABEL_REQUEST:
		read_label_request(reader, message);
		break;
	case LAYA_MESSAGE_LABELS:
		read_labels(reader, message, key);
		break;
	case LAYA_MESSAGE_LABEL_RELEASE:
		read_label_release(reader, message);
		break;
	case LAYA_MESSAGE_TRUNK_REQUEST:
		read_trunk_request(reader, message, key);
		break;
	case LAYA_MESSAGE_TRUNK:
		read_trunk(reader, message, key);
		break;
	default:
		laya_reader_fail(reader);
		break;
	}
}

/**
 * laya_message_decode() - read a message
 * @message: where to put it; a body of it stays in @in
 * @in: the bytes
 * @len: their number
 *
 * Return: 0, or -EBADMSG for whatever is not exactly one message; @message is
 * undefined then.
 */
int laya_message_decode(struct laya_message *message, const uint8_t *in,
			size_t len)
{
	struct laya_reader reader;
	unsigned int wanted = 0;
	struct laya_map map;
	uint64_t key;

	memset(message, 0, sizeof(*message));
	if (len > LAYA_MESSAGE_MAX)
		return -EBADMSG;
	laya_reader_init(&reader, in, len);
	laya_read_map(&reader, &map);
	if (!laya_map_next(&reader, &map, &key) || key != KEY_TYPE)
		return -EBADMSG;
	message->type = laya_read_uint(&reader, LAYA_MESSAGE_TRUNK);
	wanted = keys_of(message->type);
	if (wanted == 0)
		return -EBADMSG;

	while (laya_map_next(&reader, &map, &key)) {
		if (key >= LAYA_CODEC_FIRST_OPTIONAL) {
			laya_read_skip(&reader);
		} else if (key < 8 && wanted & BIT(key)) {
			wanted &= ~BIT(key);
			read_value(&reader, message, key);
		} else {
			return -EBADMSG;
		}
	}
	if (wanted != 0)
		return -EBADMSG;
	return laya_reader_finish(&reader);
}

/**
 * laya_message_type_name() - name of a type, for people
 * @type: the type
 *
 * Return: a constant string.
 */
const char *laya_message_type_name(enum laya_message_type type)
{
	static const char * const names[] = {
		[LAYA_MESSAGE_REGISTER] = "register",
		[LAYA_MESSAGE_REGISTERED] = "registered",
		[LAYA_MESSAGE_OFFER] = "offer",
		[LAYA_MESSAGE_ANSWER] = "answer",
		[LAYA_MESSAGE_FOLLOWUP] = "follow-up",
		[LAYA_MESSAGE_ERROR] = "error",
		[LAYA_MESSAGE_PING] = "ping",
		[LAYA_MESSAGE_PONG] = "pong",
		[LAYA_MESSAGE_RELAYS] = "relays",
		[LAYA_MESSAGE_CANDIDATES] = "candidates",
		[LAYA_MESSAGE_LABEL_REQUEST] = "label-request",
		[LAYA_MESSAGE_LABELS] = "labels",
		[LAYA_MESSAGE_LABEL_RELEASE] = "label-release",
		[LAYA_MESSAGE_ACK] = "ack",
		[LAYA_MESSAGE_TRUNK_REQUEST] = "trunk-request",
		[LAYA_MESSAGE_TRUNK] = "trunk",
	};

	if (type < LAYA_MESSAGE_REGISTER || type > LAYA_MESSAGE_TRUNK)
		return "unknown";
	return names[type];
}

/**
 * laya_message_error_text() - what an error code means, for people
 * @code: enum laya_message_error
 *
 * Return: a constant string.
 */
const char *laya_message_error_text(uint32_t code)
{
	switch (code) {
	case LAYA_MESSAGE_ERROR_UNREACHABLE:
		return "not connected to the rendezvous, or unknown to it";
	case LAYA_MESSAGE_ERROR_RATE_LIMITED:
		return "rate-limited";
	case LAYA_MESSAGE_ERROR_MALFORMED:
		return "malformed";
	default:
		return "unknown error";
	}
}

static unsigned int payload_keys(enum laya_payload_kind kind)
{
	if (kind == LAYA_PAYLOAD_FOLLOWUP)
		return BIT(4);
	return BIT(1) | BIT(2) | BIT(3) | BIT(4);
}

/**
 * laya_payload_encode() - write what a handshake message seals
 * @payload: the payload
 * @kind: of which message
 * @out: buffer
 * @cap: its size
 * @out_len: where to put the length
 *
 * Return: 0; -EMSGSIZE if @cap is too small; -EINVAL for a payload that a
 * reader would refuse.
 */
int laya_payload_encode(const struct laya_payload *payload,
			enum laya_payload_kind kind, uint8_t *out, size_t cap,
			size_t *out_len)
{
	struct laya_writer writer;
	unsigned int i;

	laya_writer_init(&writer, out, cap);
	if (kind == LAYA_PAYLOAD_FOLLOWUP) {
		laya_write_map(&writer, 1);
	} else {
		if (payload->index == 0 || payload->n_ciphers == 0 ||
		    payload->n_ciphers > LAYA_MAX_CIPHERS ||
		    (kind == LAYA_PAYLOAD_ANSWER && payload->n_ciphers != 1))
			return -EINVAL;
		laya_write_map(&writer, 4);
		laya_write_uint(&writer, 1);
		laya_write_uint(&writer, payload->stamp);
		laya_write_uint(&writer, 2);
		laya_write_uint(&writer, payload->index);
		laya_write_uint(&writer, 3);
		laya_write_array(&writer, payload->n_ciphers);
		for (i = 0; i < payload->n_ciphers; i++)
			laya_write_uint(&writer, payload->ciphers[i]);
	}
	laya_write_uint(&writer, 4);
	laya_candidates_write(&writer, &payload->candidates);
	return laya_writer_finish(&writer, out_len);
}

static void read_payload_value(struct laya_reader *reader,
			       struct laya_payload *payload,
			       enum laya_payload_kind kind, uint64_t key)
{
	unsigned int i;

	switch (key) {
	case 1:
		payload->stamp = laya_read_uint(reader, UINT64_MAX);
		break;
	case 2:
		payload->index = laya_read_uint(reader, UINT32_MAX);
		if (payload->index == 0)
			laya_reader_fail(reader);
		break;
	case 3:
		payload->n_ciphers =
			laya_read_array(reader, kind == LAYA_PAYLOAD_ANSWER ?
					1 : LAYA_MAX_CIPHERS);
		if (payload->n_ciphers == 0)
			laya_reader_fail(reader);
		for (i = 0; i < payload->n_ciphers; i++)
			payload->ciphers[i] = laya_read_uint(reader,
							     UINT32_MAX);
		break;
	case 4:
		laya_candidates_read(reader, &payload->candidates);
		break;
	}
}

/**
 * laya_payload_decode() - read what a handshake message sealed
 * @payload: where to put it
 * @kind: of which message
 * @in: the bytes
 * @len: their number
 *
 * Return: 0, or -EBADMSG; @payload is undefined then.
 */
int laya_payload_decode(struct laya_payload *payload,
			enum laya_payload_kind kind, const uint8_t *in,
			size_t len)
{
	unsigned int wanted = payload_keys(kind);
	struct laya_reader reader;
	struct laya_map map;
	uint64_t key;

	memset(payload, 0, sizeof(*payload));
	laya_reader_init(&reader, in, len);
	laya_read_map(&reader, &map);
	while (laya_map_next(&reader, &map, &key)) {
		if (key >= LAYA_CODEC_FIRST_OPTIONAL) {
			laya_read_skip(&reader);
		} else if (key < 8 && wanted & BIT(key)) {
			wanted &= ~BIT(key);
			read_payload_value(&reader, payload, kind, key);
		} else {
			return -EBADMSG;
		}
	}
	if (wanted != 0)
		return -EBADMSG;
	return laya_reader_finish(&reader);
}
