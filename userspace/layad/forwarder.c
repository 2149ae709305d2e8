// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "control_port.h"
#include "attach.h"
#include "carrier.h"
#include "detour.h"
#include "forwarder.h"
#include "gateway.h"
#include "kernel.h"
#include "log.h"
#include "offer.h"
#include "outside.h"
#include "reach.h"
#include "rendezvous.h"
#include "trunking.h"

/* From the first byte to path and labels */
#define ATTACH_MS	10000
#define SUSPECT_MS	3000
/* How long UDP has before a stream is dialled as well */
#define FALLBACK_MS	500
/* How long a connection has before it is done by the rendezvous that lists it */
#define COURIER_MS	3000
/* Where no stream reaches a rendezvous, none will reach a relay. */
#define COURIER_SOON_MS	300
#define RENEW_MS	60000
#define RENEW_SOON_MS	3000
#define MAX_RENEWALS	3
/* A forwarder forgets a host that does not renew its labels for so long */
#define LABELS_LIVE_MS	180000
#define RETRY_BASE_MS	1000
#define RETRY_MAX_MS	60000
/* Where a gateway was it will be again; elsewhere there is hardly ever one */
#define GATEWAY_MAX_MS	15000
#define NO_GATEWAY_MAX_MS	300000
/* Labels of one attachment: what a forwarder gives out (attach.c) */
#define MAX_ASKED	256

static void ask_labels(struct forwarder *forwarder);
static void offer_by_rendezvous(struct forwarder *forwarder);
static void attach(struct forwarder *forwarder);

static const char *name(const struct forwarder *forwarder)
{
	static char texts[2][LAYA_ADDRESS_TEXT_SIZE + LAYA_CONFIG_HOST_SIZE];
	static unsigned int next;
	char *text = texts[next++ % 2];

	if (forwarder->server)
		snprintf(text, sizeof(texts[0]), "%s:%u",
			 forwarder->server->host, forwarder->server->port);
	else if (forwarder->state > FORWARDER_CONNECTING)
		laya_address_format(text, &forwarder->dialled);
	else if (forwarder->addresses.n > 0)
		laya_address_format(text, &forwarder->addresses.list[0]);
	else
		strcpy(text, "?");
	return text;
}

/**
 * forwarder_state_name() - for people
 * @state: the state
 *
 * Return: a constant string.
 */
const char *forwarder_state_name(enum forwarder_state state)
{
	switch (state) {
	case FORWARDER_IDLE:
		return "idle";
	case FORWARDER_CONNECTING:
		return "connecting";
	case FORWARDER_OFFERING:
		return "handshake";
	case FORWARDER_BINDING:
		return "binding";
	case FORWARDER_UP:
		return "attached";
	}
	return "unknown";
}

/* Gateways are found by their addresses. */
static struct forwarder *find(const struct node *node, const uint8_t *key)
{
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (!forwarder->gateway && laya_key_equal(forwarder->key, key))
			return forwarder;
	}
	return NULL;
}

/**
 * forwarder_host_name() - what proxies and TLS may call a forwarder
 * @node: ours
 * @key: its key
 *
 * Return: its name, of which the configuration's goes before its own; empty if
 * none is known.
 */
const char *forwarder_host_name(const struct node *node,
				const uint8_t key[LAYA_KEY_SIZE])
{
	const struct forwarder *forwarder = find(node, key);

	if (!forwarder)
		return "";
	return forwarder->server && forwarder->server->host_name[0] ?
	       forwarder->server->host_name : forwarder->host_name;
}

/**
 * forwarder_has_rival() - are we with a forwarder already, in another way
 * @forwarder: the forwarder
 * @key: its key
 *
 * A relay may be our gateway, which may have several addresses.
 *
 * Return: whether another entry of the list stands for it and is in use.
 */
bool forwarder_has_rival(const struct forwarder *forwarder,
			 const uint8_t key[LAYA_KEY_SIZE])
{
	const struct forwarder *other;

	TAILQ_FOREACH(other, &forwarder->node->forwarders, entry) {
		if (other != forwarder && other->state != FORWARDER_IDLE &&
		    laya_key_equal(other->key, key))
			return true;
	}
	return false;
}

static void close_channel(struct forwarder *forwarder)
{
	reach_end(forwarder->reach);
	forwarder->reach = NULL;
	if (forwarder->channel)
		laya_channel_close(forwarder->channel);
	forwarder->channel = NULL;
}

static struct forwarder_list *list_of(const struct forwarder *forwarder)
{
	return forwarder->trunk ? &forwarder->node->trunks :
				  &forwarder->node->forwarders;
}

static void remove_forwarder(struct forwarder *forwarder)
{
	TAILQ_REMOVE(list_of(forwarder), forwarder, entry);
	timer_free(forwarder->timer);
	timer_free(forwarder->suspect);
	timer_free(forwarder->fallback);
	free(forwarder->labels);
	sodium_memzero(&forwarder->self, sizeof(forwarder->self));
	free(forwarder);
}

/* Ask those that we are attached to for labels again, now. */
static void renew(struct node *node, bool gateways_only)
{
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state == FORWARDER_UP &&
		    (forwarder->gateway || !gateways_only))
			timer_start(forwarder->timer, 0);
	}
}

