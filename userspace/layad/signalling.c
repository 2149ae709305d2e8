// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "answer.h"
#include "contact.h"
#include "courier.h"
#include "door.h"
#include "limit.h"
#include "listener.h"
#include "local.h"
#include "log.h"
#include "offer.h"
#include "signalling.h"

/* Those that have not shown yet who they are; the oldest makes room */
#define MAX_PENDING		256
/* Of one IPv4 address, or one IPv6 /64; a NAT may have many peers behind it */
#define MAX_FROM_ONE		64
#define MAX_SOURCES		4096
/* From one dial of a peer that was found to the next */
#define FOUND_MS		5000
/* A stranger's handshake costs three Diffie-Hellman, an offer four. */
static const struct rate arrivals = { .per_second = 4, .burst = 32 };
static const struct rate offers = { .per_second = 1, .burst = 16 };

/**
 * struct visitor - a channel that came in
 * @entry: in hall->pending, until it is known who it is
 * @hall: ours
 * @channel: the channel
 * @source: where it came from; NULL if it came to another's port
 * @peer: who it is, once that is known: its signalling has it then
 * @offers: that it has made
 */
struct visitor {
	TAILQ_ENTRY(visitor) entry;
	struct hall *hall;
	struct laya_channel *channel;
	struct source *source;
	struct peer *peer;
	struct bucket offers;
};

/**
 * struct hall - where visitors come in, and the courier
 * @node: ours
 * @courier: all channels with peers
 * @listener: takes connections; NULL if we do not listen on a port of our own
 * @doors: where they come from
 * @n_doors: how many
 * @any: for LocalDiscovery without SignalListen, or NULL
 * @sources: what comes from one address
 * @pending: those who have not shown yet who they are
 * @n_pending: how many
 */
struct hall {
	struct node *node;
	struct courier courier;
	struct laya_listener *listener;
	struct laya_door *doors[LAYA_CONFIG_LISTENS];
	unsigned int n_doors;
	struct laya_door *any;
	struct sources sources;
	TAILQ_HEAD(, visitor) pending;
	unsigned int n_pending;
};

/**
 * struct line - somewhere where a peer listens
 * @signalling: with the peer
 * @host: name or address; empty if there is none
 * @port: port
 * @contact: with that; its timer is NULL when it is not dialled
 */
struct line {
	struct signalling *signalling;
	char host[LAYA_CONFIG_HOST_SIZE];
	uint16_t port;
	struct contact contact;
};

/**
 * struct signalling - with one peer
 * @peer: the peer
 * @endpoint: its Endpoint
 * @found: where it was found on the LAN; dialled once each time
 * @found_at: when
 * @visitor: the channel that it has opened, or NULL
 */
struct signalling {
	struct peer *peer;
	struct line endpoint;
	struct line found;
	uint64_t found_at;
	struct visitor *visitor;
};

static struct signalling *signalling_of(struct peer *peer)
{
	struct signalling *signalling = peer->signalling;

	if (signalling)
		return signalling;
	signalling = calloc(1, sizeof(*signalling));
	if (!signalling)
		return NULL;
	signalling->peer = peer;
	signalling->endpoint.signalling = signalling;
	signalling->found.signalling = signalling;
	peer->signalling = signalling;
	return signalling;
}

/* --- the courier --- */

static bool is_up(const struct signalling *signalling)
{
	return signalling->visitor || signalling->endpoint.contact.up ||
	       signalling->found.contact.up;
}

static bool is_trying(const struct line *line)
{
	return line->contact.reach || line->contact.channel;
}

static enum courier_state state(const struct courier *courier,
				const struct peer *peer)
{
	const struct signalling *signalling = peer->signalling;
	const struct hall *hall = courier->owner;

	if (signalling && is_up(signalling))
		return COURIER_READY;
	if (signalling && (is_trying(&signalling->endpoint) ||
			   is_trying(&signalling->found)))
		return COURIER_TRYING;
	if (signalling && signalling->endpoint.host[0] != '\0')
		return COURIER_DOWN;
	/* It may be about to call, or to be found. */
	return hall->listener || signalling_shares_port(hall->node) ?
		COURIER_DOWN : COURIER_NONE;
}

/* What it has opened last is what works now. */
static int send_by(struct courier *courier, struct peer *peer,
		   const struct laya_message *message)
{
	struct signalling *signalling = peer->signalling;
	int ret = -ENOTCONN;

	(void)courier;
	if (!signalling)
		return ret;
	if (signalling->visitor)
		ret = laya_channel_send(signalling->visitor->channel, message);
	if (ret)
		ret = contact_send(&signalling->endpoint.contact, message);
	if (ret)
		ret = contact_send(&signalling->found.contact, message);
	return ret;
}

