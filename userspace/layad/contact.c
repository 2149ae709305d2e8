// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "contact.h"
#include "log.h"

#define RETRY_BASE_MS	500
#define RETRY_MAX_MS	60000
/* A connection that lived so long was a good one */
#define STABLE_MS	30000

static void fail(struct contact *contact, const char *reason)
{
	uint32_t wait = backoff_next(&contact->backoff);

	snprintf(contact->failure, sizeof(contact->failure), "%s", reason);
	if (contact->complained)
		laya_debug("%s: %s", contact->title, reason);
	else
		laya_warning("%s: %s; trying again and again", contact->title,
			     reason);
	contact->complained = true;
	laya_debug("%s %s:%u: next try in %u ms", contact->title,
		   contact->target.host, contact->target.port, wait);
	timer_start(contact->timer, wait);
	/* Last: it may be the end of it. */
	contact->ops->lost(contact, contact->data);
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct contact *contact = data;

	(void)channel;
	contact->ops->message(contact, message, contact->data);
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	struct contact *contact = data;

	(void)channel;
	contact->channel = NULL;
	contact->refused = !contact->up &&
			   (error == -EPIPE || error == -ECONNRESET);
	if (contact->up &&
	    node_now(contact->node) - contact->opened >= STABLE_MS)
		backoff_reset(&contact->backoff);
	contact->up = false;
	fail(contact, reason);
}

static const struct laya_channel_ops channel_ops = {
	.message = on_message,
	.closed = on_closed,
};

static void on_reached(struct laya_channel *channel,
		       const struct reach_way *way,
		       const struct laya_address *address, const char *evidence,
		       void *data)
{
	struct contact *contact = data;

	(void)address;
	contact->reach = NULL;
	contact->channel = channel;
	contact->transport = way->transport;
	snprintf(contact->evidence, sizeof(contact->evidence), "%s", evidence);
	laya_channel_hand_over(channel, &channel_ops, contact);
	if (contact->ops->opened)
		contact->ops->opened(contact, contact->data);
}

static void on_unreached(const char *reason, void *data)
{
	struct contact *contact = data;

	contact->reach = NULL;
	contact->refused = false;
	fail(contact, reason);
}

static const struct reach_ops reach_ops = {
	.ready = on_reached,
	.failed = on_unreached,
};

static void on_timer(void *data)
{
	struct contact *contact = data;
	int ret;

	if (contact->channel || contact->reach)
		return;
	contact->target.first = contact->transport;
	ret = reach_begin(&contact->reach, contact->node, &contact->target,
			  contact->node->self.private_key, &reach_ops, contact);
	if (ret)
		fail(contact, strerror(-ret));
}

/**
 * contact_init() - begin to dial
 * @contact: to be filled in
 * @node: ours
 * @title: what it is, for the log; a string that lives on
 * @target: where it is; what it points to lives on
 * @ops: who is told; they live on
 * @data: last argument of each call
 *
 * Return: 0 or -ENOMEM.
 */
int contact_init(struct contact *contact, struct node *node, const char *title,
		 const struct reach_target *target,
		 const struct contact_ops *ops, void *data)
{
	memset(contact, 0, sizeof(*contact));
	contact->node = node;
	contact->title = title;
	contact->target = *target;
	contact->ops = ops;
	contact->data = data;
	backoff_init(&contact->backoff, RETRY_BASE_MS, RETRY_MAX_MS);
	contact->timer = timer_new(node->loop, on_timer, contact);
	if (!contact->timer)
		return -ENOMEM;
	timer_start(contact->timer, 0);
	return 0;
}

/**
 * contact_end() - close it, and dial no more
 * @contact: it
 */
void contact_end(struct contact *contact)
{
	reach_end(contact->reach);
	if (contact->channel)
		laya_channel_close(contact->channel);
	timer_free(contact->timer);
	contact->reach = NULL;
	contact->channel = NULL;
	contact->timer = NULL;
	contact->up = false;
}

/**
 * contact_accepted() - the far side takes us
 * @contact: it
 */
void contact_accepted(struct contact *contact)
{
	contact->up = true;
	contact->complained = false;
	contact->failure[0] = '\0';
	contact->opened = node_now(contact->node);
}

/**
 * contact_retry() - what failed may work now
 * @contact: it
 */
void contact_retry(struct contact *contact)
{
	if (contact->channel || contact->reach)
		return;
	backoff_reset(&contact->backoff);
	timer_start(contact->timer, 0);
}

/**
 * contact_anew() - the connection is most likely dead: make another, now
 * @contact: it
 * @reason: why, for people
 */
void contact_anew(struct contact *contact, const char *reason)
{
	if (contact->channel) {
		laya_channel_close(contact->channel);
		contact->channel = NULL;
		contact->up = false;
		fail(contact, reason);
	}
	contact_retry(contact);
}

/**
 * contact_send() - send a message
 * @contact: to whom
 * @message: what
 *
 * Return: 0; -ENOTCONN, or another error of laya_channel_send().
 */
int contact_send(struct contact *contact, const struct laya_message *message)
{
	if (!contact->up)
		return -ENOTCONN;
	return laya_channel_send(contact->channel, message);
}
