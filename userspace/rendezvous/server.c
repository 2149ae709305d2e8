// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "handshake.h"
#include "log.h"
#include "relay.h"
#include "relay_stream.h"
#include "server.h"

#define FREE_PORT_TRIES	16

/**
 * limits_default() - limits that fit a small public server
 * @limits: where to put them
 */
void limits_default(struct limits *limits)
{
	memset(limits, 0, sizeof(*limits));
	limits->clients = 4096;
	limits->half_open = 512;
	/* A whole village may be behind one address of its provider's NAT. */
	limits->source_clients = 256;
	limits->source_unknown = 128;
	limits->source_relays = 4;
	limits->arrivals = (struct rate){ .per_second = 10, .burst = 64 };
	limits->messages = (struct rate){ .per_second = 20, .burst = 300 };
	limits->bytes = (struct rate){ .per_second = 32768, .burst = 524288 };
	limits->frames = (struct rate){ .per_second = 100, .burst = 1000 };
	limits->max_queue = 32768;
	limits->handshake_timeout = 10000;
	limits->idle_timeout = 90000;
	limits->relays_delay = 1000;
	limits->relays_interval = 15000;
}

/**
 * server_init() - make a server that does not listen yet
 * @server: the server
 * @loop: its loop
 * @private_key: its key
 * @limits: its limits
 *
 * Return: 0, -ENOMEM, -EIO, or the error of laya_key_public().
 */
int server_init(struct server *server, uv_loop_t *loop,
		const uint8_t private_key[LAYA_KEY_SIZE],
		const struct limits *limits)
{
	int ret;

	if (sodium_init() < 0)
		return -EIO;
	memset(server, 0, sizeof(*server));
	ret = laya_key_public(server->public_key, private_key);
	if (ret)
		return ret;
	ret = registry_init(&server->registry, limits->clients);
	if (ret)
		return ret;
	ret = sources_init(&server->sources, 4 * (size_t)limits->clients);
	if (ret)
		goto err_registry;

	server->loop = loop;
	server->limits = *limits;
	laya_channel_config_server(&server->channel_config,
				   LAYA_PROLOGUE_RENDEZVOUS, private_key);
	server->channel_config.handshake_timeout = limits->handshake_timeout;
	server->channel_config.idle_timeout = limits->idle_timeout;
	server->channel_config.max_queue = limits->max_queue;
	TAILQ_INIT(&server->half_open);
	TAILQ_INIT(&server->open);
	TAILQ_INIT(&server->relays);
	uv_timer_init(loop, &server->relays_timer);
	server->relays_timer.data = server;
	return 0;

err_registry:
	registry_free(&server->registry);
	return ret;
}

static void on_accepted(struct laya_listener *listener,
			const struct laya_accepted *accepted, void *data)
{
	struct server *server = data;

	(void)listener;
	if (accepted->kind == LAYA_ACCEPTED_CHANNEL) {
		client_take(server, accepted);
		return;
	}
	server->stats.carriers++;
	/* Its pump ends with that. */
	if (server->relay)
		relay_stream_take(server->relay, accepted, NULL);
	else
		close(accepted->fd);
}

static const struct laya_listener_ops listener_ops = {
	.accepted = on_accepted,
};

static void on_came(int fd, const struct laya_address *remote, void *data)
{
	struct server *server = data;

	(void)remote;
	laya_listener_take(server->listener, fd);
}

static void on_resting(void *data)
{
	struct server *server = data;

	server->stats.paused++;
	laya_warning("no file descriptors or no memory: accepting pauses");
}

static const struct laya_door_ops door_ops = {
	.came = on_came,
	.resting = on_resting,
};

/**
 * server_open() - get ready for all transports
 * @server: the server
 * @certificate: PEM file with a certificate and those above it, or NULL for
 *	one of our own
 * @key: PEM file with its key; NULL if that is in @certificate
 * @state_dir: where our own certificate is kept; NULL to make a new one
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * Return: 0 or a negative errno.
 */
int server_open(struct server *server, const char *certificate,
		const char *key, const char *state_dir, char *msg,
		size_t msg_size)
{
	const struct limits *limits = &server->limits;
	struct laya_listener_config config;

	laya_listener_config_default(&config);
	config.certificate = certificate;
	config.key = key;
	config.state_dir = state_dir;
	config.timeout = limits->handshake_timeout;
	config.max_pending = limits->half_open;
	config.max_requests = limits->half_open;
	config.max_source = limits->source_unknown;
	return laya_listener_open(&server->listener, server->loop, &config,
				  &listener_ops, server, msg, msg_size);
}

/**
 * server_relay() - take those who attach to a relay as well
 * @server: the server
 * @relay: the relay, under the same key
 * @name: its host name, to be there as long; NULL if it has none
 */
void server_relay(struct server *server, struct relay *relay,
		  const char *name)
{
	server->relay = relay;
	server->relay_name = name;
	server->channel_config.other_prologue = LAYA_PROLOGUE_ATTACH;
}

static int listen_once(struct server *server,
		       const struct laya_address *address, const char **what)
{
	struct laya_door **door = &server->doors[server->n_doors];
	int ret;

	*what = "TCP";
	ret = laya_door_open(door, server->loop, address, false, &door_ops,
			     server);
	if (ret)
		return ret;
	*what = "UDP";
	ret = laya_listener_udp(server->listener, laya_door_address(*door));
	if (ret)
		laya_door_close(*door);
	else
		server->n_doors++;
	return ret;
}

/**
 * server_listen() - listen at one more address
 * @server: the server, opened
 * @address: the address, TCP and UDP; port 0 takes one that both have free
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * "[::]" is IPv6 alone, so that "0.0.0.0" fits beside it.
 *
 * Return: 0 or a negative errno.
 */
