// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "message.h"
#include "relay.h"
#include "relay_attach.h"
#include "relay_carry.h"
#include "relay_control.h"
#include "relay_outside.h"
#include "relay_trunk.h"

#define CONTROL_PORT	1
#define NOT_ALLOWED	2
#define MORE		1
/* A sealed packet that every path carries, and pieces in units of 8 bytes */
#define MAX_PLAIN	(1200 - LAYA_DATA_OVERHEAD)
#define PIECE		((MAX_PLAIN - LAYA_INNER_SIZE) / 8 * 8)
#define MAX_WHOLE	(LAYA_INNER_SIZE + LAYA_MESSAGE_MAX)
#define MAX_UNITS	((MAX_WHOLE + 7) / 8)

/**
 * struct relay_pieces - a message that comes in pieces
 * @id: which; the pieces of another end it
 * @len: of the whole; 0 until the last piece is there
 * @units: pieces of 8 bytes that are there
 * @have: which
 * @data: the plaintext
 */
struct relay_pieces {
	uint32_t id;
	size_t len;
	size_t units;
	bool have[MAX_UNITS];
	uint8_t data[MAX_UNITS * 8];
};

static void send_whole(struct relay_host *host, const uint8_t *plain,
		       size_t len)
{
	uint8_t piece[LAYA_INNER_SIZE + PIECE];
	size_t part;
	size_t at;

	if (len <= MAX_PLAIN) {
		relay_host_send(host, plain, len);
		return;
	}
	host->next_piece++;
	for (at = 0; at < len; at += part) {
		part = len - at < PIECE ? len - at : PIECE;
		piece[0] = LAYA_INNER_FRAGMENT;
		piece[1] = at + part < len ? MORE : 0;
		laya_put16(piece + 2, at / 8);
		laya_put32(piece + 4, host->next_piece);
		memcpy(piece + LAYA_INNER_SIZE, plain + at, part);
		relay_host_send(host, piece, LAYA_INNER_SIZE + part);
	}
}

/**
 * relay_control_send() - say something in the session, once
 * @host: to whom
 * @message: what
 */
void relay_control_send(struct relay_host *host,
			const struct laya_message *message)
{
	uint8_t plain[MAX_WHOLE];
	size_t len;

	if (laya_message_encode(message, plain + LAYA_INNER_SIZE,
				LAYA_MESSAGE_MAX, &len))
		return;
	memset(plain, 0, LAYA_INNER_SIZE);
	plain[0] = LAYA_INNER_DGRAM;
	laya_put16(plain + 4, CONTROL_PORT);
	laya_put16(plain + 6, CONTROL_PORT);
	send_whole(host, plain, LAYA_INNER_SIZE + len);
}

static void acknowledge(struct relay_host *host, uint64_t id)
{
	const struct laya_message message = {
		.type = LAYA_MESSAGE_ACK,
		.id = id,
	};

	relay_control_send(host, &message);
}

/* Of the far end of a trunk, which asks us for nothing */
static bool is_for_trunk(const struct laya_message *message)
{
	return message->type == LAYA_MESSAGE_OFFER ||
	       message->type == LAYA_MESSAGE_ANSWER ||
	       message->type == LAYA_MESSAGE_FOLLOWUP ||
	       message->type == LAYA_MESSAGE_PING;
}

static void handle(struct relay_host *host, const struct laya_message *message)
{
	struct laya_message reply;

	if (host->trunk && !is_for_trunk(message))
		return;
	switch (message->type) {
	case LAYA_MESSAGE_OFFER:
		if (!relay_attach_offer(host, message, &reply))
			relay_control_send(host, &reply);
		break;
	case LAYA_MESSAGE_ANSWER:
		if (host->trunk)
			relay_trunk_answered(host->trunk, message);
		else
			relay_carry_back(host, message);
		break;
	case LAYA_MESSAGE_FOLLOWUP:
		if (relay_attach_followup(host, message))
			acknowledge(host, message->id);
		break;
	case LAYA_MESSAGE_LABEL_REQUEST:
		if (!relay_attach_label_request(host, message, &reply))
			relay_control_send(host, &reply);
		break;
	case LAYA_MESSAGE_LABEL_RELEASE:
		relay_attach_label_release(host, message);
		acknowledge(host, message->id);
		break;
	case LAYA_MESSAGE_CANDIDATES:
		acknowledge(host, message->id);
		relay_outside_ask(host, &message->candidates);
		break;
	case LAYA_MESSAGE_TRUNK_REQUEST:
		relay_trunk_asked(host, message);
		break;
	case LAYA_MESSAGE_PING:
		reply = *message;
		reply.type = LAYA_MESSAGE_PONG;
		relay_control_send(host, &reply);
		break;
	default:
		break;
	}
}

