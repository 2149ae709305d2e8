// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "log.h"
#include "relay.h"
#include "relay_attach.h"
#include "relay_stream.h"
#include "relay_trunk.h"

#define CARE_MS		1000
#define FREE_PORT_TRIES	16

/**
 * relay_limits_rate() - what may go through one label
 * @limits: where to put it
 * @per_second: bytes, both directions
 */
void relay_limits_rate(struct relay_limits *limits, uint32_t per_second)
{
	limits->table.rate.per_second = per_second;
	/* A run of 64 KiB must pass, however low the rate is. */
	limits->table.rate.burst = per_second / 10 + 262144;
}

/**
 * relay_limits_default() - limits that fit a small public server
 * @limits: where to put them
 */
void relay_limits_default(struct relay_limits *limits)
{
	memset(limits, 0, sizeof(*limits));
	limits->table.labels = 262144;
	limits->table.holder_labels = 256;
	limits->table.flows = 262144;
	limits->table.label_flows = 256;
	/* 100 Mbit/s */
	relay_limits_rate(limits, 12500000);
	limits->hosts = 16384;
	/* A whole village may be behind one address of its provider's NAT. */
	limits->source_hosts = 256;
	limits->connections = 1024;
	limits->streams = 512;
	limits->source_connections = 64;
	limits->arrivals = (struct rate){ .per_second = 10, .burst = 64 };
	limits->offers = (struct rate){ .per_second = 1, .burst = 16 };
	limits->messages = (struct rate){ .per_second = 20, .burst = 300 };
}

/**
 * relay_turn() - a turn of the loop begins
 * @relay: ours
 *
 * Suspend counts: keys, labels and NATs age meanwhile.
 */
void relay_turn(struct relay *relay)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	relay->now = now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static void on_care(uv_timer_t *timer)
{
	struct relay *relay = timer->data;

	relay_turn(relay);
	relay_table_expire(&relay->table, relay->now);
	relay_host_care(relay);
	relay_trunk_care(relay);
	relay_stream_care(relay);
}

/**
 * relay_tend_due() - it is time to probe hosts
 * @timer: relay->tend
 */
void relay_tend_due(uv_timer_t *timer)
{
	struct relay *relay = timer->data;

	relay_turn(relay);
	relay_host_tend(relay);
}

static int make_tables(struct relay *relay)
{
	const struct relay_limits *limits = &relay->limits;
	size_t size = 16;
	int ret;

	while (size < limits->hosts)
		size *= 2;
	relay->mask = size - 1;
	ret = relay_table_init(&relay->table, &limits->table);
	if (ret)
		return ret;
	ret = sources_init(&relay->callers, 4 * (size_t)(limits->connections +
							 limits->streams));
	if (ret)
		goto err_table;
	ret = sources_init(&relay->attached, 2 * (size_t)limits->hosts);
	if (ret)
		goto err_callers;
	ret = laya_trunk_budget_init(&relay->trunking);
	if (ret)
		goto err_attached;
	ret = -ENOMEM;
	relay->hosts = calloc(size, sizeof(*relay->hosts));
	relay->sessions = calloc(size, sizeof(*relay->sessions));
	relay->streams = calloc(limits->streams, sizeof(*relay->streams));
	relay->buffers = relay_buffers_new();
	if (!relay->hosts || !relay->sessions || !relay->streams ||
	    !relay->buffers)
		goto err_rest;
	return 0;

err_rest:
	free(relay->hosts);
	free(relay->sessions);
	free(relay->streams);
	relay_buffers_free(relay->buffers);
	laya_trunk_budget_free(&relay->trunking);
err_attached:
	sources_free(&relay->attached);
err_callers:
	sources_free(&relay->callers);
err_table:
	relay_table_free(&relay->table);
	return ret;
}

/**
 * relay_new() - make a relay that does not listen yet
 * @relay_out: where to put it; relay_stop() and relay_free() it
 * @loop: its loop
 * @private_key: its key
 * @limits: how much of everything
 * @told: addresses to tell hosts; none: those that we see
 *
 * Return: 0, -ENOMEM, -EIO, or the error of laya_key_public().
 */