static void retry(struct peer *peer)
{
	if (peer->signalling && peer->signalling->endpoint.contact.timer)
		contact_retry(&peer->signalling->endpoint.contact);
}

static void wanted(struct courier *courier, struct peer *peer)
{
	(void)courier;
	retry(peer);
	if (!peer->signalling || !is_up(peer->signalling))
		local_look(peer->node);
}

static const struct courier_ops courier_ops = {
	.state = state,
	.send = send_by,
	.wanted = wanted,
	.certain = true,
};

static struct courier *courier_of(struct node *node)
{
	return &node->hall->courier;
}

static void take_message(struct peer *peer, const struct laya_message *message)
{
	struct node *node = peer->node;
	const uint8_t *key = peer->handshake.key;
	const struct origin origin = {
		.via = VIA_COURIER,
		.courier = courier_of(node),
	};

	switch (message->type) {
	case LAYA_MESSAGE_OFFER:
		answer_offer(node, message, &origin, key);
		break;
	case LAYA_MESSAGE_ANSWER:
		offer_answered(node, message, &origin, key);
		break;
	case LAYA_MESSAGE_FOLLOWUP:
		answer_followup(node, message, &origin, key);
		break;
	case LAYA_MESSAGE_ERROR:
		offer_refused(node, message, &origin);
		break;
	default:
		laya_debug("%s: %s is not for signalling; ignored",
			   peer_text(peer),
			   laya_message_type_name(message->type));
		break;
	}
}

/* --- who is dialled --- */

static void on_message(struct contact *contact,
		       const struct laya_message *message, void *data)
{
	struct line *line = data;
	struct peer *peer = line->signalling->peer;

	if (message->type != LAYA_MESSAGE_REGISTERED) {
		take_message(peer, message);
		return;
	}
	if (contact->up)
		return;
	contact_accepted(contact);
	laya_info("%s: connected at %s:%u", peer_text(peer), line->host,
		  line->port);
	offer_courier_ready(peer, courier_of(peer->node));
}

static void on_lost(struct contact *contact, void *data)
{
	struct line *line = data;
	struct signalling *signalling = line->signalling;
	struct peer *peer = signalling->peer;

	(void)contact;
	if (!is_up(signalling))
		offer_courier_lost(peer, courier_of(peer->node));
	/* If it is there still it is found again. */
	if (line == &signalling->found)
		contact_end(&line->contact);
}

static const struct contact_ops contact_ops = {
	.message = on_message,
	.lost = on_lost,
};

static int dial(struct line *line)
{
	struct signalling *signalling = line->signalling;
	struct peer *peer = signalling->peer;
	const bool found = line == &signalling->found;
	const struct reach_target target = {
		.host = line->host,
		.port = line->port,
		.key = peer->handshake.key,
		.prologue = LAYA_PROLOGUE_SIGNAL,
		.on_link = found,
	};
	int ret;

	ret = contact_init(&line->contact, peer->node, "endpoint", &target,
			   &contact_ops, line);
	/* Whoever goes away is found there for a while, and that is no news. */
	line->contact.complained = found;
	return ret;
}

/**
 * signalling_set_endpoint() - where a peer listens
 * @peer: a configured peer, without an endpoint
 * @host: name or address
 * @port: port
 *
 * Return: 0 or -ENOMEM.
 */
int signalling_set_endpoint(struct peer *peer, const char *host, uint16_t port)
{
	struct signalling *signalling = signalling_of(peer);
	struct line *line;

	if (!signalling)
		return -ENOMEM;
	line = &signalling->endpoint;
	snprintf(line->host, sizeof(line->host), "%s", host);
	line->port = port;
	/* Before there is a hall, signalling_start() does it. */
	return peer->node->hall ? dial(line) : 0;
}

/**
 * signalling_is_up() - is there a channel with a peer
 * @peer: the peer
 *
 * Return: whether.
 */
bool signalling_is_up(const struct peer *peer)
{
	return peer->signalling && is_up(peer->signalling);
}

/**
 * signalling_found() - somebody says that a peer is on the LAN
 * @peer: a configured peer
 * @address: where it is said to listen
 *
 * It is dialled once, and not more often than every few seconds.
 */
