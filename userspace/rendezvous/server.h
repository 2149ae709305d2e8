/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rendezvous: it listens, by all transports on each port, and knows all
 * clients.
 *
 * It holds nothing on disk and no secret but its key; offers and answers are
 * sealed between the nodes, it only sees who talks to whom.
 */
#ifndef RENDEZVOUS_SERVER_H
#define RENDEZVOUS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "channel.h"
#include "client.h"
#include "door.h"
#include "limit.h"
#include "listen.h"
#include "registry.h"

#define SERVER_MAX_LISTENERS	16

struct relay;

/**
 * struct limits - how much of everything
 * @clients: connections
 * @half_open: connections that have not proven a key; then the oldest goes; as
 *	many more may have said nothing yet, or be requests of tunnels
 * @source_clients: connections of one source
 * @source_unknown: of one source, what is not known to be a client yet
 * @source_relays: relays of one source
 * @arrivals: new connections of one source
 * @messages: messages of one client to others; more is answered by an error
 * @bytes: the same in bytes
 * @frames: frames of one client of any kind; more closes it
 * @max_queue: bytes that wait to be sent to one client
 * @handshake_timeout: milliseconds for a half-open connection
 * @idle_timeout: milliseconds without a frame
 * @relays_delay: milliseconds for which changes of the relays are collected
 * @relays_interval: milliseconds between two lists of relays, at least
 */
struct limits {
	unsigned int clients;
	unsigned int half_open;
	unsigned int source_clients;
	unsigned int source_unknown;
	unsigned int source_relays;
	struct rate arrivals;
	struct rate messages;
	struct rate bytes;
	struct rate frames;
	size_t max_queue;
	unsigned int handshake_timeout;
	unsigned int idle_timeout;
	unsigned int relays_delay;
	unsigned int relays_interval;
};

/**
 * struct stats - what happened since the start
 * @accepted: connections
 * @refused_source: connections beyond what their source may have
 * @refused_full: connections beyond what we take
 * @evicted: half-open connections that made room
 * @no_handshake: connections that ended before they proved a key
 * @registrations: registers
 * @replaced: clients that registered anew on another connection
 * @routed: messages that were passed on
 * @unreachable: messages to somebody who is not here
 * @rate_limited: messages refused by a limit of the sender
 * @queue_full: messages refused since the receiver does not read
 * @violations: clients closed for what they sent
 * @carriers: carriers, which are for our relay, or for nobody
 * @paused: times that accepting was paused for want of file descriptors
 */
struct stats {
	uint64_t accepted;
	uint64_t refused_source;
	uint64_t refused_full;
	uint64_t evicted;
	uint64_t no_handshake;
	uint64_t registrations;
	uint64_t replaced;
	uint64_t routed;
	uint64_t unreachable;
	uint64_t rate_limited;
	uint64_t queue_full;
	uint64_t violations;
	uint64_t carriers;
	uint64_t paused;
};

/**
 * struct server - the rendezvous
 * @loop: the loop
 * @limits: how much of everything
 * @channel_config: how their channels behave; has our private key
 * @public_key: ours
 * @listener: finds out what comes in
 * @doors: where we listen
 * @n_doors: how many
 * @half_open: clients without a proven key, the oldest first
 * @open: the others
 * @relay: our own relay, or NULL
 * @relay_name: what it is called, or NULL
 * @relays: registered relays, the oldest first
 * @n_clients: both lists
 * @n_half_open: the first
 * @registry: registered clients
 * @sources: where they come from
 * @relays_timer: runs when a new list of relays is due
 * @relays_sent: when the last one was sent
 * @relays_were_sent: there was one
 * @closing: server_close() was called
 * @stats: counters
 */
struct server {
	uv_loop_t *loop;
	struct limits limits;
	struct laya_channel_config channel_config;
	uint8_t public_key[LAYA_KEY_SIZE];
	struct laya_listener *listener;
	struct laya_door *doors[SERVER_MAX_LISTENERS];
	unsigned int n_doors;
	struct relay *relay;
	const char *relay_name;
	struct client_queue half_open;
	struct client_queue open;
	struct client_queue relays;
	unsigned int n_clients;
	unsigned int n_half_open;
	struct registry registry;
	struct sources sources;
	uv_timer_t relays_timer;
	uint64_t relays_sent;
	bool relays_were_sent;
	bool closing;
	struct stats stats;
};

void limits_default(struct limits *limits);
int server_init(struct server *server, uv_loop_t *loop,
		const uint8_t private_key[LAYA_KEY_SIZE],
		const struct limits *limits);
int server_open(struct server *server, const char *certificate,
		const char *key, const char *state_dir, char *msg,
		size_t msg_size);
void server_relay(struct server *server, struct relay *relay,
		  const char *name);
int server_listen(struct server *server, const struct laya_address *address,
		  char *msg, size_t msg_size);
void server_close(struct server *server);
void server_free(struct server *server);

void server_relays_changed(struct server *server);
void server_get_relays(struct server *server, const struct client *reader,
		       struct laya_relays *relays);
void server_print_stats(const struct server *server);

#endif /* RENDEZVOUS_SERVER_H */
