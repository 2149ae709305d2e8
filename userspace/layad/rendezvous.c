// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "attach.h"
#include "forwarder.h"
#include "log.h"
#include "offer.h"
#include "rendezvous.h"

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
		seen = laya_channel_local_address(rendezvous->contact.channel);
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
		strcpy(message.reg.host_name, node->config.host_name);
	}
	laya_channel_send(rendezvous->contact.channel, &message);
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
	bool first = !rendezvous->contact.up;
	struct node *node = rendezvous->node;
	struct peer *peer;

	rendezvous->observed = message->registered.observed;
	if (first) {
		contact_accepted(&rendezvous->contact);
		laya_info("rendezvous %s:%u: registered; it knows %u relays",
			  rendezvous->server->host, rendezvous->server->port,
			  message->registered.relays.n);
	}
	take_relays(rendezvous, &message->registered.relays);
	if (!first)
		return;
	TAILQ_FOREACH(peer, &node->peers, entry)
		offer_courier_ready(peer, &rendezvous->courier);
}

static void on_message(struct contact *contact,
		       const struct laya_message *message, void *data)
{
	struct rendezvous *rendezvous = data;
	struct node *node = rendezvous->node;
	const struct origin origin = {
		.via = VIA_COURIER,
		.courier = &rendezvous->courier,
	};

	(void)contact;
	switch (message->type) {
	case LAYA_MESSAGE_REGISTERED:
		on_registered(rendezvous, message);
		break;
	case LAYA_MESSAGE_RELAYS:
		take_relays(rendezvous, &message->relays);
		break;
	case LAYA_MESSAGE_OFFER:
		if (!attach_by_courier(node, message, &origin))
			answer_offer(node, message, &origin,
				     message->sealed.key);
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

static void on_opened(struct contact *contact, void *data)
{
	(void)contact;
	do_register(data);
}

/* Its relays stay known until it is back: they may be up all the same. */
static void on_lost(struct contact *contact, void *data)
{
	struct rendezvous *rendezvous = data;
	struct peer *peer;

	(void)contact;
	TAILQ_FOREACH(peer, &rendezvous->node->peers, entry)
		offer_courier_lost(peer, &rendezvous->courier);
}

static const struct contact_ops contact_ops = {
	.opened = on_opened,
	.message = on_message,
	.lost = on_lost,
};

static enum courier_state state(const struct courier *courier,
				const struct peer *peer)
{
	const struct rendezvous *rendezvous = courier->owner;

	(void)peer;
	if (rendezvous->contact.up)
		return COURIER_READY;
	return rendezvous->contact.channel ? COURIER_TRYING : COURIER_DOWN;
}

static int send_by(struct courier *courier, struct peer *peer,
		   const struct laya_message *message)
{
	struct rendezvous *rendezvous = courier->owner;

	(void)peer;
	return contact_send(&rendezvous->contact, message);
}

static const struct courier_ops courier_ops = {
	.state = state,
	.send = send_by,
};

static int start(struct rendezvous *rendezvous)
{
	const struct laya_config_server *server = rendezvous->server;
	const struct reach_target target = {
		.host = server->host,
		.port = server->port,
		.host_name = server->host_name,
		.key = server->public_key,
		.prologue = LAYA_PROLOGUE_RENDEZVOUS,
	};

	return contact_init(&rendezvous->contact, rendezvous->node,
			    "rendezvous", &target, &contact_ops, rendezvous);
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
		if (start(rendezvous)) {
			free(rendezvous);
			return -ENOMEM;
		}
		courier_add(node, &rendezvous->courier, &courier_ops,
			    rendezvous);
		TAILQ_INSERT_TAIL(&node->rendezvous, rendezvous, entry);
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
		contact_end(&rendezvous->contact);
		free(rendezvous);
	}
}

/**
 * rendezvous_register_again() - a relay's addresses have changed
 * @node: ours
 */
void rendezvous_register_again(struct node *node)
{
	struct rendezvous *rendezvous;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry) {
		if (rendezvous->contact.up)
			do_register(rendezvous);
	}
}

/**
 * rendezvous_resumed() - this machine was suspended: connections are not to be trusted
 * @node: ours
 */
void rendezvous_resumed(struct node *node)
{
	struct rendezvous *rendezvous;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry)
		contact_anew(&rendezvous->contact, "this machine was suspended");
}

/**
 * rendezvous_retry() - the network has changed: what failed may work now
 * @node: ours
 */
void rendezvous_retry(struct node *node)
{
	struct rendezvous *rendezvous;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry)
		contact_retry(&rendezvous->contact);
}

/**
 * rendezvous_up() - how many can be used now
 * @node: ours
 *
 * Return: their number.
 */
unsigned int rendezvous_up(const struct node *node)
{
	const struct rendezvous *rendezvous;
	unsigned int n = 0;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry)
		n += rendezvous->contact.up;
	return n;
}

/**
 * rendezvous_by_udp_alone() - does it look as if no stream passed here
 * @node: ours
 *
 * Return: whether there are connections to rendezvous, and all are by UDP, which
 * is tried last.
 */
bool rendezvous_by_udp_alone(const struct node *node)
{
	const struct rendezvous *rendezvous;
	unsigned int n = 0;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry) {
		if (!rendezvous->contact.up)
			continue;
		if (rendezvous->contact.transport != LAYA_TRANSPORT_UDP)
			return false;
		n++;
	}
	return n > 0;
}