void signalling_found(struct peer *peer, const struct laya_address *address)
{
	struct signalling *signalling = signalling_of(peer);
	struct line *line;

	if (!signalling || is_up(signalling) ||
	    signalling->found.contact.timer ||
	    (signalling->found_at != 0 &&
	     node_now(peer->node) - signalling->found_at < FOUND_MS))
		return;
	line = &signalling->found;
	if (uv_inet_ntop(address->family, address->addr, line->host,
			 sizeof(line->host)))
		return;
	line->port = address->port;
	signalling->found_at = node_now(peer->node);
	laya_debug("%s: found at %s:%u", peer_text(peer), line->host,
		   line->port);
	if (dial(line))
		laya_debug("%s: not dialled: no memory", peer_text(peer));
}

/* --- who calls --- */

static void end_visitor(struct visitor *visitor)
{
	struct hall *hall = visitor->hall;
	struct peer *peer = visitor->peer;

	if (peer) {
		peer->signalling->visitor = NULL;
		if (!is_up(peer->signalling))
			offer_courier_lost(peer, &hall->courier);
	} else {
		TAILQ_REMOVE(&hall->pending, visitor, entry);
		hall->n_pending--;
	}
	if (visitor->source)
		sources_disconnect(&hall->sources, visitor->source);
	free(visitor);
}

static void close_visitor(struct visitor *visitor)
{
	laya_channel_close(visitor->channel);
	end_visitor(visitor);
}

static void refuse_offer(struct visitor *visitor, uint64_t id)
{
	const struct laya_message error = {
		.type = LAYA_MESSAGE_ERROR,
		.id = id,
		.code = LAYA_MESSAGE_ERROR_RATE_LIMITED,
	};

	laya_channel_send(visitor->channel, &error);
}

static void on_visitor_message(struct laya_channel *channel,
			       const struct laya_message *message, void *data)
{
	struct visitor *visitor = data;
	struct node *node = visitor->hall->node;

	(void)channel;
	if (message->type == LAYA_MESSAGE_OFFER &&
		 !bucket_take(&visitor->offers, &offers, node_now(node), 1))
		refuse_offer(visitor, message->id);
	else
		take_message(visitor->peer, message);
}

static void on_visitor_closed(struct laya_channel *channel, int error,
			      const char *reason, void *data)
{
	struct visitor *visitor = data;

	(void)channel;
	(void)error;
	if (visitor->peer)
		laya_info("%s: %s", peer_text(visitor->peer), reason);
	else
		laya_debug("signalling: %s", reason);
	end_visitor(visitor);
}

/* If it has called before, that channel is no good any more. */
static void welcome(struct visitor *visitor, struct signalling *signalling)
{
	const struct laya_message message = {
		.type = LAYA_MESSAGE_REGISTERED,
		.registered.observed =
			*laya_channel_remote_address(visitor->channel),
	};
	struct hall *hall = visitor->hall;
	struct peer *peer = signalling->peer;
	char text[LAYA_ADDRESS_TEXT_SIZE];

	if (signalling->visitor)
		close_visitor(signalling->visitor);
	TAILQ_REMOVE(&hall->pending, visitor, entry);
	hall->n_pending--;
	visitor->peer = peer;
	signalling->visitor = visitor;
	laya_channel_send(visitor->channel, &message);
	laya_address_format(text, &message.registered.observed);
	laya_info("%s: connected from %s", peer_text(peer), text);
	offer_courier_ready(peer, &hall->courier);
}

/* Who is no peer is told nothing. */
static void on_visitor_ready(struct laya_channel *channel, void *data)
{
	struct visitor *visitor = data;
	struct node *node = visitor->hall->node;
	const uint8_t *key = laya_channel_remote_key(channel);
	struct peer *peer = peer_find(node, key);
	struct signalling *signalling;

	signalling = peer && peer->configured ? signalling_of(peer) : NULL;
	if (signalling) {
		welcome(visitor, signalling);
		return;
	}
	laya_debug("signalling: a stranger is refused");
	node->strangers++;
	memcpy(node->stranger, key, LAYA_KEY_SIZE);
	close_visitor(visitor);
}

static const struct laya_channel_ops visitor_ops = {
	.ready = on_visitor_ready,
	.message = on_visitor_message,
	.closed = on_visitor_closed,
};

static struct visitor *visitor_new(struct hall *hall)
{
	struct visitor *visitor;

	if (hall->n_pending >= MAX_PENDING)
		close_visitor(TAILQ_FIRST(&hall->pending));
	visitor = calloc(1, sizeof(*visitor));
	if (!visitor)
		return NULL;
	visitor->hall = hall;
	TAILQ_INSERT_TAIL(&hall->pending, visitor, entry);
	hall->n_pending++;
	return visitor;
}

/**
 * signalling_take() - a channel that came to where attachments come in
 * @node: ours
 * @channel: it, ready; ours after this
 */