/* Path and labels are there. */
static void check_up(struct forwarder *forwarder)
{
	struct node *node = forwarder->node;

	if (forwarder->state != FORWARDER_BINDING || !forwarder->path_usable ||
	    forwarder->asked > 0)
		return;
	/* Over a channel they were asked for at once; else now, in the session. */
	if (!forwarder->channel && forwarder->n_labels == 0)
		ask_labels(forwarder);
	if (forwarder->asked > 0)
		return;
	forwarder->state = FORWARDER_UP;
	forwarder->failure[0] = '\0';
	forwarder->renewals_failed = 0;
	if (forwarder->trunk) {
		laya_info("a trunk to the forwarder %s, which hosts have named",
			  name(forwarder));
		close_channel(forwarder);
		timer_stop(forwarder->timer);
		trunk_up(forwarder->trunk);
		return;
	}
	if (forwarder->gateway)
		forwarder->backoff.max = GATEWAY_MAX_MS;
	backoff_reset(&forwarder->backoff);
	laya_info("attached to the %s %s, which has labels for %zu peers",
		  forwarder->gateway ? "gateway" : "forwarder",
		  name(forwarder), forwarder->n_labels);
	/* From here on in the session: a relay has better use for its sockets. */
	close_channel(forwarder);
	timer_start(forwarder->timer, RENEW_MS);
	node_candidates_changed(node);
	known_changed(node);
	/* Our gateways are to have a label for it. */
	if (forwarder->gateway)
		return;
	renew(node, true);
	detour_attached(forwarder);
}

static void on_labels_done(struct peer *peer, int error)
{
	struct forwarder *forwarder = peer->forwarder;

	if (!error || !forwarder)
		return;
	if (forwarder->asked > 0)
		forwarder->asked--;
	if (++forwarder->renewals_failed >= MAX_RENEWALS)
		forwarder_lost(forwarder, "it does not renew our labels");
	else if (forwarder->state == FORWARDER_UP)
		timer_start(forwarder->timer, RENEW_SOON_MS);
}

static int ask(struct forwarder *forwarder, struct laya_message *message)
{
	int ret;

	if (message->label_request.n == 0)
		return 0;
	randombytes_buf(&message->id, sizeof(message->id));
	if (forwarder->channel)
		ret = laya_channel_send(forwarder->channel, message);
	else
		ret = control_port_request(forwarder->peer, message,
					   on_labels_done);
	if (ret)
		return ret;
	forwarder->asked++;
	message->label_request.n = 0;
	return 0;
}

/* Under which name a forwarder knows a peer */
static void alias(const struct forwarder *forwarder, const struct peer *peer,
		  uint8_t key[LAYA_KEY_SIZE])
{
	if (forwarder->peer->self == &forwarder->self)
		gateway_alias(forwarder, peer, key);
	else
		memcpy(key, peer->handshake.key, LAYA_KEY_SIZE);
}

/*
 * Peers are to reach us, and those that are to reach the hosts behind us; and
 * relays, by gateways, so that we know that they can be reached.
 */
static bool needs_label(const struct forwarder *forwarder,
			const struct peer *peer)
{
	return peer != forwarder->peer && !forwarder->trunk &&
	       (peer->configured || attach_is_inside(peer) ||
		(forwarder->gateway && peer->forwarder &&
		 !peer->forwarder->gateway));
}

/* A label for each, 32 at a time; new ones and old ones. */
static void ask_labels(struct forwarder *forwarder)
{
	struct laya_message message = { .type = LAYA_MESSAGE_LABEL_REQUEST };
	unsigned int left = MAX_ASKED;
	struct peer *peer;
	int ret = 0;

	forwarder->asked = 0;
	TAILQ_FOREACH(peer, &forwarder->node->peers, entry) {
		if (!needs_label(forwarder, peer) || left-- == 0)
			continue;
		alias(forwarder, peer,
		      message.label_request.keys[message.label_request.n++]);
		if (message.label_request.n == LAYA_MAX_LABELS)
			ret = ask(forwarder, &message);
		if (ret)
			break;
	}
	if (!ret)
		ret = ask(forwarder, &message);
	if (ret)
		laya_warning("forwarder %s: cannot ask for labels: %s",
			     name(forwarder), strerror(-ret));
}

static void on_suspect(void *data)
{
	struct forwarder *forwarder = data;

	if (!kernel_has_usable_path(forwarder->peer))
		forwarder_lost(forwarder, "its path does not answer");
}

static void on_fallback(void *data)
{
	struct forwarder *forwarder = data;
	int ret;

	if (forwarder->state == FORWARDER_CONNECTING)
		offer_by_rendezvous(forwarder);
	if (forwarder->gateway || forwarder->state < FORWARDER_BINDING ||
	    kernel_has_usable_path(forwarder->peer))
		return;
	ret = carrier_attach(forwarder);
	if (ret)
		laya_debug("forwarder %s: no stream carrier: %s",
			   name(forwarder), strerror(-ret));
}

static void on_timer(void *data)
{
	struct forwarder *forwarder = data;

	switch (forwarder->state) {
	case FORWARDER_IDLE:
		forwarder->waiting = false;
		forwarder_reconsider(forwarder->node);
		break;
	case FORWARDER_CONNECTING:
	case FORWARDER_OFFERING:
		forwarder_lost(forwarder, "no answer");
		break;
	case FORWARDER_BINDING:
		forwarder_lost(forwarder, forwarder->path_usable ?
			       "it gives us no labels" :
			       "no packet comes back from it, by UDP or a stream; is its port open?");
		break;
	case FORWARDER_UP:
		ask_labels(forwarder);
		outside_again(forwarder);
		timer_start(forwarder->timer, RENEW_MS);
		break;
	}
}

static struct forwarder *add(struct node *node, const uint8_t *key,
			     struct trunk *trunk)
{
	struct forwarder *forwarder = calloc(1, sizeof(*forwarder));

