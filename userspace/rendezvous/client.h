/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One connection to the rendezvous.
 *
 *	half-open	no key yet; server->half_open
 *	open		key proven, not registered
 *	registered	in server->registry, can be reached; perhaps a relay
 *
 * Memory of a client, at most: its channel (about 7 KiB, with a read buffer of
 * one frame), its output queue (limits.max_queue, 32 KiB), and this.
 */
#ifndef RENDEZVOUS_CLIENT_H
#define RENDEZVOUS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "channel.h"
#include "limit.h"
#include "listen.h"
#include "relay_carry.h"

struct server;

/**
 * struct client - a connection
 * @all: server->half_open or server->open
 * @chain: of the registry
 * @relay_entry: server->relays
 * @server: the server
 * @channel: the connection
 * @local: the address at which it reached us
 * @source: from where
 * @key: who; proven
 * @open: @key is set
 * @attaches: it is a host at our relay; not @registered
 * @caller: what it has asked our relay for
 * @registered: others can reach it
 * @is_relay: it takes attachments at @addresses
 * @relays_owed: it did not get the newest list of relays
 * @addresses: where it takes attachments
 * @host_name: what it is called there; empty if it has no name
 * @messages: what is left of what it may send to others
 * @bytes: the same in bytes
 * @frames: what is left of what we read at all
 */
struct client {
	TAILQ_ENTRY(client) all;
	LIST_ENTRY(client) chain;
	TAILQ_ENTRY(client) relay_entry;
	struct server *server;
	struct laya_channel *channel;
	struct laya_address local;
	struct source *source;
	uint8_t key[LAYA_KEY_SIZE];
	bool open;
	bool attaches;
	struct relay_caller caller;
	bool registered;
	bool is_relay;
	bool relays_owed;
	struct laya_addresses addresses;
	char host_name[LAYA_HOST_NAME_SIZE];
	struct bucket messages;
	struct bucket bytes;
	struct bucket frames;
};

TAILQ_HEAD(client_queue, client);

void client_take(struct server *server, const struct laya_accepted *accepted);
void client_close(struct client *client);
void client_send_relays(struct client *client);

#endif /* RENDEZVOUS_CLIENT_H */
