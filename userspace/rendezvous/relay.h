/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The relay: what a kernel with layad and "Forward = public" is, in a program.
 *
 *	relay_socket	UDP sockets, packets in batches
 *	relay_stream	carriers over streams
 *	relay_forward	packets that carry labels of ours go on, unchanged
 *	relay_label	the labels: pure
 *	relay_attach	channels of hosts that attach: handshake, labels
 *	relay_host	an attached host: sessions, paths, probes
 *	relay_outside	whether its gateway can be reached
 *	relay_trunk	other forwarders that it has named
 *	relay_session	its keys: seals and opens
 *	relay_control	messages within its session
 *
 * All is on one loop with the rendezvous, and takes turns with it: a turn of the
 * relay is bounded.  Hosts cannot tell which kind of forwarder they are at.
 */
#ifndef RENDEZVOUS_RELAY_H
#define RENDEZVOUS_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "channel.h"
#include "door.h"
#include "handshake.h"
#include "limit.h"
#include "listen.h"
#include "relay_carry.h"
#include "relay_host.h"
#include "relay_label.h"
#include "relay_session.h"
#include "relay_socket.h"
#include "trunk.h"

#define RELAY_MAX_LISTEN	16

/**
 * struct relay_limits - how much of everything
 * @table: labels and flows
 * @hosts: attached hosts
 * @source_hosts: of one source
 * @connections: channels; then the oldest goes, since attaching is short
 * @streams: carriers over streams
 * @source_connections: channels and carriers of one source
 * @arrivals: new channels, and new hosts, of one source
 * @offers: handshakes of one host; each costs four Diffie-Hellman
 * @messages: messages of one host within its session
 */
struct relay_limits {
	struct relay_table_limits table;
	unsigned int hosts;
	unsigned int source_hosts;
	unsigned int connections;
	unsigned int streams;
	unsigned int source_connections;
	struct rate arrivals;
	struct rate offers;
	struct rate messages;
};

/**
 * struct relay_stats - what happened since the start; packets
 * @forwarded: sent on
 * @forwarded_bytes: theirs
 * @unknown: with no label of ours, and not for us
 * @malformed: no packets of Laya's
 * @looped: their TTL ended here
 * @over_rate: over the rate of their label
 * @amplified: to diallers that have confirmed nothing, over three times
 * @wrong_sender: with a return label that is not the sender's to use
 * @no_flow: for which no return label could be had
 * @no_path: to a host that is not there
 * @not_sent: that the socket would not take
 * @opened: of hosts to us
 * @not_opened: that looked so
 */
struct relay_stats {
	uint64_t forwarded;
	uint64_t forwarded_bytes;
	uint64_t unknown;
	uint64_t malformed;
	uint64_t looped;
	uint64_t over_rate;
	uint64_t amplified;
	uint64_t wrong_sender;
	uint64_t no_flow;
	uint64_t no_path;
	uint64_t not_sent;
	uint64_t opened;
	uint64_t not_opened;
};

struct relay_stream;
struct relay_connection;
TAILQ_HEAD(relay_connection_list, relay_connection);
TAILQ_HEAD(relay_trunk_list, relay_trunk);

/**
 * struct relay - the relay
 * @loop: the loop
 * @self: who we are: the rendezvous
 * @limits: how much of everything
 * @port: TCP and UDP
 * @told: addresses that the administrator wants told; none: what we see
 * @sockets: UDP
 * @listener: finds out what comes in by TCP
 * @doors: TCP, where hosts attach; one beside each socket
 * @n_sockets: of both
 * @buffers: what packets are received into
 * @carrying: those for whom something is carried
 * @connections: channels, the oldest first
 * @n_connections: how many
 * @streams: carriers over streams, by their numbers
 * @n_streams: how many
 * @last_stream: number of the newest
 * @unsent: those to which something is to be written in this turn
 * @table: what was issued
 * @hosts: hash table by key
 * @tending: hosts that are being probed
 * @n_hosts: how many
 * @sessions: hash table by receiver index
 * @mask: size of @hosts and @sessions, less one
 * @hash_key: secret of the hash of @hosts
 * @trunk_to: to where hosts may lead us
 * @trunks: to forwarders that they have named
 * @trunking: how many there are and were
 * @callers: where connections come from
 * @attached: where attached hosts came from
 * @care: each second: what has expired
 * @tend: soon: hosts that are being probed
 * @now: milliseconds of boot time, at the beginning of this turn
 * @closing: relay_stop() was called
 * @stats: counters
 */
struct relay {
	uv_loop_t *loop;
	struct laya_identity self;
	struct relay_limits limits;
	uint16_t port;
	struct laya_addresses told;
	struct relay_socket *sockets[RELAY_MAX_LISTEN];
	struct laya_listener *listener;
	struct laya_door *doors[RELAY_MAX_LISTEN];
	unsigned int n_sockets;
	struct relay_buffers *buffers;
	struct relay_caller_list carrying;
	struct relay_connection_list connections;
	unsigned int n_connections;
	struct relay_stream **streams;
	unsigned int n_streams;
	uint64_t last_stream;
	TAILQ_HEAD(, relay_stream) unsent;
	struct relay_table table;
	struct relay_host_chain *hosts;
	struct relay_host_list tending;
	unsigned int n_hosts;
	struct relay_session_chain *sessions;
	size_t mask;
	uint8_t hash_key[16];
	enum laya_trunk_to trunk_to;
	struct relay_trunk_list trunks;
	struct laya_trunk_budget trunking;
	struct sources callers;
	struct sources attached;
	uv_timer_t care;
	uv_timer_t tend;
	uint64_t now;
	bool closing;
	struct relay_stats stats;
};

void relay_limits_default(struct relay_limits *limits);
void relay_limits_rate(struct relay_limits *limits, uint32_t per_second);
int relay_new(struct relay **relay, uv_loop_t *loop,
	      const uint8_t private_key[LAYA_KEY_SIZE],
	      const struct relay_limits *limits,
	      const struct laya_addresses *told);
int relay_open(struct relay *relay, const char *certificate, const char *key,
	       const char *state_dir, char *msg, size_t msg_size);
int relay_listen(struct relay *relay, const struct laya_address *address,
		 char *msg, size_t msg_size);
void relay_stop(struct relay *relay);
void relay_free(struct relay *relay);

void relay_turn(struct relay *relay);
void relay_tend_due(uv_timer_t *timer);
void relay_addresses(const struct relay *relay,
		     const struct laya_address *local,
		     struct laya_addresses *out);
void relay_print_stats(const struct relay *relay);

#endif /* RENDEZVOUS_RELAY_H */