	if (!forwarder)
		return NULL;
	forwarder->node = node;
	forwarder->trunk = trunk;
	memcpy(forwarder->key, key, LAYA_KEY_SIZE);
	backoff_init(&forwarder->backoff, RETRY_BASE_MS, RETRY_MAX_MS);
	forwarder->timer = timer_new(node->loop, on_timer, forwarder);
	forwarder->suspect = timer_new(node->loop, on_suspect, forwarder);
	forwarder->fallback = timer_new(node->loop, on_fallback, forwarder);
	if (!forwarder->timer || !forwarder->suspect || !forwarder->fallback) {
		timer_free(forwarder->timer);
		timer_free(forwarder->suspect);
		timer_free(forwarder->fallback);
		free(forwarder);
		return NULL;
	}
	TAILQ_INSERT_TAIL(list_of(forwarder), forwarder, entry);
	return forwarder;
}

/* Return: the peer to make an offer to; NULL, and the forwarder is lost. */
static struct peer *begin_offering(struct forwarder *forwarder)
{
	struct node *node = forwarder->node;
	struct peer *peer = peer_find(node, forwarder->key);

	forwarder->state = FORWARDER_OFFERING;
	if (peer && peer->attachment) {
		forwarder_lost(forwarder,
			       "it is attached to this node, which cannot be attached to it as well");
		return NULL;
	}
	if (peer && forwarder->trunk) {
		forwarder_lost(forwarder, "it is known already");
		return NULL;
	}
	if (!peer)
		peer = peer_new(node, forwarder->gateway ?
				gateway_self(forwarder, forwarder->key) :
				forwarder->trunk ? &forwarder->self :
				&node->self, forwarder->key, NULL);
	if (!peer) {
		forwarder_lost(forwarder, "its key is not valid");
		return NULL;
	}
	peer->forwarder = forwarder;
	forwarder->peer = peer;
	return peer;
}

static void on_ready(struct laya_channel *channel, void *data)
{
	struct forwarder *forwarder = data;
	struct peer *peer;

	if (forwarder->gateway || forwarder->trunk)
		forwarder->dialled = *laya_channel_remote_address(channel);
	peer = begin_offering(forwarder);
	if (peer && offer_through_channel(peer, channel))
		forwarder_lost(forwarder, "no offer could be sent");
}

/* A gateway tells its key. */
static const uint8_t *on_key(struct laya_channel *channel,
			     const uint8_t key[LAYA_KEY_SIZE], void *data)
{
	struct forwarder *forwarder = data;
	const char *refused = gateway_refused(forwarder, key);

	(void)channel;
	if (refused) {
		forwarder_lost(forwarder, refused);
		return NULL;
	}
	memcpy(forwarder->key, key, LAYA_KEY_SIZE);
	return gateway_self(forwarder, key)->private_key;
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct forwarder *forwarder = data;
	const struct origin origin = {
		.via = VIA_CHANNEL,
		.channel = channel,
	};

	switch (message->type) {
	case LAYA_MESSAGE_ANSWER:
		offer_answered(forwarder->node, message, &origin,
			       forwarder->key);
		/* The follow-up is on its way. */
		if (forwarder->state == FORWARDER_BINDING &&
		    forwarder->asked == 0 && forwarder->n_labels == 0) {
			ask_labels(forwarder);
			check_up(forwarder);
		}
		break;
	case LAYA_MESSAGE_ERROR:
		offer_refused(forwarder->node, message, &origin);
		break;
	case LAYA_MESSAGE_LABELS:
		forwarder_labels(forwarder, message);
		break;
	default:
		break;
	}
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	struct forwarder *forwarder = data;

	(void)channel;
	(void)error;
	forwarder->channel = NULL;
	if (forwarder->state != FORWARDER_UP)
		forwarder_lost(forwarder, reason);
}

static const struct laya_channel_ops ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
	.key = on_key,
};

/* What an attachment is asked for at; of family 0 if that is a name. */
static struct laya_address asked_for(const struct forwarder *forwarder)
{
	const struct laya_config_server *server = forwarder->server;
	struct laya_address address = { .port = 0 };

	if (!server)
		return forwarder->addresses.list[forwarder->at];
	if (uv_inet_pton(AF_INET, server->host, address.addr) == 0)
		address.family = AF_INET;
	else if (uv_inet_pton(AF_INET6, server->host, address.addr) == 0)
		address.family = AF_INET6;
	address.port = server->port;
	return address;
}

static void on_reached(struct laya_channel *channel,
		       const struct reach_way *way,
		       const struct laya_address *address, const char *evidence,
		       void *data)
{
	struct forwarder *forwarder = data;

	forwarder->reach = NULL;
	forwarder->channel = channel;
	forwarder->transport = way->transport;
	forwarder->named = way->named;
	/*
	 * Others are told what was asked for, if that is an address: a proxy does
	 * not tell where it leads, and a NAT64 has addresses of its own.
	 */
	forwarder->dialled = asked_for(forwarder);
	if (!forwarder->dialled.family)
		forwarder->dialled = *address;
	snprintf(forwarder->evidence, sizeof(forwarder->evidence), "%s",
		 evidence);
	laya_channel_hand_over(channel, &ops, forwarder);
	on_ready(channel, forwarder);
}

static void on_unreached(const char *reason, void *data)
{
	struct forwarder *forwarder = data;

	forwarder->reach = NULL;
	if (rendezvous_by_udp_alone(forwarder->node))
		offer_by_rendezvous(forwarder);
	if (forwarder->state == FORWARDER_CONNECTING)
		forwarder_lost(forwarder, reason);
}

static const struct reach_ops reach_ops = {
	.ready = on_reached,
	.failed = on_unreached,
};

/*
 * The rendezvous that lists it passes offers to it as to anybody, and the rest is
 * said in the session: so one whose port lets only packets through is attached to
 * as well.
 */
