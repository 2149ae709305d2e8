// SPDX-License-Identifier: GPL-2.0
/*
 * Attach to a forwarder as a host does, for benchmarks: handshake and a label by a
 * channel, a path by a UDP socket that was inherited.  The path stays for as long as
 * the forwarder waits to hear of it; what comes down it is the caller's to read.
 *
 *	laya-attach FORWARDER_KEY ADDRESS PORT FD	prints the label
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sodium.h>

#include "channel.h"
#include "handshake.h"
#include "packet.h"

#define NONCE_SIZE	12
#define PATIENCE_MS	20000

static struct {
	uv_loop_t loop;
	struct laya_identity self;
	struct laya_handshake_peer forwarder;
	struct laya_channel *channel;
	struct laya_offer offer;
	struct laya_session_keys keys;
	struct laya_address address;
	uv_timer_t timer;
	uv_poll_t poll;
	int fd;
	uint64_t counter;
	uint16_t path;
	bool replied;
	bool confirmed;
	bool labelled;
	char label[2 * LAYA_LABEL_SIZE + 1];
} attach;

static void die(const char *what)
{
	fprintf(stderr, "laya-attach: %s\n", what);
	exit(1);
}

static void nonce(uint8_t out[NONCE_SIZE], uint16_t path, uint64_t counter)
{
	laya_put16(out, 0);
	laya_put16(out + 2, path);
	laya_put64(out + 4, counter);
}

static void send_probe(const struct laya_probe *probe,
		       const struct laya_address *observed)
{
	const struct laya_data_header header = {
		.path_id = attach.path,
		.receiver = attach.keys.tx_index,
		.counter = ++attach.counter,
	};
	uint8_t plain[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];
	uint8_t packet[sizeof(plain) + LAYA_DATA_OVERHEAD];
	struct sockaddr_storage ss;
	uint8_t iv[NONCE_SIZE];
	socklen_t size;
	size_t len;

	len = laya_probe_write(plain, probe, observed);
	laya_data_header_write(packet, &header);
	nonce(iv, header.path_id, header.counter);
	crypto_aead_chacha20poly1305_ietf_encrypt(packet + LAYA_DATA_HEADER,
						  NULL, plain, len, NULL, 0,
						  NULL, iv,
						  attach.keys.tx_key);
	size = laya_address_to_sockaddr(&attach.address, &ss);
	if (sendto(attach.fd, packet, len + LAYA_DATA_OVERHEAD, 0,
		   (struct sockaddr *)&ss, size) < 0)
		die(strerror(errno));
}

static void request(void)
{
	const struct laya_probe probe = {
		.type = LAYA_PROBE_REQUEST,
		.path_kind = LAYA_PATH_KIND_DIRECT,
		.seq = 1,
		.token = 1,
	};

	send_probe(&probe, NULL);
}

static void check_done(void)
{
	if (attach.replied && attach.confirmed && attach.labelled)
		uv_stop(&attach.loop);
}

static void on_packet(uv_poll_t *poll, int status, int events)
{
	struct laya_data_header header;
	unsigned long long len;
	struct laya_probe probe;
	uint8_t packet[2048];
	uint8_t plain[2048];
	uint8_t iv[NONCE_SIZE];
	ssize_t size;

	(void)poll;
	(void)status;
	(void)events;
	size = recv(attach.fd, packet, sizeof(packet), MSG_DONTWAIT);
	if (size < LAYA_SEALED_MIN)
		return;
	laya_data_header_read(&header, packet);
	nonce(iv, header.path_id, header.counter);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, &len, NULL,
						      packet + LAYA_DATA_HEADER,
						      size - LAYA_DATA_HEADER,
						      NULL, 0, iv,
						      attach.keys.rx_key) ||
	    laya_probe_read(&probe, plain, len))
		return;
	if (probe.type == LAYA_PROBE_REPLY) {
		attach.replied = true;
	} else if (probe.type == LAYA_PROBE_REQUEST) {
		probe.type = LAYA_PROBE_REPLY;
		send_probe(&probe, &attach.address);
		attach.confirmed = true;
	}
	check_done();
}

static void on_ready(struct laya_channel *channel, void *data)
{
	static const struct laya_candidates none;
	struct laya_message message = { .type = LAYA_MESSAGE_OFFER, .id = 1 };
	uint8_t body[LAYA_MAX_BODY];

	(void)data;
	if (laya_offer_make(&attach.offer, &attach.self, &attach.forwarder, 1,
			    1, &none, body, sizeof(body),
			    &message.sealed.body_len))
		die("no offer");
	memcpy(message.sealed.key, attach.forwarder.key, LAYA_KEY_SIZE);
	message.sealed.body = body;
	laya_channel_send(channel, &message);
}

static void on_answer(struct laya_channel *channel,
		      const struct laya_message *answer)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_FOLLOWUP,
		.id = answer->id,
	};
	struct laya_candidates candidates;
	uint8_t body[LAYA_MAX_BODY];

	if (laya_answer_read(&attach.keys, &candidates, &attach.offer,
			     answer->sealed.body, answer->sealed.body_len))
		die("the answer cannot be read");
	if (attach.keys.cipher != LAYA_CIPHER_CHACHA20_POLY1305)
		die("the cipher is not the one that was offered first");
	candidates.n = 0;
	if (laya_followup_make(&attach.keys, &candidates, body, sizeof(body),
			       &message.sealed.body_len))
		die("no follow-up");
	memcpy(message.sealed.key, attach.forwarder.key, LAYA_KEY_SIZE);
	message.sealed.body = body;
	laya_channel_send(channel, &message);

	memset(&message, 0, sizeof(message));
	message.type = LAYA_MESSAGE_LABEL_REQUEST;
	message.id = 2;
	message.label_request.n = 1;
	/* For any other key than our own: the forwarder's will do. */
	memcpy(message.label_request.keys[0], attach.forwarder.key,
	       LAYA_KEY_SIZE);
	laya_channel_send(channel, &message);
	request();
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	(void)data;
	switch (message->type) {
	case LAYA_MESSAGE_ANSWER:
		on_answer(channel, message);
		break;
	case LAYA_MESSAGE_LABELS:
		if (message->labels.n != 1)
			die("it gives no label");
		sodium_bin2hex(attach.label, sizeof(attach.label),
			       message->labels.list[0].label, LAYA_LABEL_SIZE);
		attach.labelled = true;
		check_done();
		break;
	default:
		die(laya_message_type_name(message->type));
	}
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	(void)channel;
	(void)error;
	(void)data;
	die(reason);
}

