// SPDX-License-Identifier: GPL-2.0
/*
 * Attach to a forwarder as a host that is up to no good does, and name other
 * forwarders to it, so many times:
 *
 *	laya-name FORWARDER_KEY ADDRESS PORT FD KEY [+]ADDRESS:PORT COUNT
 *
 * The key may be "random", another one each time; with a plus sign the address is
 * one more each time. Prints how often it was led there, heard that it is not, and
 * heard that this was too much. FD is a UDP socket, connected to the forwarder.
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
/* Requests, some at a time; and how long answers to the last may take */
#define NAME_MS		50
#define NAME_AT_ONCE	100
#define ANSWER_MS	8000
#define CONTROL_PORT	1

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
	const char *name_key;
	struct laya_address name_address;
	bool name_next;
	unsigned int to_name;
	unsigned int named;
	unsigned int led;
	unsigned int unreachable;
	unsigned int limited;
} attach;

static void die(const char *what)
{
	fprintf(stderr, "laya-name: %s\n", what);
	exit(1);
}

static void nonce(uint8_t out[NONCE_SIZE], uint16_t path, uint64_t counter)
{
	laya_put16(out, 0);
	laya_put16(out + 2, path);
	laya_put64(out + 4, counter);
}

static void send_plain(const uint8_t *plain, size_t len)
{
	const struct laya_data_header header = {
		.path_id = attach.path,
		.receiver = attach.keys.tx_index,
		.counter = ++attach.counter,
	};
	uint8_t packet[2048];
	struct sockaddr_storage ss;
	uint8_t iv[NONCE_SIZE];
	socklen_t size;

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

static void send_probe(const struct laya_probe *probe,
		       const struct laya_address *observed)
{
	uint8_t plain[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];

	send_plain(plain, laya_probe_write(plain, probe, observed));
}

static void name_one(void)
{
	struct laya_message message = { .type = LAYA_MESSAGE_TRUNK_REQUEST };
	uint8_t plain[LAYA_INNER_SIZE + 512] = { LAYA_INNER_DGRAM };
	uint8_t *last = &attach.name_address.addr[3];
	uint8_t private_key[LAYA_KEY_SIZE];
	size_t len;

	message.id = ++attach.named;
	if (strcmp(attach.name_key, "random") != 0)
		laya_key_decode_public(message.trunk_request.key,
				       attach.name_key);
	else if (laya_key_generate(private_key) ||
		 laya_key_public(message.trunk_request.key, private_key))
		die("no key");
	message.trunk_request.addresses.n = 1;
	message.trunk_request.addresses.list[0] = attach.name_address;
	while (attach.name_next && ++*last == 0)
		last--;
	if (laya_message_encode(&message, plain + LAYA_INNER_SIZE,
				sizeof(plain) - LAYA_INNER_SIZE, &len))
		die("no request");
	laya_put16(plain + 4, CONTROL_PORT);
	laya_put16(plain + 6, CONTROL_PORT);
	send_plain(plain, LAYA_INNER_SIZE + len);
}

static void on_name(uv_timer_t *timer)
{
	unsigned int i;

	if (attach.named == attach.to_name) {
		uv_stop(&attach.loop);
		return;
	}
	for (i = 0; i < NAME_AT_ONCE && attach.named < attach.to_name; i++)
		name_one();
	uv_timer_start(timer, on_name, attach.named < attach.to_name ?
		       NAME_MS : ANSWER_MS, 0);
}

static void on_datagram(const uint8_t *plain, size_t len)
{
	struct laya_message message;

	if (len < LAYA_INNER_SIZE || plain[0] != LAYA_INNER_DGRAM ||
	    laya_message_decode(&message, plain + LAYA_INNER_SIZE,
				len - LAYA_INNER_SIZE))
		return;
	if (message.type == LAYA_MESSAGE_TRUNK)
		attach.led++;
	else if (message.type != LAYA_MESSAGE_ERROR)
		return;
	else if (message.code == LAYA_MESSAGE_ERROR_RATE_LIMITED)
		attach.limited++;
	else
		attach.unreachable++;
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
	if (attach.replied && attach.confirmed && !attach.named)
		on_name(&attach.timer);
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
						      attach.keys.rx_key))
		return;
	if (laya_probe_read(&probe, plain, len)) {
		on_datagram(plain, len);
		return;
	}
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

	request();
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	(void)data;
	if (message->type != LAYA_MESSAGE_ANSWER)
		die(laya_message_type_name(message->type));
	on_answer(channel, message);
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

	if (argc != 8 || sodium_init() < 0)
		die("usage: laya-name FORWARDER_KEY ADDRESS PORT FD KEY [+]ADDRESS:PORT COUNT");
	attach.name_key = argv[5];
	attach.name_next = argv[6][0] == '+';
	attach.to_name = strtoul(argv[7], NULL, 10);
	if (laya_address_parse(&attach.name_address, argv[6] + attach.name_next))
		die("bad address to name");
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
	printf("%u led %u unreachable %u limited\n", attach.led,
	       attach.unreachable, attach.limited);
	return 0;
}