static void offer_by_rendezvous(struct forwarder *forwarder)
{
	struct laya_address address = asked_for(forwarder);
	struct node *node = forwarder->node;
	struct peer *peer;

	if (forwarder->gateway || forwarder->listed == 0 || !address.family ||
	    rendezvous_up(node) == 0)
		return;
	laya_debug("forwarder %s: attaching by rendezvous", name(forwarder));
	close_channel(forwarder);
	forwarder->dialled = address;
	forwarder->evidence[0] = '\0';
	peer = begin_offering(forwarder);
	if (peer)
		offer_by_courier(peer);
}

static const struct laya_address *next_address(struct forwarder *forwarder)
{
	const struct laya_addresses *addresses = &forwarder->addresses;
	const struct laya_address *address = &addresses->list[0];
	unsigned int i;

	for (i = 0; i < addresses->n; i++) {
		forwarder->at = forwarder->next_address++ % addresses->n;
		address = &addresses->list[forwarder->at];
		if (locals_have_family(&forwarder->node->locals,
				       address->family))
			break;
	}
	/* If there is none: the error will say so. */
	return address;
}

/*
 * By TCP alone, under a key that nobody has seen: a gateway is on this network, and
 * a trunk leads to whom a host has named, who is to hear as little as can be.
 */
static int connect_unknown(struct forwarder *forwarder, const char *host,
			   uint16_t port)
{
	struct laya_channel_config config;
	char text[6];
	int ret;

	ret = gateway_ephemeral(forwarder);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%u", port);
	laya_channel_config_client(&config, LAYA_PROLOGUE_ATTACH,
				   forwarder->self.private_key);
	config.connect_timeout = 5000;
	ret = laya_channel_connect(&forwarder->channel, forwarder->node->loop,
				   &config, host, text,
				   forwarder->trunk ? forwarder->key : NULL,
				   &ops, forwarder);
	sodium_memzero(&config, sizeof(config));
	if (ret)
		forwarder->channel = NULL;
	return ret;
}

static void attach(struct forwarder *forwarder)
{
	struct node *node = forwarder->node;
	struct reach_target target = {
		.key = forwarder->key,
		.prologue = LAYA_PROLOGUE_ATTACH,
		.first = forwarder->transport,
		.host_name = forwarder_host_name(node, forwarder->key),
		.doubtful = true,
	};
	const struct laya_address *address;
	char text[LAYA_ADDRESS_TEXT_SIZE] = "";
	int ret;

	if (forwarder->server) {
		target.host = forwarder->server->host;
		target.port = forwarder->server->port;
	} else {
		address = next_address(forwarder);
		uv_inet_ntop(address->family, address->addr, text,
			     sizeof(text));
		if (address->scope)
			sprintf(text + strlen(text), "%%%u", address->scope);
		target.host = text;
		target.port = address->port;
	}
	/* A router that is no gateway is asked again and again: told once. */
	if (!forwarder->gateway || forwarder->failure[0] == '\0')
		laya_debug("attaching to the forwarder %s, port %u",
			   target.host, target.port);
	forwarder->state = FORWARDER_CONNECTING;
	forwarder->path_usable = false;
	forwarder->asked = 0;
	forwarder->renewals_failed = 0;
	if (forwarder->gateway || forwarder->trunk)
		ret = connect_unknown(forwarder, target.host, target.port);
	else
		ret = reach_begin(&forwarder->reach, node, &target,
				  node->self.private_key, &reach_ops,
				  forwarder);
	if (ret) {
		forwarder_lost(forwarder, strerror(-ret));
		return;
	}
	timer_start(forwarder->timer, forwarder->trunk ? LAYA_TRUNK_DIAL_MS :
		    ATTACH_MS);
	timer_start(forwarder->fallback, rendezvous_by_udp_alone(node) ?
		    COURIER_SOON_MS : COURIER_MS);
}

/* Its path, or a probe on it if there is one. */
static bool dial_udp(struct forwarder *forwarder)
{
	struct laya_address remote = forwarder->dialled;

	if (!node_has_udp(forwarder->node) ||
	    !laya_address_is_dialable(&forwarder->dialled))
		return false;
	node_translate(forwarder->node, &remote);
	kernel_path_new(forwarder->peer, LAYA_PATH_KIND_DIRECT,
			KERNEL_CARRIER_UDP, &remote, NULL);
	return true;
}

/**
 * forwarder_trunk() - attach to a forwarder for those who have named it
 * @node: ours
 * @trunk: which is told how it goes, not from within this
 * @key: the forwarder's key
 * @address: where it is
 *
 * Return: the forwarder, or NULL: it cannot be dialled.
 */
struct forwarder *forwarder_trunk(struct node *node, struct trunk *trunk,
				  const uint8_t key[LAYA_KEY_SIZE],
				  const struct laya_address *address)
{
	struct forwarder *forwarder = add(node, key, trunk);

	if (!forwarder)
		return NULL;
	forwarder->transport = LAYA_TRANSPORT_TCP;
	forwarder->addresses.n = 1;
	forwarder->addresses.list[0] = *address;
	attach(forwarder);
	if (forwarder->state != FORWARDER_IDLE)
		return forwarder;
	remove_forwarder(forwarder);
	return NULL;
}

/**
 * forwarder_dial_again() - somebody says that it does not work
 * @forwarder: it, which is probed
 */
void forwarder_dial_again(struct forwarder *forwarder)
{
	dial_udp(forwarder);
}

/**
 * forwarder_free() - a trunk is over
 * @forwarder: the trunk's, which is lost, or given up as it is
 */
void forwarder_free(struct forwarder *forwarder)
{
	close_channel(forwarder);
	if (forwarder->peer)
		forwarder->peer->forwarder = NULL;
	remove_forwarder(forwarder);
}

/**
 * forwarder_established() - there is a session with a forwarder
 * @forwarder: the forwarder
 */
