/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Offers to attached hosts, of whom they want to be reached by: over a channel of
 * his, in the session of the host, and the answer back.  So nodes that have met
 * meet again without a rendezvous.  As layad does in attach.c.
 */
#ifndef RENDEZVOUS_RELAY_CARRY_H
#define RENDEZVOUS_RELAY_CARRY_H

#include <stdint.h>
#include <sys/queue.h>

#include "key.h"
#include "message.h"

struct laya_channel;
struct relay;
struct relay_host;

/**
 * struct relay_caller - who speaks to a relay over a channel; zeros at first
 * @entry: relay->carrying, while @channel is set
 * @channel: the channel, once something was carried for it
 * @offers: that it has made, to us and to hosts
 * @id: of the last one that was carried
 * @to: to which host
 */
struct relay_caller {
	LIST_ENTRY(relay_caller) entry;
	struct laya_channel *channel;
	unsigned int offers;
	uint64_t id;
	uint8_t to[LAYA_KEY_SIZE];
};

LIST_HEAD(relay_caller_list, relay_caller);

/* Offers on one connection: each costs four Diffie-Hellman */
#define RELAY_CALLER_OFFERS	16

int relay_carry(struct relay *relay, struct laya_channel *channel,
		struct relay_caller *caller,
		const struct laya_message *message);
void relay_carry_back(struct relay_host *host,
		      const struct laya_message *answer);
void relay_caller_end(struct relay_caller *caller);

#endif /* RENDEZVOUS_RELAY_CARRY_H */
