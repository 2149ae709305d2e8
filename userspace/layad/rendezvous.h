/* SPDX-License-Identifier: GPL-2.0 */
/* Connections to the rendezvous servers of the configuration: all are used. */
#ifndef LAYAD_RENDEZVOUS_H
#define LAYAD_RENDEZVOUS_H

#include "backoff.h"
#include "channel.h"
#include "node.h"
#include "peer.h"

/* More than this would not have a bit in struct offer. */
#define RENDEZVOUS_MAX	32

struct reach;

/**
 * struct rendezvous - one server
 * @entry: in node->rendezvous
 * @node: ours
 * @server: its place in the configuration
 * @bit: of it in struct offer
 * @reach: while it is being connected
 * @channel: NULL while there is none
 * @transport: by which it was reached the last time; 0 is never
 * @registered: it knows us
 * @opened: when it did; milliseconds of the loop
 * @backoff: until the next try
 * @timer: the next try
 * @observed: our address as it sees it
 * @relays: the relays that it knows
 * @failure: why there is no connection, for people
 * @evidence: what is strange about the connection, likewise
 * @complained: that was logged
 */
struct rendezvous {
	TAILQ_ENTRY(rendezvous) entry;
	struct node *node;
	const struct laya_config_server *server;
	uint32_t bit;
	struct reach *reach;
	struct laya_channel *channel;
	enum laya_transport transport;
	bool registered;
	uint64_t opened;
	struct backoff backoff;
	struct timer *timer;
	struct laya_address observed;
	struct laya_relays relays;
	char failure[1024];
	char evidence[512];
	bool complained;
};

int rendezvous_start(struct node *node);
void rendezvous_stop(struct node *node);
unsigned int rendezvous_registered(const struct node *node);
void rendezvous_register_again(struct node *node);
void rendezvous_retry(struct node *node);
int rendezvous_send(struct rendezvous *rendezvous,
		    const struct laya_message *message);

#endif /* LAYAD_RENDEZVOUS_H */