void forwarder_established(struct forwarder *forwarder)
{
	if (forwarder->state != FORWARDER_OFFERING)
		return;
	forwarder->state = FORWARDER_BINDING;
	timer_start(forwarder->fallback, dial_udp(forwarder) ? FALLBACK_MS : 0);
	/* A path that was adopted is usable already. */
	forwarder->path_usable = kernel_has_usable_path(forwarder->peer);
	if (!forwarder->channel)
		check_up(forwarder);
}

/**
 * forwarder_path_changed() - the kernel says that a path changed
 * @forwarder: to this
 * @path: the path
 */
void forwarder_path_changed(struct forwarder *forwarder,
			    const struct laya_nl_path *path)
{
	struct node *node = forwarder->node;
	bool usable;

	/* What it dials tells of a gateway's address. */
	if (laya_nl_has(path, LAYA_A_PATH_OBSERVED) &&
	    !laya_nl_has(path, LAYA_A_PATH_ANSWERED) &&
	    !(forwarder->have_observed &&
	      laya_address_equal(&forwarder->observed, &path->observed))) {
		forwarder->observed = path->observed;
		forwarder->have_observed = true;
		node_candidates_changed(node);
	}
	if (forwarder->state < FORWARDER_BINDING)
		return;
	usable = kernel_has_usable_path(forwarder->peer);
	if (usable) {
		timer_stop(forwarder->suspect);
		forwarder->path_usable = true;
		check_up(forwarder);
		return;
	}
	if (forwarder->state != FORWARDER_UP)
		return;
	if (path->state == LAYA_PATH_STATE_DEAD &&
	    !timer_pending(forwarder->suspect))
		forwarder_lost(forwarder, "its path is dead");
	else if (path->state == LAYA_PATH_STATE_SUSPECT &&
		 !timer_pending(forwarder->suspect)) {
		timer_start(forwarder->suspect, SUSPECT_MS);
		/* Perhaps it is only UDP that does not pass any more. */
		timer_start(forwarder->fallback, 0);
	}
}

static struct forwarder_label *find_label(const struct forwarder *forwarder,
					  const uint8_t key[LAYA_KEY_SIZE])
{
	size_t i;

	for (i = 0; i < forwarder->n_labels; i++) {
		if (laya_key_equal(forwarder->labels[i].key, key))
			return &forwarder->labels[i];
	}
	return NULL;
}

static struct peer *find_alias(const struct forwarder *forwarder,
			       const uint8_t key[LAYA_KEY_SIZE])
{
	uint8_t known_as[LAYA_KEY_SIZE];
	struct peer *peer;

	TAILQ_FOREACH(peer, &forwarder->node->peers, entry) {
		if (!needs_label(forwarder, peer))
			continue;
		alias(forwarder, peer, known_as);
		if (laya_key_equal(known_as, key))
			return peer;
	}
	return NULL;
}

static void set_label(struct forwarder *forwarder,
		      const struct laya_label *label)
{
	struct peer *peer = find_alias(forwarder, label->key);
	struct forwarder_label *labels;

	/* More than we asked for is not kept. */
	if (!peer)
		return;
	labels = find_label(forwarder, peer->handshake.key);
	if (labels) {
		memcpy(labels->label, label->label, LAYA_LABEL_SIZE);
		return;
	}
	labels = reallocarray(forwarder->labels, forwarder->n_labels + 1,
			      sizeof(*labels));
	if (!labels)
		return;
	memcpy(labels[forwarder->n_labels].key, peer->handshake.key,
	       LAYA_KEY_SIZE);
	memcpy(labels[forwarder->n_labels].label, label->label,
	       LAYA_LABEL_SIZE);
	forwarder->labels = labels;
	forwarder->n_labels++;
}

static void describe(const struct forwarder *forwarder, struct choice *choice)
{
	memset(choice, 0, sizeof(*choice));
	memcpy(choice->key, forwarder->key, LAYA_KEY_SIZE);
	choice->active = forwarder->state != FORWARDER_IDLE;
	choice->attached = forwarder->state == FORWARDER_UP;
	choice->gateway = forwarder->gateway;
	choice->waiting = forwarder->waiting ||
		(!forwarder->server && forwarder->addresses.n == 0) ||
		(!forwarder->gateway &&
		 forwarder_has_rival(forwarder, forwarder->key));
	choice->preferred = forwarder->server || forwarder->adopted;
	choice->loaded = forwarder->load >= FORWARDER_LOADED;
}

/* Return: how many forwarders we know of; 0 also without memory. */
static size_t list_choices(const struct node *node, struct choice **list,
			   struct forwarder ***by_index)
{
	struct forwarder *forwarder;
	size_t n = 0;
	size_t i = 0;

	*list = NULL;
	*by_index = NULL;
	TAILQ_FOREACH(forwarder, &node->forwarders, entry)
		n++;
	if (n == 0)
		return 0;
	*list = calloc(n, sizeof(**list));
	*by_index = calloc(n, sizeof(**by_index));
	if (!*list || !*by_index)
		return 0;
	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		(*by_index)[i] = forwarder;
		describe(forwarder, &(*list)[i++]);
	}
	return n;
}

/* Nothing goes over it yet, and there is another that may have less to do. */
static bool leaves(const struct forwarder *forwarder)
{
	struct forwarder **by_index;
	struct choice *list;
	bool yes = false;
	size_t n;
	size_t i;

	if (forwarder->gateway || forwarder->load < FORWARDER_LOADED)
		return false;
	n = list_choices(forwarder->node, &list, &by_index);
	for (i = 0; i < n; i++) {
		if (by_index[i] == forwarder)
			yes = choice_leaves(list, n, i);
	}
	free(list);
	free(by_index);
	return yes;
}

