// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "answer.h"
#include "forwarder.h"
#include "log.h"
#include "offer.h"
#include "reach.h"
#include "rendezvous.h"

#define RETRY_BASE_MS	500
#define RETRY_MAX_MS	60000
/* A connection that lived so long was a good one */
#define STABLE_MS	30000

static void connect_now(struct rendezvous *rendezvous);

static void retry_later(struct rendezvous *rendezvous)
{
	uint32_t wait = backoff_next(&rendezvous->backoff);

	laya_debug("rendezvous %s:%u: next try in %u ms",
		   rendezvous->server->host, rendezvous->server->port, wait);
	timer_start(rendezvous->timer, wait);
}

static void complain(struct rendezvous *rendezvous, const char *reason)
{
	snprintf(rendezvous->failure, sizeof(rendezvous->failure), "%s",
		 reason);
	if (rendezvous->complained) {
		laya_debug("rendezvous: %s", reason);
		return;
	}
	laya_warning("rendezvous: %s; trying again and again", reason);
	rendezvous->complained = true;
}

static void do_register(struct rendezvous *rendezvous)
{
	struct laya_message message = { .type = LAYA_MESSAGE_REGISTER };
	struct node *node = rendezvous->node;
	struct laya_addresses *addresses = &message.reg.addresses;
	const struct laya_address *seen;
	struct laya_address address;
	unsigned int i;

	message.reg.role = LAYA_ROLE_HOST;
	if (node_is_relay(node)) {
		message.reg.role = LAYA_ROLE_RELAY;
		/* "Where you see me", and an address of the other family */
		seen = laya_channel_local_address(rendezvous->channel);
		memset(&address, 0, sizeof(address));
		/* A stream that is pumped knows no address of ours */
		address.family = seen->family ? seen->family : AF_INET;
		address.port = node->port;
		addresses->list[addresses->n++] = address;
		for (i = 0; i < node->locals.n &&
			    addresses->n < LAYA_MAX_ADDRESSES; i++) {
			if (node->locals.list[i].link_local ||
			    node->locals.list[i].address.family ==
			    addresses->list[0].family)
				continue;
			address = node->locals.list[i].address;
			address.port = node->port;
			addresses->list[addresses->n++] = address;
		}
	}
	laya_channel_send(rendezvous->channel, &message);
}

static void take_relays(struct rendezvous *rendezvous,
			const struct laya_relays *relays)
{
	rendezvous->relays = *relays;
	forwarder_lists_changed(rendezvous->node);
}

static void on_registered(struct rendezvous *rendezvous,
			  const struct laya_message *message)
{
	bool first = !rendezvous->registered;

	rendezvous->observed = message->registered.observed;
	rendezvous->registered = true;
	rendezvous->complained = false;
	rendezvous->failure[0] = '\0';
	if (first) {
		rendezvous->opened = node_now(rendezvous->node);
		laya_info("rendezvous %s:%u: registered; it knows %u relays",
			  rendezvous->server->host, rendezvous->server->port,
			  message->registered.relays.n);
	}
	take_relays(rendezvous, &message->registered.relays);
	if (first)
		offer_rendezvous_ready(rendezvous->node, rendezvous);
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct rendezvous *rendezvous = data;
	struct node *node = rendezvous->node;
	const struct origin origin = {
		.via = VIA_RENDEZVOUS,
		.rendezvous = rendezvous,
	};

	(void)channel;
	switch (message->type) {
	case LAYA_MESSAGE_REGISTERED:
		on_registered(rendezvous, message);
		break;
	case LAYA_MESSAGE_RELAYS:
		take_relays(rendezvous, &message->relays);
		break;
	case LAYA_MESSAGE_OFFER:
		answer_offer(node, message, &origin, message->sealed.key);
		break;
	case LAYA_MESSAGE_ANSWER:
		offer_answered(node, message, &origin, message->sealed.key);
		break;
	case LAYA_MESSAGE_FOLLOWUP:
		answer_followup(node, message, &origin, message->sealed.key);
		break;
	case LAYA_MESSAGE_ERROR:
		offer_refused(node, message, &origin);
		break;
	default:
		laya_debug("rendezvous %s:%u: %s is no message for a node; ignored",
			   rendezvous->server->host, rendezvous->server->port,
			   laya_message_type_name(message->type));
		break;
	}
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	struct rendezvous *rendezvous = data;
	struct node *node = rendezvous->node;

	(void)channel;
	(void)error;
	rendezvous->channel = NULL;
	if (rendezvous->registered &&
	    node_now(node) - rendezvous->opened >= STABLE_MS)
		backoff_reset(&rendezvous->backoff);
	rendezvous->registered = false;
	/* Its relays stay known until it is back: they may be up all the same. */
	complain(rendezvous, reason);
	offer_rendezvous_lost(node, rendezvous);
	retry_later(rendezvous);
}

static const struct laya_channel_ops ops = {
	.message = on_message,
	.closed = on_closed,
};

