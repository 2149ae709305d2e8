/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Couriers: what carries offers, answers and follow-ups between us and peers that
 * there is no session with.  A rendezvous is one, and so is a connection to the
 * peer itself.  An offer goes to all that may
 * know the peer; the first one that brings an answer is the one that the follow-up
 * goes by.
 *
 * Lifetime: a courier is in node->couriers from courier_add() on, as long as the
 * node lives; an offer knows it by its bit.
 */
#ifndef LAYAD_COURIER_H
#define LAYAD_COURIER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "message.h"
#include "node.h"

/* Each has a bit in struct offer. */
#define COURIERS_MAX	32

struct courier;
struct peer;

/**
 * enum courier_state - what a courier can do for one peer; the more, the better
 * @COURIER_NONE: nothing, whatever comes
 * @COURIER_DOWN: nothing, until it is connected
 * @COURIER_TRYING: nothing yet; it is being connected
 * @COURIER_READY: it can be sent by
 */
enum courier_state {
	COURIER_NONE,
	COURIER_DOWN,
	COURIER_TRYING,
	COURIER_READY,
};

/**
 * struct courier_ops - how one works
 * @state: what it can do
 * @send: pass on a message; 0 or a negative errno
 * @wanted: do what you can to be ready for that peer soon; optional
 * @certain: what it brings is of whom it says; else that is only a hint
 */
struct courier_ops {
	enum courier_state (*state)(const struct courier *courier,
				    const struct peer *peer);
	int (*send)(struct courier *courier, struct peer *peer,
		    const struct laya_message *message);
	void (*wanted)(struct courier *courier, struct peer *peer);
	bool certain;
};

/**
 * struct courier - one that may be sent by; a part of its owner
 * @entry: in node->couriers
 * @ops: how it works
 * @owner: for @ops
 * @bit: of it in struct offer
 */
struct courier {
	TAILQ_ENTRY(courier) entry;
	const struct courier_ops *ops;
	void *owner;
	uint32_t bit;
};

void courier_add(struct node *node, struct courier *courier,
		 const struct courier_ops *ops, void *owner);
enum courier_state courier_state(const struct node *node,
				 const struct peer *peer);
void courier_wanted(struct peer *peer);
int courier_send(struct courier *courier, struct peer *peer,
		 const struct laya_message *message);

#endif /* LAYAD_COURIER_H */