static void release_labels(struct forwarder *forwarder,
			   const struct laya_message *labels)
{
	struct laya_message release = { .type = LAYA_MESSAGE_LABEL_RELEASE };
	unsigned int i;

	randombytes_buf(&release.id, sizeof(release.id));
	release.label_release.n = labels->labels.n;
	for (i = 0; i < labels->labels.n; i++)
		memcpy(release.label_release.labels[i],
		       labels->labels.list[i].label, LAYA_LABEL_SIZE);
	if (forwarder->channel && release.label_release.n > 0)
		laya_channel_send(forwarder->channel, &release);
}

/**
 * forwarder_labels() - a forwarder tells labels
 * @forwarder: the forwarder
 * @message: LABELS
 */
void forwarder_labels(struct forwarder *forwarder,
		      const struct laya_message *message)
{
	struct laya_addresses *told = &forwarder->addresses_told;
	struct laya_address address;
	unsigned int i;

	if (forwarder->state < FORWARDER_BINDING)
		return;
	forwarder->load = message->labels.load;
	if (forwarder->state == FORWARDER_BINDING && leaves(forwarder)) {
		laya_info("forwarder %s: it has %u%% of the hosts that it takes",
			  name(forwarder), forwarder->load);
		release_labels(forwarder, message);
		forwarder_lost(forwarder, "others may have less to do");
		return;
	}
	for (i = 0; i < message->labels.n; i++)
		set_label(forwarder, &message->labels.list[i]);
	told->n = 0;
	for (i = 0; i < message->labels.addresses.n; i++) {
		address = message->labels.addresses.list[i];
		if (laya_address_is_any(&address))
			address = forwarder->dialled;
		if (laya_address_is_dialable(&address))
			told->list[told->n++] = address;
	}
	if (forwarder->asked > 0)
		forwarder->asked--;
	forwarder->renewals_failed = 0;
	if (forwarder->state == FORWARDER_UP)
		node_candidates_changed(forwarder->node);
	else
		check_up(forwarder);
}

/**
 * forwarder_above() - a gateway tells how it is reached itself
 * @forwarder: the gateway; others' word is not asked for
 * @candidates: its own addresses, and labels that those above it gave it for us
 */
void forwarder_above(struct forwarder *forwarder,
		     const struct laya_candidates *candidates)
{
	if (!forwarder->gateway)
		return;
	forwarder->above = *candidates;
	forwarder->above_told = true;
	node_candidates_changed(forwarder->node);
}

/* Those that failed may work now; @lost is not one of them. */
static void retry(struct node *node, const struct forwarder *lost)
{
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder == lost || !forwarder->waiting)
			continue;
		forwarder->waiting = false;
		backoff_reset(&forwarder->backoff);
	}
}

static void say_lost(const struct forwarder *forwarder)
{
	bool news = forwarder->state == FORWARDER_UP ||
		    (forwarder->backoff.tries == 0 && !forwarder->gateway &&
		     !forwarder->trunk);

	laya_log(news ? LAYA_LOG_WARNING : LAYA_LOG_DEBUG,
		 "forwarder %s: %s; another is tried, this one later",
		 name(forwarder), forwarder->failure);
}

/**
 * forwarder_lost() - an attachment is over, or did not come to be
 * @forwarder: the forwarder; its peer is perhaps gone after this
 * @reason: why, for people
 */
void forwarder_lost(struct forwarder *forwarder, const char *reason)
{
	struct node *node = forwarder->node;
	struct peer *peer = forwarder->peer;
	bool was_up = forwarder->state == FORWARDER_UP;
	bool told = forwarder->gateway &&
		    strcmp(forwarder->failure, reason) == 0;

	if (forwarder->state == FORWARDER_IDLE)
		return;
	/* The reason may lie in what is closed next. */
	snprintf(forwarder->failure, sizeof(forwarder->failure), "%s", reason);
	if (!told)
		say_lost(forwarder);
	close_channel(forwarder);
	if (!peer && forwarder->adopted) {
		/* What was adopted may live on while its TCP port does not. */
		peer = peer_find(node, forwarder->key);
		if (peer && kernel_has_usable_path(peer))
			peer = NULL;
	}
	forwarder->state = FORWARDER_IDLE;
	forwarder->peer = NULL;
	forwarder->path_usable = false;
	forwarder->n_labels = 0;
	forwarder->have_observed = false;
	forwarder->waiting = true;
	timer_stop(forwarder->suspect);
	timer_start(forwarder->timer, backoff_next(&forwarder->backoff));
	if (peer) {
		control_port_forget(peer);
		peer->forwarder = NULL;
		peer_release(peer);
	}
	if (forwarder->trunk) {
		timer_stop(forwarder->timer);
		timer_stop(forwarder->fallback);
		trunk_lost(forwarder->trunk);
		return;
	}
	if (forwarder->gateway) {
		sodium_memzero(forwarder->key, LAYA_KEY_SIZE);
		sodium_memzero(&forwarder->self, sizeof(forwarder->self));
		forwarder->above.n = 0;
		forwarder->above_told = false;
	}
	if (was_up) {
		detour_lost(forwarder);
		if (forwarder->gateway)
			retry(node, forwarder);
		node_candidates_changed(node);
	}
	forwarder_reconsider(node);
}

/**
 * forwarder_reconsider() - attach to another, if one more is wanted
 * @node: ours
 */
void forwarder_reconsider(struct node *node)
{
	struct forwarder **by_index;
	struct choice *list;
	size_t n;
	int chosen;

	/* A public relay is reached itself. */
	if (node_is_relay(node))
		return;
	n = list_choices(node, &list, &by_index);
	chosen = choice_forwarder(list, n, node->self.public_key);
	while (chosen >= 0) {
		list[chosen].active = true;
		attach(by_index[chosen]);
		/* attach() that fails at once leaves it waiting. */
		chosen = choice_forwarder(list, n, node->self.public_key);
	}
	free(list);
	free(by_index);
}

