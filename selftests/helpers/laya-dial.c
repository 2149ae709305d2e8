// SPDX-License-Identifier: GPL-2.0
/*
 * Reach a server by one transport, as a host does.
 *
 *	laya-dial TRANSPORT ADDRESS PORT KEY rendezvous|attach
 *		a channel to it: prints "ready" when it has proven its key
 *	laya-dial TRANSPORT ADDRESS PORT carrier
 *		a carrier with one packet for nobody: prints "closed" when the far
 *		side ends it; SIGTERM ends it in order
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "channel.h"
#include "dial.h"
#include "handshake.h"

#define PATIENCE_MS	20000
#define PACKET_SIZE	64
#define PACKET_SEALED	0x81

static struct {
	uv_loop_t loop;
	const char *prologue;		/* NULL for a carrier */
	uint8_t key[LAYA_KEY_SIZE];
	struct laya_channel *channel;
	int fd;
	uv_poll_t network;
	uv_signal_t end;
} dial;

static void die(const char *what)
{
	fprintf(stderr, "laya-dial: %s\n", what);
	exit(1);
}

static void on_ready(struct laya_channel *channel, void *data)
{
	(void)channel;
	(void)data;
	puts("ready");
	exit(0);
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	(void)channel;
	(void)data;
	die(laya_message_type_name(message->type));
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	(void)channel;
	(void)error;
	(void)data;
	die(reason);
}

static void on_network(uv_poll_t *poll, int status, int events)
{
	uint8_t bytes[256];

	(void)poll;
	(void)status;
	(void)events;
	if (recv(dial.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		die("a packet for nobody was answered");
	puts("closed");
	exit(0);
}

/* The loop ends when the pump has said so to the far side. */
static void on_end(uv_signal_t *signal, int number)
{
	(void)number;
	uv_close((uv_handle_t *)&dial.network, NULL);
	uv_close((uv_handle_t *)signal, NULL);
	close(dial.fd);
}

static void open_carrier(void)
{
	uint8_t frame[2 + PACKET_SIZE] = { 0, PACKET_SIZE, PACKET_SEALED };

	if (send(dial.fd, frame, sizeof(frame), 0) != sizeof(frame))
		die(strerror(errno));
	uv_poll_init(&dial.loop, &dial.network, dial.fd);
	uv_poll_start(&dial.network, UV_READABLE, on_network);
	uv_signal_init(&dial.loop, &dial.end);
	uv_signal_start(&dial.end, on_end, SIGTERM);
}

static void open_channel(void)
{
	static const struct laya_channel_ops ops = {
		.ready = on_ready,
		.message = on_message,
		.closed = on_closed,
	};
	uint8_t private_key[LAYA_KEY_SIZE];
	struct laya_channel_config config;

	if (laya_key_generate(private_key))
		die("no key");
	laya_channel_config_client(&config, dial.prologue, private_key);
	if (laya_channel_open(&dial.channel, &dial.loop, &config, dial.fd,
			      NULL, NULL, dial.key, &ops, NULL))
		die("no channel");
}

static void on_dialled(struct laya_dial *dialled, int fd,
		       struct laya_pump *pump,
		       const struct laya_dial_evidence *evidence, void *data)
{
	(void)dialled;
	(void)pump;
	(void)data;
	if (fd < 0)
		die(evidence->text);
	dial.fd = fd;
	if (dial.prologue)
		open_channel();
	else
		open_carrier();
}

static const char *prologue_of(const char *name)
{
	if (strcmp(name, "attach") == 0)
		return LAYA_PROLOGUE_ATTACH;
	if (strcmp(name, "rendezvous") == 0)
		return LAYA_PROLOGUE_RENDEZVOUS;
	die("a channel is of rendezvous or attach");
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct laya_dial_ops ops = { .done = on_dialled };
	struct laya_dial_target target = { 0 };
	struct laya_dial_options options;
	struct laya_dial *pending;

	if (argc == 6)
		dial.prologue = prologue_of(argv[5]);
	else if (argc != 5 || strcmp(argv[4], "carrier") != 0)
		die("usage: laya-dial TRANSPORT ADDRESS PORT carrier|KEY rendezvous|KEY attach");
	if (laya_transport_parse(&target.transport, argv[1]) ||
	    (dial.prologue && laya_key_decode_public(dial.key, argv[4])))
		die("bad transport or key");
	target.host = argv[2];
	target.port = atoi(argv[3]);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	uv_loop_init(&dial.loop);
	laya_dial_options_default(&options);
	options.proxy = "none";
	options.timeout = PATIENCE_MS;
	if (laya_dial(&pending, &dial.loop, &target, &options, &ops, NULL))
		die("cannot dial");
	uv_run(&dial.loop, UV_RUN_DEFAULT);
	return 0;
}