void signalling_take(struct node *node, struct laya_channel *channel)
{
	struct visitor *visitor = visitor_new(node->hall);

	if (!visitor) {
		laya_channel_close(channel);
		return;
	}
	visitor->channel = channel;
	laya_channel_hand_over(channel, &visitor_ops, visitor);
	on_visitor_ready(channel, visitor);
}

/* --- where they call --- */

static void take_channel(struct hall *hall,
			 const struct laya_accepted *accepted)
{
	struct node *node = hall->node;
	struct laya_channel_config config;
	struct visitor *visitor;
	struct source *source;
	int ret;

	source = sources_connect(&hall->sources, &accepted->remote, &arrivals,
				 MAX_FROM_ONE, node_now(node));
	visitor = source ? visitor_new(hall) : NULL;
	if (!visitor) {
		if (source)
			sources_disconnect(&hall->sources, source);
		close(accepted->fd);
		return;
	}
	visitor->source = source;
	laya_channel_config_server(&config, LAYA_PROLOGUE_SIGNAL,
				   node->self.private_key);
	ret = laya_channel_open(&visitor->channel, node->loop, &config,
				accepted->fd, NULL, &accepted->remote, NULL,
				&visitor_ops, visitor);
	sodium_memzero(&config, sizeof(config));
	if (ret)
		end_visitor(visitor);
}

static void on_accepted(struct laya_listener *listener,
			const struct laya_accepted *accepted, void *data)
{
	(void)listener;
	if (accepted->kind == LAYA_ACCEPTED_CHANNEL)
		take_channel(data, accepted);
	else
		close(accepted->fd);
}

static const struct laya_listener_ops listener_ops = {
	.accepted = on_accepted,
};

static void on_came(int fd, const struct laya_address *remote, void *data)
{
	struct hall *hall = data;

	(void)remote;
	laya_listener_take(hall->listener, fd);
}

static const struct laya_door_ops door_ops = {
	.came = on_came,
};

/**
 * signalling_shares_port() - does it listen where attachments come in
 * @node: ours
 *
 * Return: whether a SignalListen has the port of the forwarder that we are.
 */
bool signalling_shares_port(const struct node *node)
{
	size_t i;

	for (i = 0; i < node->config.n_listens; i++) {
		if (node_forwards(node) &&
		    node->config.listens[i].port == node->port)
			return true;
	}
	return false;
}

/**
 * signalling_is_at() - is it listened for at an address
 * @node: ours
 * @local: where a connection came in
 *
 * Return: whether a SignalListen says so.
 */
bool signalling_is_at(const struct node *node,
		      const struct laya_address *local)
{
	const struct laya_address *listen;
	size_t i;

	for (i = 0; i < node->config.n_listens; i++) {
		listen = &node->config.listens[i];
		if (laya_address_equal(listen, local) ||
		    (laya_address_is_any(listen) &&
		     listen->family == local->family &&
		     listen->port == local->port))
			return true;
	}
	return false;
}

/* All addresses, of both families or of the one that this machine has, any port */
static int open_any(struct hall *hall)
{
	struct laya_address address = { .family = AF_INET6 };
	int ret;

	ret = listener_open(hall->node, &hall->listener, &listener_ops, hall);
	if (ret)
		return ret;
	ret = laya_door_open(&hall->any, hall->node->loop, &address, true,
			     &door_ops, hall);
	if (ret == -EAFNOSUPPORT || ret == -EADDRNOTAVAIL) {
		address.family = AF_INET;
		ret = laya_door_open(&hall->any, hall->node->loop, &address,
				     false, &door_ops, hall);
	}
	if (ret)
		laya_error("LocalDiscovery: cannot listen: %s", strerror(-ret));
	return ret;
}

static int open_doors(struct hall *hall)
{
	const struct laya_config *config = &hall->node->config;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	size_t i;
	int ret;

	for (i = 0; i < config->n_listens; i++) {
		laya_address_format(text, &config->listens[i]);
		/* There it is attach.c's. */
		if (node_forwards(hall->node) &&
		    config->listens[i].port == hall->node->port)
			continue;
		if (!hall->listener) {
			ret = listener_open(hall->node, &hall->listener,
					    &listener_ops, hall);
			if (ret)
				return ret;
		}
		ret = laya_door_open(&hall->doors[hall->n_doors],
				     hall->node->loop, &config->listens[i],
				     false, &door_ops, hall);
		if (ret) {
			laya_error("SignalListen: cannot listen on %s: %s",
				   text, strerror(-ret));
			return ret;
		}
		hall->n_doors++;
		laya_info("peers may call at %s", text);
	}
	if (config->local_discovery && config->n_listens == 0)
		return open_any(hall);
	return 0;
}