/**
 * forwarder_lists_changed() - a rendezvous has told other relays
 * @node: ours
 */
void forwarder_lists_changed(struct node *node)
{
	const struct laya_relay *relay;
	struct rendezvous *rendezvous;
	struct forwarder *forwarder;
	struct forwarder *next;
	unsigned int i;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry)
		forwarder->listed = 0;
	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry) {
		for (i = 0; i < rendezvous->relays.n; i++) {
			relay = &rendezvous->relays.list[i];
			if (laya_key_equal(relay->key, node->self.public_key) ||
			    relay->addresses.n == 0)
				continue;
			forwarder = find(node, relay->key);
			if (!forwarder)
				forwarder = add(node, relay->key, NULL);
			if (!forwarder)
				continue;
			forwarder->addresses = relay->addresses;
			strcpy(forwarder->host_name, relay->host_name);
			forwarder->listed++;
		}
	}
	for (forwarder = TAILQ_FIRST(&node->forwarders); forwarder;
	     forwarder = next) {
		next = TAILQ_NEXT(forwarder, entry);
		if (forwarder->listed == 0 && !forwarder->server &&
		    !forwarder->adopted && !forwarder->gateway && forwarder->state == FORWARDER_IDLE)
			remove_forwarder(forwarder);
	}
	forwarder_reconsider(node);
}

static struct forwarder *find_gateway(const struct node *node,
				      const struct laya_address *address)
{
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->gateway &&
		    laya_address_equal(&forwarder->addresses.list[0], address))
			return forwarder;
	}
	return NULL;
}

/**
 * forwarder_gateways() - there may be gateways at these addresses, and no others
 * @node: ours
 * @list: the addresses
 * @n: how many
 */
void forwarder_gateways(struct node *node, const struct laya_address *list,
			unsigned int n)
{
	static const uint8_t unknown[LAYA_KEY_SIZE];
	struct forwarder *forwarder;
	struct forwarder *next;
	unsigned int i;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry)
		forwarder->looked_for = false;
	for (i = 0; i < n; i++) {
		forwarder = find_gateway(node, &list[i]);
		if (!forwarder)
			forwarder = add(node, unknown, NULL);
		if (!forwarder)
			continue;
		if (!forwarder->gateway)
			backoff_init(&forwarder->backoff, RETRY_BASE_MS,
				     NO_GATEWAY_MAX_MS);
		forwarder->gateway = true;
		forwarder->looked_for = true;
		forwarder->addresses.n = 1;
		forwarder->addresses.list[0] = list[i];
	}
	for (forwarder = TAILQ_FIRST(&node->forwarders); forwarder;
	     forwarder = next) {
		next = TAILQ_NEXT(forwarder, entry);
		if (!forwarder->gateway || forwarder->looked_for)
			continue;
		forwarder_lost(forwarder, "it is not in this network");
		remove_forwarder(forwarder);
	}
	forwarder_reconsider(node);
}

/**
 * forwarder_adopt() - one that was in use before a restart
 * @node: ours
 * @key: its key
 * @address: where our path to it goes
 */
void forwarder_adopt(struct node *node, const uint8_t key[LAYA_KEY_SIZE],
		     const struct laya_address *address)
{
	struct forwarder *forwarder = find(node, key);

	if (!forwarder)
		forwarder = add(node, key, NULL);
	if (!forwarder)
		return;
	forwarder->adopted = true;
	forwarder->addresses.n = 1;
	forwarder->addresses.list[0] = *address;
}

/**
 * forwarder_remember() - one that was in use once, if nothing newer is known
 * @node: ours
 * @key: its key
 * @address: where it was
 */
void forwarder_remember(struct node *node, const uint8_t key[LAYA_KEY_SIZE],
			const struct laya_address *address)
{
	const struct forwarder *forwarder = find(node, key);

	if (laya_key_equal(key, node->self.public_key) ||
	    (forwarder && (forwarder->server || forwarder->addresses.n > 0)))
		return;
	forwarder_adopt(node, key, address);
}

/**
 * forwarder_settled() - is there no use in waiting for labels
 * @node: ours
 * @peer: for whom
 *
 * Return: whether a forwarder has one for the peer, or none is about to.
 */
bool forwarder_settled(const struct node *node, const struct peer *peer)
{
	struct forwarder *forwarder;
	bool busy = false;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state == FORWARDER_UP) {
			if (find_label(forwarder, peer->handshake.key))
				return true;
		} else if (forwarder->state != FORWARDER_IDLE &&
			   forwarder->backoff.tries == 0) {
			busy = true;
		}
	}
	return !busy;
}

/**
 * forwarder_peers_changed() - there is one more peer to have a label for
 * @node: ours
 */
void forwarder_peers_changed(struct node *node)
{
	renew(node, false);
}

/**
 * forwarder_retry() - the network has changed: what failed may work now
 * @node: ours
 */
void forwarder_retry(struct node *node)
{
	retry(node, NULL);
	forwarder_reconsider(node);
}

/**
 * forwarder_resumed() - this machine was suspended
 * @node: ours
 * @slept_ms: for how long
 *
 * Who has forgotten us is attached to again; others are asked whether they have.
 */