static void refuse(struct relay_host *host, const uint8_t *plain)
{
	static const struct rate errors = { .per_second = 100, .burst = 100 };
	uint8_t error[LAYA_INNER_SIZE] = { LAYA_INNER_ERROR, NOT_ALLOWED };

	if (!bucket_take(&host->errors, &errors, host->relay->now, 1))
		return;
	memcpy(error + 4, plain + 4, 4);
	relay_host_send(host, error, sizeof(error));
}

static void receive_datagram(struct relay_host *host, const uint8_t *plain,
			     size_t len)
{
	struct relay *relay = host->relay;
	struct laya_message message;

	if (plain[1] != 0 || laya_get16(plain + 2) != 0 ||
	    laya_get16(plain + 6) == 0)
		return;
	if (laya_get16(plain + 6) != CONTROL_PORT) {
		refuse(host, plain);
		return;
	}
	if (laya_get16(plain + 4) != CONTROL_PORT ||
	    !bucket_take(&host->messages, &relay->limits.messages, relay->now,
			 1))
		return;
	if (laya_message_decode(&message, plain + LAYA_INNER_SIZE,
				len - LAYA_INNER_SIZE)) {
		laya_debug("%s: a malformed message in the session; ignored",
			   relay_host_text(host));
		return;
	}
	handle(host, &message);
}

static void forget_pieces(struct relay_host *host)
{
	free(host->pieces);
	host->pieces = NULL;
}

/* Return: whether the whole is there. */
static bool add_piece(struct relay_pieces *pieces, const uint8_t *plain,
		      size_t len)
{
	size_t unit = laya_get16(plain + 2);
	bool more = plain[1] & MORE;
	size_t size = len - LAYA_INNER_SIZE;
	size_t units = (size + 7) / 8;
	size_t i;

	/* Only the last may end within a unit, and it is the last. */
	if (size == 0 || unit + units > MAX_UNITS || (more && size % 8 != 0) ||
	    (!more && pieces->len != 0) ||
	    (pieces->len != 0 && unit * 8 + size > pieces->len))
		return false;
	for (i = unit; i < unit + units; i++) {
		if (pieces->have[i])
			return false;
	}
	if (!more) {
		for (i = unit + units; i < MAX_UNITS; i++) {
			if (pieces->have[i])
				return false;
		}
		pieces->len = unit * 8 + size;
	}
	memset(pieces->have + unit, true, units);
	memcpy(pieces->data + unit * 8, plain + LAYA_INNER_SIZE, size);
	pieces->units += units;
	return pieces->len != 0 && pieces->units == (pieces->len + 7) / 8;
}

static void receive_fragment(struct relay_host *host, const uint8_t *plain,
			     size_t len)
{
	uint32_t id = laya_get32(plain + 4);
	struct relay_pieces *pieces;

	if (plain[1] & ~MORE)
		return;
	if (host->pieces && host->pieces->id != id)
		forget_pieces(host);
	if (!host->pieces)
		host->pieces = calloc(1, sizeof(*host->pieces));
	if (!host->pieces)
		return;
	host->pieces->id = id;
	if (!add_piece(host->pieces, plain, len))
		return;
	/* What is done with it may end the host's life, or begin the next. */
	pieces = host->pieces;
	host->pieces = NULL;
	if (pieces->data[0] == LAYA_INNER_DGRAM &&
	    pieces->len >= LAYA_INNER_SIZE)
		receive_datagram(host, pieces->data, pieces->len);
	free(pieces);
}

/**
 * relay_control_receive() - something came that is no probe
 * @host: of whom
 * @plain: the plaintext
 * @len: its length, no less than an inner header's
 */
void relay_control_receive(struct relay_host *host, const uint8_t *plain,
			   size_t len)
{
	if (plain[0] == LAYA_INNER_DGRAM)
		receive_datagram(host, plain, len);
	else if (plain[0] == LAYA_INNER_FRAGMENT)
		receive_fragment(host, plain, len);
}