int relay_new(struct relay **relay_out, uv_loop_t *loop,
	      const uint8_t private_key[LAYA_KEY_SIZE],
	      const struct relay_limits *limits,
	      const struct laya_addresses *told)
{
	struct relay *relay;
	int ret;

	if (sodium_init() < 0)
		return -EIO;
	relay = calloc(1, sizeof(*relay));
	if (!relay)
		return -ENOMEM;
	relay->loop = loop;
	relay->limits = *limits;
	relay->told = *told;
	ret = laya_identity_init(&relay->self, private_key,
				 relay_session_accelerated());
	if (!ret)
		ret = make_tables(relay);
	if (ret) {
		sodium_memzero(relay, sizeof(*relay));
		free(relay);
		return ret;
	}
	randombytes_buf(relay->hash_key, sizeof(relay->hash_key));
	LIST_INIT(&relay->carrying);
	TAILQ_INIT(&relay->connections);
	TAILQ_INIT(&relay->tending);
	TAILQ_INIT(&relay->unsent);
	TAILQ_INIT(&relay->trunks);
	uv_timer_init(loop, &relay->care);
	uv_timer_init(loop, &relay->tend);
	relay->care.data = relay;
	relay->tend.data = relay;
	relay_turn(relay);
	uv_timer_start(&relay->care, on_care, CARE_MS, CARE_MS);
	*relay_out = relay;
	return 0;
}

static void on_accepted(struct laya_listener *listener,
			const struct laya_accepted *accepted, void *data)
{
	(void)listener;
	if (accepted->kind == LAYA_ACCEPTED_CHANNEL)
		relay_attach_take(data, accepted);
	else
		relay_stream_take(data, accepted, NULL);
}

static const struct laya_listener_ops listener_ops = {
	.accepted = on_accepted,
};

static void on_came(int fd, const struct laya_address *remote, void *data)
{
	struct relay *relay = data;

	(void)remote;
	laya_listener_take(relay->listener, fd);
}

static void on_resting(void *data)
{
	(void)data;
	laya_warning("no file descriptors or no memory: attaching pauses");
}

static const struct laya_door_ops door_ops = {
	.came = on_came,
	.resting = on_resting,
};

/**
 * relay_open() - get ready for all transports
 * @relay: ours
 * @certificate: PEM file with a certificate and those above it, or NULL for
 *	one of our own
 * @key: PEM file with its key; NULL if that is in @certificate
 * @state_dir: where our own certificate is kept; NULL to make a new one
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * Return: 0 or a negative errno.
 */
int relay_open(struct relay *relay, const char *certificate, const char *key,
	       const char *state_dir, char *msg, size_t msg_size)
{
	struct laya_listener_config config;

	laya_listener_config_default(&config);
	config.certificate = certificate;
	config.key = key;
	config.state_dir = state_dir;
	config.max_pending = relay->limits.connections;
	config.max_requests = relay->limits.connections;
	config.max_source = 2 * relay->limits.source_connections;
	return laya_listener_open(&relay->listener, relay->loop, &config,
				  &listener_ops, relay, msg, msg_size);
}

static int listen_once(struct relay *relay, struct laya_address at,
		       const char **what)
{
	struct relay_socket **sock = &relay->sockets[relay->n_sockets];
	int ret;

	*what = "UDP";
	ret = relay_socket_open(sock, relay, &at, &at.port);
	if (ret)
		return ret;
	*what = "TCP";
	ret = laya_door_open(&relay->doors[relay->n_sockets], relay->loop, &at,
			     false, &door_ops, relay);
	if (ret) {
		relay_socket_close(*sock);
		return ret;
	}
	relay->port = at.port;
	relay->n_sockets++;
	return 0;
}

/**
 * relay_listen() - relay at one more address
 * @relay: ours, opened
 * @address: the address, UDP and TCP; its port is the relay's, 0 takes one that
 *	both have free
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * Return: 0 or a negative errno.
 */
int relay_listen(struct relay *relay, const struct laya_address *address,
		 char *msg, size_t msg_size)
{
	unsigned int tries = address->port ? 1 : FREE_PORT_TRIES;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	const char *what;
	int ret;

	laya_address_format(text, address);
	if (relay->n_sockets == RELAY_MAX_LISTEN) {
		snprintf(msg, msg_size, "cannot relay at %s: %d addresses are the limit",
			 text, RELAY_MAX_LISTEN);
		return -ENOSPC;
	}
	/* A port that UDP has free may be taken in TCP: then try another. */
	do {
		ret = listen_once(relay, *address, &what);
	} while (ret == -EADDRINUSE && --tries);
	if (ret)
		snprintf(msg, msg_size, "cannot relay at %s, %s: %s; see --relay-port",
			 text, what, strerror(-ret));
	return ret;
}

/**
 * relay_stop() - end; the loop runs out of work then
 * @relay: ours
 */