/**
 * signalling_port() - where peers may call
 * @node: ours
 * @address: one of its addresses
 *
 * Return: the port there; 0 if there is none.
 */
uint16_t signalling_port(const struct node *node,
			 const struct laya_address *address)
{
	const struct hall *hall = node->hall;
	struct laya_address local = *address;
	size_t i;

	for (i = 0; i < node->config.n_listens; i++) {
		local.port = node->config.listens[i].port;
		if (signalling_is_at(node, &local))
			return local.port;
	}
	return hall->any ? laya_door_address(hall->any)->port : 0;
}

/**
 * signalling_start() - listen, and dial those that have an endpoint
 * @node: ours
 *
 * Return: 0, or a negative errno, which was logged.
 */
int signalling_start(struct node *node)
{
	struct hall *hall = calloc(1, sizeof(*hall));
	struct peer *peer;
	int ret;

	if (!hall)
		return -ENOMEM;
	ret = sources_init(&hall->sources, MAX_SOURCES);
	if (ret) {
		free(hall);
		return ret;
	}
	hall->node = node;
	TAILQ_INIT(&hall->pending);
	node->hall = hall;
	courier_add(node, &hall->courier, &courier_ops, hall);
	ret = open_doors(hall);
	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (!ret && peer->signalling)
			ret = dial(&peer->signalling->endpoint);
	}
	return ret;
}

/**
 * signalling_retry() - the network has changed: what failed may work now
 * @node: ours
 */
void signalling_retry(struct node *node)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &node->peers, entry)
		retry(peer);
}

/**
 * signalling_forget() - a peer is none any more
 * @peer: the peer
 */
void signalling_forget(struct peer *peer)
{
	struct signalling *signalling = peer->signalling;

	if (!signalling)
		return;
	if (signalling->visitor)
		close_visitor(signalling->visitor);
	if (signalling->endpoint.contact.timer)
		contact_end(&signalling->endpoint.contact);
	if (signalling->found.contact.timer)
		contact_end(&signalling->found.contact);
	free(signalling);
	peer->signalling = NULL;
}

/**
 * signalling_stop() - hang up
 * @node: ours
 */
void signalling_stop(struct node *node)
{
	struct hall *hall = node->hall;
	struct visitor *visitor;
	struct peer *peer;

	TAILQ_FOREACH(peer, &node->peers, entry)
		signalling_forget(peer);
	if (!hall)
		return;
	while ((visitor = TAILQ_FIRST(&hall->pending)))
		close_visitor(visitor);
	while (hall->n_doors > 0)
		laya_door_close(hall->doors[--hall->n_doors]);
	if (hall->any)
		laya_door_close(hall->any);
	if (hall->listener)
		laya_listener_close(hall->listener);
	sources_free(&hall->sources);
	TAILQ_REMOVE(&node->couriers, &hall->courier, entry);
	node->hall = NULL;
	free(hall);
}

/* --- for people --- */

static json_t *describe_line(const struct line *line, const char *how)
{
	const struct contact *contact = &line->contact;
	json_t *item;

	/* Once the handshake was done it had our key. */
	item = json_pack("{s:o, s:s, s:b}", "address",
			 json_sprintf(strchr(line->host, ':') ?
				      "[%s]:%u" : "%s:%u", line->host,
				      line->port),
			 "how", how, "connected", contact->up);
	if (contact->up)
		json_object_set_new(item, "transport", json_string(
			laya_transport_name(contact->transport)));
	else if (contact->refused)
		json_object_set_new(item, "failure", json_string(
			"it closes the connection: has its configuration a [Peer] with this node's key?"));
	else if (contact->failure[0] != '\0')
		json_object_set_new(item, "failure",
				    json_string(contact->failure));
	if (contact->evidence[0] != '\0')
		json_object_set_new(item, "evidence",
				    json_string(contact->evidence));
	return item;
}

/**
 * signalling_describe() - the channels with a peer
 * @peer: the peer
 *
 * Return: an array; see control.h.
 */
json_t *signalling_describe(const struct peer *peer)
{
	const struct signalling *signalling = peer->signalling;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	json_t *list = json_array();

	if (!signalling)
		return list;
	if (signalling->endpoint.host[0] != '\0')
		json_array_append_new(list, describe_line(&signalling->endpoint,
							  "Endpoint"));
	if (signalling->found.contact.timer)
		json_array_append_new(list, describe_line(&signalling->found,
							  "LocalDiscovery"));
	if (signalling->visitor) {
		laya_address_format(text, laya_channel_remote_address(
					    signalling->visitor->channel));
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:b}", "address",
						text, "how", "called",
						"connected", 1));
	}
	return list;
}