static void on_reached(struct laya_channel *channel,
		       enum laya_transport transport,
		       const struct laya_address *address, const char *evidence,
		       void *data)
{
	struct rendezvous *rendezvous = data;

	(void)address;
	rendezvous->reach = NULL;
	rendezvous->channel = channel;
	rendezvous->transport = transport;
	snprintf(rendezvous->evidence, sizeof(rendezvous->evidence), "%s",
		 evidence);
	laya_channel_hand_over(channel, &ops, rendezvous);
	do_register(rendezvous);
}

static void on_unreached(const char *reason, void *data)
{
	struct rendezvous *rendezvous = data;

	rendezvous->reach = NULL;
	complain(rendezvous, reason);
	offer_rendezvous_lost(rendezvous->node, rendezvous);
	retry_later(rendezvous);
}

static const struct reach_ops reach_ops = {
	.ready = on_reached,
	.failed = on_unreached,
};

static void connect_now(struct rendezvous *rendezvous)
{
	const struct laya_config_server *server = rendezvous->server;
	struct node *node = rendezvous->node;
	const struct reach_target target = {
		.host = server->host,
		.port = server->port,
		.host_name = server->host_name,
		.key = server->public_key,
		.prologue = LAYA_PROLOGUE_RENDEZVOUS,
		.first = rendezvous->transport,
	};
	int ret;

	ret = reach_begin(&rendezvous->reach, node, &target,
			  node->self.private_key, &reach_ops, rendezvous);
	if (ret) {
		complain(rendezvous, strerror(-ret));
		retry_later(rendezvous);
	}
}

static void on_timer(void *data)
{
	struct rendezvous *rendezvous = data;

	if (!rendezvous->channel && !rendezvous->reach)
		connect_now(rendezvous);
}

/**
 * rendezvous_start() - connect to all rendezvous servers
 * @node: ours
 *
 * Return: 0 or -ENOMEM.
 */
int rendezvous_start(struct node *node)
{
	struct rendezvous *rendezvous;
	size_t i;

	for (i = 0; i < node->config.n_rendezvous; i++) {
		if (i == RENDEZVOUS_MAX) {
			laya_warning("only the first %u [Rendezvous] of %zu are used",
				     RENDEZVOUS_MAX, node->config.n_rendezvous);
			break;
		}
		rendezvous = calloc(1, sizeof(*rendezvous));
		if (!rendezvous)
			return -ENOMEM;
		rendezvous->node = node;
		rendezvous->server = &node->config.rendezvous[i];
		rendezvous->bit = 1u << i;
		backoff_init(&rendezvous->backoff, RETRY_BASE_MS, RETRY_MAX_MS);
		rendezvous->timer = timer_new(node->loop, on_timer, rendezvous);
		if (!rendezvous->timer) {
			free(rendezvous);
			return -ENOMEM;
		}
		TAILQ_INSERT_TAIL(&node->rendezvous, rendezvous, entry);
		connect_now(rendezvous);
	}
	return 0;
}

/**
 * rendezvous_stop() - leave
 * @node: ours
 */
void rendezvous_stop(struct node *node)
{
	struct rendezvous *rendezvous;

	while ((rendezvous = TAILQ_FIRST(&node->rendezvous))) {
		TAILQ_REMOVE(&node->rendezvous, rendezvous, entry);
		reach_end(rendezvous->reach);
		if (rendezvous->channel)
			laya_channel_close(rendezvous->channel);
		timer_free(rendezvous->timer);
		free(rendezvous);
	}
}

/**
 * rendezvous_registered() - how many can be used now
 * @node: ours
 *
 * Return: their number.
 */
unsigned int rendezvous_registered(const struct node *node)
{
	struct rendezvous *rendezvous;
	unsigned int n = 0;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry)
		n += rendezvous->registered;
	return n;
}

/**
 * rendezvous_register_again() - a relay's addresses have changed
 * @node: ours
 */
void rendezvous_register_again(struct node *node)
{
	struct rendezvous *rendezvous;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry) {
		if (rendezvous->registered)
			do_register(rendezvous);
	}
}

/**
 * rendezvous_retry() - the network has changed: what failed may work now
 * @node: ours
 */
void rendezvous_retry(struct node *node)
{
	struct rendezvous *rendezvous;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry) {
		if (rendezvous->channel || rendezvous->reach)
			continue;
		backoff_reset(&rendezvous->backoff);
		timer_start(rendezvous->timer, 0);
	}
}

/**
 * rendezvous_send() - send through one
 * @rendezvous: which
 * @message: what
 *
 * Return: 0; -ENOTCONN, or another error of laya_channel_send().
 */
int rendezvous_send(struct rendezvous *rendezvous,
		    const struct laya_message *message)
{
	if (!rendezvous->registered)
		return -ENOTCONN;
	return laya_channel_send(rendezvous->channel, message);
}