int server_listen(struct server *server, const struct laya_address *address,
		  char *msg, size_t msg_size)
{
	unsigned int tries = address->port ? 1 : FREE_PORT_TRIES;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	const char *what;
	int ret;

	laya_address_format(text, address);
	if (server->n_doors == SERVER_MAX_LISTENERS) {
		snprintf(msg, msg_size, "cannot listen at %s: %d addresses are the limit",
			 text, SERVER_MAX_LISTENERS);
		return -ENOSPC;
	}
	/* A port that TCP has free may be taken in UDP: then try another. */
	do {
		ret = listen_once(server, address, &what);
	} while (ret == -EADDRINUSE && --tries);
	if (ret)
		snprintf(msg, msg_size, "cannot listen at %s, %s: %s", text,
			 what, strerror(-ret));
	return ret;
}

/**
 * server_close() - end; the loop runs out of work then
 * @server: the server
 */
void server_close(struct server *server)
{
	unsigned int i;

	if (server->closing)
		return;
	server->closing = true;
	for (i = 0; i < server->n_doors; i++)
		laya_door_close(server->doors[i]);
	if (server->listener)
		laya_listener_close(server->listener);
	while (!TAILQ_EMPTY(&server->half_open))
		client_close(TAILQ_FIRST(&server->half_open));
	while (!TAILQ_EMPTY(&server->open))
		client_close(TAILQ_FIRST(&server->open));
	uv_close((uv_handle_t *)&server->relays_timer, NULL);
}

/**
 * server_free() - give memory back, after the loop has ended
 * @server: the server
 */
void server_free(struct server *server)
{
	registry_free(&server->registry);
	sources_free(&server->sources);
	sodium_memzero(server, sizeof(*server));
}

static void on_relays_due(uv_timer_t *timer)
{
	struct server *server = timer->data;
	struct client *client;

	server->relays_sent = uv_now(server->loop);
	server->relays_were_sent = true;
	TAILQ_FOREACH(client, &server->open, all) {
		if (client->registered)
			client_send_relays(client);
	}
}

/**
 * server_relays_changed() - tell everybody, soon
 * @server: the server
 *
 * A list goes to all clients, so one relay that comes and goes must not make
 * much traffic: changes are collected.
 */
void server_relays_changed(struct server *server)
{
	uint64_t delay = server->limits.relays_delay;
	uint64_t passed;

	if (server->closing ||
	    uv_is_active((uv_handle_t *)&server->relays_timer))
		return;
	passed = uv_now(server->loop) - server->relays_sent;
	if (server->relays_were_sent &&
	    passed + delay < server->limits.relays_interval)
		delay = server->limits.relays_interval - passed;
	uv_timer_start(&server->relays_timer, on_relays_due, delay, 0);
}

/**
 * server_get_relays() - the relays to tell a client
 * @server: the server
 * @reader: the client, which is not told of itself
 * @relays: where to put them: our own, and those that are here longest
 */
void server_get_relays(struct server *server, const struct client *reader,
		       struct laya_relays *relays)
{
	size_t left = LAYA_MAX_RELAYS_SIZE;
	struct client *client;
	struct laya_relay *relay;

	relays->n = 0;
	if (server->relay) {
		relay = &relays->list[0];
		memcpy(relay->key, server->public_key, LAYA_KEY_SIZE);
		relay_addresses(server->relay, &reader->local, &relay->addresses);
		strcpy(relay->host_name,
		       server->relay_name ? server->relay_name : "");
		if (relay->addresses.n > 0) {
			left -= laya_relay_size(relay);
			relays->n++;
		}
	}
	TAILQ_FOREACH(client, &server->relays, relay_entry) {
		if (relays->n == LAYA_MAX_RELAYS)
			break;
		if (client == reader)
			continue;
		relay = &relays->list[relays->n];
		memcpy(relay->key, client->key, LAYA_KEY_SIZE);
		relay->addresses = client->addresses;
		strcpy(relay->host_name, client->host_name);
		if (laya_relay_size(relay) > left)
			break;
		left -= laya_relay_size(relay);
		relays->n++;
	}
}

/**
 * server_print_stats() - log all counters
 * @server: the server
 */
void server_print_stats(const struct server *server)
{
	const struct laya_listener_stats *unknown;
	const struct stats *stats = &server->stats;

	unknown = laya_listener_stats(server->listener);
	laya_info("clients %u (%u half-open), registered %zu, sources %zu",
		  server->n_clients, server->n_half_open, server->registry.n,
		  server->sources.n);
	laya_info("accepted %" PRIu64 ", refused by source %" PRIu64
		  ", refused full %" PRIu64 ", evicted %" PRIu64
		  ", no handshake %" PRIu64 ", paused %" PRIu64,
		  stats->accepted, stats->refused_source, stats->refused_full,
		  stats->evicted, stats->no_handshake, stats->paused);
	laya_info("registrations %" PRIu64 ", replaced %" PRIu64
		  ", routed %" PRIu64 ", unreachable %" PRIu64
		  ", rate-limited %" PRIu64 ", queue full %" PRIu64
		  ", violations %" PRIu64,
		  stats->registrations, stats->replaced, stats->routed,
		  stats->unreachable, stats->rate_limited, stats->queue_full,
		  stats->violations);
	laya_info("nothing of ours: unknown %" PRIu64 ", not found %" PRIu64
		  ", timed out %" PRIu64 ", evicted %" PRIu64
		  ", refused %" PRIu64 ", failed %" PRIu64
		  ", carriers %" PRIu64, unknown->unknown,
		  unknown->not_found, unknown->timed_out, unknown->evicted,
		  unknown->refused, unknown->failed, stats->carriers);
	if (server->relay)
		relay_print_stats(server->relay);
}