void relay_stop(struct relay *relay)
{
	unsigned int i;

	if (relay->closing)
		return;
	relay->closing = true;
	for (i = 0; i < relay->n_sockets; i++)
		laya_door_close(relay->doors[i]);
	if (relay->listener)
		laya_listener_close(relay->listener);
	relay_attach_close(relay);
	relay_trunk_close(relay);
	relay_stream_close_all(relay);
	for (i = 0; i < relay->n_sockets; i++)
		relay_socket_close(relay->sockets[i]);
	relay->n_sockets = 0;
	uv_close((uv_handle_t *)&relay->care, NULL);
	uv_close((uv_handle_t *)&relay->tend, NULL);
}

/**
 * relay_free() - give memory back, after the loop has ended
 * @relay: ours; gone after this
 */
void relay_free(struct relay *relay)
{
	size_t i;

	for (i = 0; i <= relay->mask; i++) {
		while (!LIST_EMPTY(&relay->hosts[i]))
			relay_host_free(LIST_FIRST(&relay->hosts[i]));
	}
	relay_table_free(&relay->table);
	free(relay->hosts);
	free(relay->sessions);
	free(relay->streams);
	relay_buffers_free(relay->buffers);
	laya_trunk_budget_free(&relay->trunking);
	sources_free(&relay->attached);
	sources_free(&relay->callers);
	sodium_memzero(relay, sizeof(*relay));
	free(relay);
}

static void add_address(struct laya_addresses *out,
			const struct laya_address *address)
{
	if (out->n < LAYA_MAX_ADDRESSES && !laya_addresses_have(out, address))
		out->list[out->n++] = *address;
}

/* Public addresses of this machine, of the families that we relay for */
static void add_ours(const struct relay *relay, struct laya_addresses *out)
{
	uv_interface_address_t *list;
	struct laya_address address;
	const uint8_t *a = address.addr;
	int n;
	int i;

	if (uv_interface_addresses(&list, &n))
		return;
	for (i = 0; i < n; i++) {
		if (laya_address_from_sockaddr(&address,
					       (void *)&list[i].address))
			continue;
		if (address.family == AF_INET6 && a[0] == 0xfe)
			continue;	/* fe80::/10 */
		address.port = relay->port;
		if (laya_address_is_dialable(&address) &&
		    !laya_address_is_private(&address) &&
		    relay_socket_at(relay, &address))
			add_address(out, &address);
	}
	uv_free_interface_addresses(list, n);
}

/**
 * relay_addresses() - where the relay is
 * @relay: ours
 * @local: the address at which whom we tell has reached the rendezvous; NULL for
 *	a host that is attached, which knows where it dialled
 * @out: where to put them
 */
void relay_addresses(const struct relay *relay,
		     const struct laya_address *local,
		     struct laya_addresses *out)
{
	struct laya_address address = { .family = AF_INET };
	unsigned int i;

	memset(out, 0, sizeof(*out));
	if (!local) {
		/* All zeros: the one that was dialled */
		address.port = relay->port;
		add_address(out, &address);
	} else if (relay->told.n == 0) {
		address = *local;
		address.port = relay->port;
		if (laya_address_is_dialable(&address) &&
		    relay_socket_at(relay, &address))
			add_address(out, &address);
	}
	for (i = 0; i < relay->told.n; i++)
		add_address(out, &relay->told.list[i]);
	if (relay->told.n == 0)
		add_ours(relay, out);
}

/**
 * relay_print_stats() - log all counters
 * @relay: ours
 */
void relay_print_stats(const struct relay *relay)
{
	const struct relay_stats *stats = &relay->stats;

	laya_info("relay: hosts %u, labels %zu, flows %zu, streams %u, forwarded %" PRIu64
		  " packets, %" PRIu64 " bytes", relay->n_hosts,
		  relay->table.n_labels, relay->table.n_flows,
		  relay->n_streams, stats->forwarded, stats->forwarded_bytes);
	laya_info("relay: unknown %" PRIu64 ", malformed %" PRIu64
		  ", over rate %" PRIu64 ", amplified %" PRIu64
		  ", wrong sender %" PRIu64 ", no flow %" PRIu64
		  ", no path %" PRIu64 ", looped %" PRIu64
		  ", not sent %" PRIu64 ", not opened %" PRIu64,
		  stats->unknown, stats->malformed, stats->over_rate,
		  stats->amplified, stats->wrong_sender, stats->no_flow,
		  stats->no_path, stats->looped, stats->not_sent,
		  stats->not_opened);
}