static const struct laya_channel_ops ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
};

static void on_patience(uv_timer_t *timer)
{
	(void)timer;
	die("it takes too long");
}

int main(int argc, char **argv)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	struct laya_channel_config config;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	uint8_t key[LAYA_KEY_SIZE];

	if (argc != 5 || sodium_init() < 0)
		die("usage: laya-attach FORWARDER_KEY ADDRESS PORT FD");
	snprintf(text, sizeof(text), "%s:%s", argv[2], argv[3]);
	attach.fd = atoi(argv[4]);
	/* Not accelerated: so the forwarder chooses ChaCha20-Poly1305. */
	if (laya_key_decode_public(key, argv[1]) ||
	    laya_address_parse(&attach.address, text) ||
	    laya_key_generate(private_key) ||
	    laya_identity_init(&attach.self, private_key, false) ||
	    laya_handshake_peer_init(&attach.forwarder, &attach.self, key,
				     NULL))
		die("bad key or address");
	attach.path = 1;
	if (memcmp(attach.self.public_key, key, LAYA_KEY_SIZE) > 0)
		attach.path |= LAYA_PATH_ID_GREATER;

	uv_loop_init(&attach.loop);
	uv_timer_init(&attach.loop, &attach.timer);
	uv_timer_start(&attach.timer, on_patience, PATIENCE_MS, 0);
	uv_poll_init(&attach.loop, &attach.poll, attach.fd);
	uv_poll_start(&attach.poll, UV_READABLE, on_packet);
	laya_channel_config_client(&config, LAYA_PROLOGUE_ATTACH, private_key);
	if (laya_channel_connect(&attach.channel, &attach.loop, &config,
				 argv[2], argv[3], key, &ops, NULL))
		die("no channel");
	uv_run(&attach.loop, UV_RUN_DEFAULT);
	puts(attach.label);
	return 0;
}