void forwarder_resumed(struct node *node, uint64_t slept_ms)
{
	struct forwarder *forwarder;
	struct forwarder *next;

	for (forwarder = TAILQ_FIRST(&node->forwarders); forwarder;
	     forwarder = next) {
		next = TAILQ_NEXT(forwarder, entry);
		if (forwarder->state != FORWARDER_UP)
			continue;
		if (slept_ms < LABELS_LIVE_MS) {
			dial_udp(forwarder);
			timer_start(forwarder->timer, 0);
			continue;
		}
		forwarder_lost(forwarder, "this machine was suspended for longer than labels live");
	}
	forwarder_retry(node);
}

/* @all: also where a gateway is said to be, but nobody has reached it yet. */
static void add_direct(struct laya_candidates *candidates,
		       const struct forwarder *forwarder,
		       const struct forwarder_label *label, bool all)
{
	struct laya_candidate candidate = {
		.type = forwarder->gateway ? LAYA_CANDIDATE_GATEWAY :
			forwarder->peer->configured ?
			LAYA_CANDIDATE_PEER_RELAY : LAYA_CANDIDATE_RELAY,
		.n_labels = 1,
		.have_forwarder = true,
	};
	unsigned int i;

	memcpy(candidate.labels[0], label->label, LAYA_LABEL_SIZE);
	memcpy(candidate.forwarder, forwarder->key, LAYA_KEY_SIZE);
	/* Where we dialled a gateway, only those beside us can. */
	if (!forwarder->gateway &&
	    laya_address_is_dialable(&forwarder->dialled)) {
		candidate.address = forwarder->dialled;
		laya_candidates_add(candidates, &candidate);
	}
	for (i = 0; i < forwarder->addresses_told.n; i++) {
		candidate.address = forwarder->addresses_told.list[i];
		if (!forwarder->gateway || all ||
		    outside_offers(forwarder, &candidate.address))
			laya_candidates_add(candidates, &candidate);
	}
}

/* Over the gateway, and who is above that: its label is the outer one. */
static void add_nested(struct laya_candidates *candidates,
		       const struct forwarder *forwarder,
		       const struct forwarder_label *label, bool relayed)
{
	struct laya_candidate candidate;
	unsigned int i;

	for (i = 0; i < forwarder->above.n; i++) {
		candidate = forwarder->above.list[i];
		if (candidate.n_labels == LAYA_CANDIDATE_MAX_LABELS)
			continue;
		/* A relay that we are attached to takes no detour over that. */
		if (candidate.type != LAYA_CANDIDATE_GATEWAY && relayed)
			continue;
		memcpy(candidate.labels[candidate.n_labels++], label->label,
		       LAYA_LABEL_SIZE);
		if (!candidate.have_forwarder)
			memcpy(candidate.forwarder, forwarder->key,
			       LAYA_KEY_SIZE);
		candidate.have_forwarder = true;
		laya_candidates_add(candidates, &candidate);
	}
}

/**
 * forwarder_candidates() - where a peer reaches us at forwarders
 * @node: ours
 * @peer: the peer
 * @candidates: where to add them
 */
void forwarder_candidates(const struct node *node, const struct peer *peer,
			  struct laya_candidates *candidates)
{
	const struct forwarder_label *label;
	struct forwarder *forwarder;
	bool relayed = false;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state != FORWARDER_UP)
			continue;
		label = find_label(forwarder, peer->handshake.key);
		if (!label)
			continue;
		add_direct(candidates, forwarder, label, false);
		relayed |= !forwarder->gateway;
	}
	/* Behind those, if there is no room for all */
	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state != FORWARDER_UP)
			continue;
		label = find_label(forwarder, peer->handshake.key);
		if (label)
			add_nested(candidates, forwarder, label, relayed);
	}
}

/**
 * forwarder_claims() - where our gateways say that a relay reaches us
 * @node: ours
 * @relay: the relay
 * @candidates: where to add them
 */
void forwarder_claims(const struct node *node, const struct peer *relay,
		      struct laya_candidates *candidates)
{
	const struct forwarder_label *label;
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state != FORWARDER_UP || !forwarder->gateway)
			continue;
		label = find_label(forwarder, relay->handshake.key);
		if (label)
			add_direct(candidates, forwarder, label, true);
	}
}

/**
 * forwarder_mapped() - our addresses as forwarders see them
 * @node: ours
 * @candidates: where to add them
 */
void forwarder_mapped(const struct node *node,
		      struct laya_candidates *candidates)
{
	struct laya_candidate candidate;
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state != FORWARDER_UP ||
		    !forwarder->have_observed ||
		    locals_have(&node->locals, &forwarder->observed))
			continue;
		memset(&candidate, 0, sizeof(candidate));
		candidate.type = LAYA_CANDIDATE_MAPPED;
		candidate.address = forwarder->observed;
		laya_candidates_add(candidates, &candidate);
	}
}

/**
 * forwarder_start() - take the forwarders of the configuration
 * @node: ours
 *
 * Return: 0 or -ENOMEM.
 */
int forwarder_start(struct node *node)
{
	const struct laya_config_server *server;
	struct forwarder *forwarder;
	size_t i;

	for (i = 0; i < node->config.n_relays; i++) {
		server = &node->config.relays[i];
		if (laya_key_equal(server->public_key, node->self.public_key))
			continue;
		forwarder = find(node, server->public_key);
		if (!forwarder)
			forwarder = add(node, server->public_key, NULL);
		if (!forwarder)
			return -ENOMEM;
		forwarder->server = server;
	}
	forwarder_reconsider(node);
	return 0;
}

/**
 * forwarder_stop() - let go, without a word: the kernel's paths stay
 * @node: ours
 */
void forwarder_stop(struct node *node)
{
	struct forwarder *forwarder;

	while ((forwarder = TAILQ_FIRST(&node->forwarders))) {
		close_channel(forwarder);
		if (forwarder->peer)
			forwarder->peer->forwarder = NULL;
		remove_forwarder(forwarder);
	}
}
