/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A contact: a channel to somebody, dialled and kept; when it ends it is dialled
 * again, with growing pauses.
 *
 * That a channel is there does not mean that the far side takes us: who speaks with
 * it says when it does, by contact_accepted().
 *
 * Lifetime: a contact is a part of its owner, from contact_init() to contact_end().
 * No op is called from within these two.
 */
#ifndef LAYAD_CONTACT_H
#define LAYAD_CONTACT_H

#include "backoff.h"
#include "channel.h"
#include "node.h"
#include "reach.h"

struct contact;

/**
 * struct contact_ops - what the owner is told
 * @opened: there is a channel: say the first word; optional
 * @message: something came
 * @lost: there is none, after it was there or was tried
 */
struct contact_ops {
	void (*opened)(struct contact *contact, void *data);
	void (*message)(struct contact *contact,
			const struct laya_message *message, void *data);
	void (*lost)(struct contact *contact, void *data);
};

/**
 * struct contact - see above
 * @node: ours
 * @ops: who is told
 * @data: for @ops
 * @title: what it is, for the log; a string that lives on
 * @target: where it is; its strings and keys are the owner's, and live on
 * @reach: while it is being connected
 * @channel: NULL while there is none
 * @transport: by which it was reached the last time; 0 is never
 * @up: it takes us
 * @refused: the last time it was reached, and closed the channel before it did
 * @opened: when it did; milliseconds of the loop
 * @backoff: until the next try
 * @timer: the next try
 * @failure: why there is no connection, for people
 * @evidence: what is strange about the connection, likewise
 * @complained: that was logged
 */
struct contact {
	struct node *node;
	const struct contact_ops *ops;
	void *data;
	const char *title;
	struct reach_target target;
	struct reach *reach;
	struct laya_channel *channel;
	enum laya_transport transport;
	bool up;
	bool refused;
	uint64_t opened;
	struct backoff backoff;
	struct timer *timer;
	char failure[1024];
	char evidence[512];
	bool complained;
};

int contact_init(struct contact *contact, struct node *node, const char *title,
		 const struct reach_target *target,
		 const struct contact_ops *ops, void *data);
void contact_end(struct contact *contact);
void contact_accepted(struct contact *contact);
void contact_retry(struct contact *contact);
void contact_anew(struct contact *contact, const char *reason);
int contact_send(struct contact *contact, const struct laya_message *message);

#endif /* LAYAD_CONTACT_H */
