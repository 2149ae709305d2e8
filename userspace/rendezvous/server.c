// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "handshake.h"
#include "log.h"
#include "relay.h"
#include "server.h"

#define BACKLOG		512
#define PAUSE_MS	500

static void on_connection(uv_stream_t *stream, int status);

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

/*
 * Listen on a duplicate, so that a pause closes what libuv polls but not the
 * socket: who connects meanwhile waits in its backlog.
 */
static int start_listening(struct listener *listener)
{
	int fd;
	int ret;

	fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = uv_tcp_init(listener->server->loop, &listener->tcp);
	if (ret) {
		close(fd);
		return ret;
	}
	listener->tcp.data = listener;
	ret = uv_tcp_open(&listener->tcp, fd);
	if (ret) {
		close(fd);
		uv_close((uv_handle_t *)&listener->tcp, NULL);
		return ret;
	}
	ret = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
	if (ret)
		uv_close((uv_handle_t *)&listener->tcp, NULL);
	return ret;
}

static void on_resume(uv_timer_t *timer)
{
	struct listener *listener = timer->data;

	/* Its handle is closed long since: that takes no time. */
	if (listener->server->closing)
		return;
	if (start_listening(listener))
		uv_timer_start(timer, on_resume, PAUSE_MS, 0);
}

static void pause_listening(struct listener *listener)
{
	if (uv_is_closing((uv_handle_t *)&listener->tcp))
		return;
	listener->server->stats.paused++;
	laya_warning("no file descriptors or no memory: accepting pauses");
	uv_close((uv_handle_t *)&listener->tcp, NULL);
	uv_timer_start(&listener->resume, on_resume, PAUSE_MS, 0);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;

	if (status == 0)
		status = client_accept(listener->server, stream);
	if (status == 0)
		return;
	if (status == UV_EMFILE || status == UV_ENFILE ||
		 status == UV_ENOMEM || status == UV_ENOBUFS)
		pause_listening(listener);
	else
		laya_debug("accept: %s", strerror(-status));
}

static int make_socket(const struct laya_address *address)
{
	struct sockaddr_storage ss;
	socklen_t size;
	int one = 1;
	int fd;
	int ret;

	size = laya_address_to_sockaddr(address, &ss);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return -errno;
	/* "[::]" is IPv6 alone, so that "0.0.0.0" fits beside it. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (ss.ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    bind(fd, (struct sockaddr *)&ss, size)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/**
 * server_listen() - listen at one more address
 * @server: the server
 * @address: the address; port 0 takes a free one
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * Return: 0 or a negative errno.
 */
int server_listen(struct server *server, const struct laya_address *address,
		  char *msg, size_t msg_size)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct sockaddr_storage ss;
	socklen_t size = sizeof(ss);
	struct listener *listener;
	int ret;

	laya_address_format(text, address);
	if (server->n_listeners == SERVER_MAX_LISTENERS) {
		snprintf(msg, msg_size, "cannot listen at %s: %d addresses are the limit",
			 text, SERVER_MAX_LISTENERS);
		return -ENOSPC;
	}
	listener = &server->listeners[server->n_listeners];
	listener->server = server;
	ret = make_socket(address);
	if (ret < 0)
		goto err;
	listener->fd = ret;
	if (getsockname(listener->fd, (struct sockaddr *)&ss, &size)) {
		ret = -errno;
		goto err_close;
	}
	laya_address_from_sockaddr(&listener->address, (struct sockaddr *)&ss);
	ret = start_listening(listener);
	if (ret)
		goto err_close;
	uv_timer_init(server->loop, &listener->resume);
	listener->resume.data = listener;
	server->n_listeners++;
	return 0;

err_close:
	close(listener->fd);
err:
	snprintf(msg, msg_size, "cannot listen at %s: %s", text,
		 strerror(-ret));
	return ret;
}

/**
 * server_close() - end; the loop runs out of work then
 * @server: the server
 */
void server_close(struct server *server)
{
	struct listener *listener;
	unsigned int i;

	if (server->closing)
		return;
	server->closing = true;
	for (i = 0; i < server->n_listeners; i++) {
		listener = &server->listeners[i];
		close(listener->fd);
		if (!uv_is_closing((uv_handle_t *)&listener->tcp))
			uv_close((uv_handle_t *)&listener->tcp, NULL);
		uv_close((uv_handle_t *)&listener->resume, NULL);
	}
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
	struct client *client;
	struct laya_relay *relay;

	relays->n = 0;
	if (server->relay) {
		relay = &relays->list[0];
		memcpy(relay->key, server->public_key, LAYA_KEY_SIZE);
		relay_addresses(server->relay,
				laya_channel_local_address(reader->channel),
				&relay->addresses);
		if (relay->addresses.n > 0)
			relays->n++;
	}
	TAILQ_FOREACH(client, &server->relays, relay_entry) {
		if (relays->n == LAYA_MAX_RELAYS)
			break;
		if (client == reader)
			continue;
		relay = &relays->list[relays->n++];
		memcpy(relay->key, client->key, LAYA_KEY_SIZE);
		relay->addresses = client->addresses;
	}
}

/**
 * server_print_stats() - log all counters
 * @server: the server
 */
void server_print_stats(const struct server *server)
{
	const struct stats *stats = &server->stats;

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
	if (server->relay)
		relay_print_stats(server->relay);
}
