// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "answer.h"
#include "attach.h"
#include "carriers.h"
#include "channel.h"
#include "control_port.h"
#include "door.h"
#include "forwarder.h"
#include "gateway.h"
#include "kernel.h"
#include "limit.h"
#include "listener.h"
#include "log.h"
#include "outside.h"
#include "signalling.h"
#include "trunking.h"

#define LABEL_LIFE_S		180
#define CARE_MS			20000
/* How long the addresses of a host are dialled that it asked about */
#define ASKED_MS		5000
#define MAX_LABELS_EACH		256
#define MAX_LABELS		262144
#define MAX_CONNECTIONS		1024
/* Of one IPv4 address, or one IPv6 /64; a NAT may have many hosts behind it */
#define MAX_FROM_ONE		64
/* Hosts, likewise, that are nobody's peers: a whole village may be behind a NAT */
#define MAX_HOSTS_OF_ONE	256
/* Carriers of one who may not be a stranger; who is none opens one or two */
#define MAX_CARRIERS_OF_PEER	16
/* Offers on one connection: each costs four Diffie-Hellman */
#define MAX_OFFERS		16
/* By couriers, of all together: so many at once, then one each so often */
#define MAX_COURIER_OFFERS	64
#define COURIER_OFFER_MS	100
/* Between two offers that are carried to one host for one other */
#define CARRY_MS		300
/* Of strangers: 100 Mbit/s for each label, unless ForwardRate says more */
#define PUBLIC_RATE		12500000
#define MIN_BURST		262144

/**
 * struct issued - a label that we gave out
 * @label: the label
 * @for_key: who was given it
 * @carried: when an offer of his was carried last
 */
struct issued {
	uint8_t label[LAYA_LABEL_SIZE];
	uint8_t for_key[LAYA_KEY_SIZE];
	uint64_t carried;
};

/**
 * struct attachment - a node that we forward for
 * @peer: the node
 * @labels: its labels
 * @n_labels: how many
 * @source: from where it came, by a channel; NULL for one that is our peer
 * @renewed: when it was last heard of here
 * @inside: it is in a network that we are the gateway of
 * @asked: when it asked what reaches it, and had dialled what it told; or 0
 * @trunks: to other forwarders that it uses, and has had dialled
 */
struct attachment {
	struct peer *peer;
	struct issued *labels;
	size_t n_labels;
	struct source *source;
	uint64_t renewed;
	bool inside;
	uint64_t asked;
	struct laya_trunk_host trunks;
};

/**
 * struct connection - a channel that came in
 * @entry: in attach->connections
 * @attach: ours
 * @channel: the channel
 * @source: from where
 * @offers: that it has made
 * @inside: it came from a network that we are the gateway of
 * @carries: the last offer of it that was carried to a host of ours
 * @carried_to: that host
 */
struct connection {
	TAILQ_ENTRY(connection) entry;
	struct attach *attach;
	struct laya_channel *channel;
	struct source *source;
	unsigned int offers;
	bool inside;
	uint64_t carries;
	uint8_t carried_to[LAYA_KEY_SIZE];
};

struct attach {
	struct node *node;
	struct laya_door *door;
	struct laya_listener *listener;
	struct carriers *carriers;
	TAILQ_HEAD(, connection) connections;
	unsigned int n_connections;
	unsigned int n_attachments;
	size_t n_labels;
	struct sources callers;		/* where connections come from */
	struct sources hosts;		/* where attached strangers came from */
	struct timer *care;
	unsigned int courier_left;	/* offers that couriers may still bring */
	uint64_t courier_at;		/* when there were more last */
};

/* New connections, and new hosts, of one source */
static const struct rate arrivals = { .per_second = 10, .burst = 64 };

static unsigned int max_attachments(const struct node *node)
{
	return node->config.forward_hosts ?: LAYA_CONFIG_HOSTS;
}

/* Percent: how near the end is */
static uint32_t load(const struct node *node)
{
	const struct attach *attach = node->attach;
	uint32_t hosts = attach->n_attachments * 100 / max_attachments(node);
	uint32_t labels = attach->n_labels * 100 / MAX_LABELS;

	return hosts > labels ? hosts : labels;
}

/* @from: where it came from; NULL if that is not known, or is no matter */
static struct attachment *attachment_new(struct node *node, struct peer *peer,
					 const struct laya_address *from)
{
	struct attachment *attachment;

	if (node->attach->n_attachments >= max_attachments(node))
		return NULL;
	attachment = calloc(1, sizeof(*attachment));
	if (!attachment)
		return NULL;
	if (from) {
		attachment->source =
			sources_connect(&node->attach->hosts, from, &arrivals,
					MAX_HOSTS_OF_ONE, node_now(node));
		if (!attachment->source) {
			free(attachment);
			return NULL;
		}
	}
	attachment->peer = peer;
	attachment->renewed = node_now(node);
	peer->attachment = attachment;
	node->attach->n_attachments++;
	return attachment;
}

static void attachment_free(struct node *node, struct peer *peer)
{
	trunking_host_gone(peer);
	node->attach->n_attachments--;
	node->attach->n_labels -= peer->attachment->n_labels;
	if (peer->attachment->source)
		sources_disconnect(&node->attach->hosts,
				   peer->attachment->source);
	free(peer->attachment->labels);
	free(peer->attachment);
	peer->attachment = NULL;
}

/**
 * attach_is_inside() - is it a host of ours
 * @peer: who
 *
 * Return: whether it is attached to us because we are its gateway.
 */
bool attach_is_inside(const struct peer *peer)
{
	return peer->attachment && peer->attachment->inside;
}

/**
 * attach_may_ask() - may a host have its addresses dialled
 * @peer: who; attached
 *
 * Return: whether it may; then it has asked, and may again when that is done with.
 */
bool attach_may_ask(struct peer *peer)
{
	if (peer->attachment->asked)
		return false;
	peer->attachment->asked = node_now(peer->node);
	return true;
}

/**
 * attach_trunks() - what a host has had of trunks
 * @peer: the host
 *
 * Return: that, or NULL of who is not attached.
 */
struct laya_trunk_host *attach_trunks(struct peer *peer)
{
	return peer->attachment ? &peer->attachment->trunks : NULL;
}

/**
 * attach_end() - an attachment is over
 * @peer: whose; perhaps gone after this
 * @reason: why, for people
 */
void attach_end(struct peer *peer, const char *reason)
{
	struct attachment *attachment = peer->attachment;
	struct node *node = peer->node;
	size_t i;

	laya_info("attachment of %s ends: %s", peer_text(peer), reason);
	/* The kernel drops them with the peer, but that may stay. */
	for (i = 0; i < attachment->n_labels; i++)
		kernel_label_del(node, attachment->labels[i].label);
	attachment_free(node, peer);
	peer_release(peer);
}

static void on_care(void *data)
{
	struct attach *attach = data;
	struct node *node = attach->node;
	struct peer *peer;
	struct peer *next;
	uint64_t since;
	int64_t heard;

	for (peer = TAILQ_FIRST(&node->peers); peer; peer = next) {
		next = TAILQ_NEXT(peer, entry);
		if (!peer->attachment)
			continue;
		if (peer->attachment->asked &&
		    node_now(node) - peer->attachment->asked >= ASKED_MS) {
			peer->attachment->asked = 0;
			outside_done(peer);
		}
		since = node_now(node) - peer->attachment->renewed;
		if (since < LABEL_LIFE_S * 1000)
			continue;
		heard = kernel_last_rx_ms(peer);
		if (heard < 0 || heard >= LABEL_LIFE_S * 1000)
			attach_end(peer, "nothing was heard of it for too long");
	}
	trunking_care(node);
	carriers_care(attach->carriers);
	timer_start(attach->care, CARE_MS);
}

static struct issued *find_issued(const struct attachment *attachment,
				  const uint8_t *for_key)
{
	size_t i;

	for (i = 0; i < attachment->n_labels; i++) {
		if (laya_key_equal(attachment->labels[i].for_key, for_key))
			return &attachment->labels[i];
	}
	return NULL;
}

static struct issued *issue(struct attachment *attachment,
			    const uint8_t *for_key)
{
	struct attach *attach = attachment->peer->node->attach;
	struct issued *labels = find_issued(attachment, for_key);

	if (labels)
		return labels;
	if (attachment->n_labels == MAX_LABELS_EACH ||
	    attach->n_labels == MAX_LABELS)
		return NULL;
	labels = reallocarray(attachment->labels, attachment->n_labels + 1,
			      sizeof(*labels));
	if (!labels)
		return NULL;
	attachment->labels = labels;
	labels += attachment->n_labels++;
	attach->n_labels++;
	labels->carried = 0;
	memcpy(labels->for_key, for_key, LAYA_KEY_SIZE);
	randombytes_buf(labels->label, LAYA_LABEL_SIZE);
	return labels;
}

static int forward(struct peer *peer, const uint8_t *label,
		   const uint8_t *for_key, bool bound)
{
	struct node *node = peer->node;
	uint64_t rate = node->config.forward_rate;
	uint64_t burst;

	if (rate == 0 && node_is_relay(node))
		rate = PUBLIC_RATE;
	burst = rate / 10;
	if (burst < MIN_BURST)
		burst = MIN_BURST;
	if (burst > UINT32_MAX)
		burst = UINT32_MAX;
	return kernel_label_new(peer, label, for_key, rate, rate ? burst : 0,
				LABEL_LIFE_S * 1000, bound);
}

static int set_in_kernel(struct peer *peer, const struct issued *issued)
{
	return forward(peer, issued->label, issued->for_key, false);
}

/**
 * attach_label_bound() - forward from one host alone
 * @to: to whom
 * @label: what it sends with
 * @user: the host, which is attached
 *
 * Return: 0; -EEXIST for a label that is another's; another negative errno, which
 * was logged.
 */
int attach_label_bound(struct peer *to, const uint8_t label[LAYA_LABEL_SIZE],
		       const struct peer *user)
{
	return forward(to, label, user->handshake.key, true);
}

static void unissue(struct attachment *attachment, struct issued *issued)
{
	*issued = attachment->labels[--attachment->n_labels];
	attachment->peer->node->attach->n_labels--;
}

static void tell_addresses(struct node *node, struct laya_addresses *out)
{
	struct laya_address address;
	unsigned int i;

	/* Where they dialled us, they know; here is what else there is. */
	memset(&address, 0, sizeof(address));
	address.family = AF_INET;
	address.port = node->port;
	out->n = 0;
	out->list[out->n++] = address;
	for (i = 0; i < node->locals.n && out->n < LAYA_MAX_ADDRESSES; i++) {
		if (node->locals.list[i].link_local ||
		    laya_address_is_private(&node->locals.list[i].address))
			continue;
		address = node->locals.list[i].address;
		address.port = node->port;
		out->list[out->n++] = address;
	}
}

/**
 * attach_label_request() - somebody wants labels
 * @peer: who
 * @request: LABEL_REQUEST
 * @reply: where to put the answer
 *
 * Return: 0; -EPERM for who is not attached; -EBUSY if there are no more
 * labels.
 */
int attach_label_request(struct peer *peer, const struct laya_message *request,
			 struct laya_message *reply)
{
	struct attachment *attachment = peer->attachment;
	struct issued *issued;
	struct laya_label *out;
	unsigned int tries;
	unsigned int i;
	int ret;

	if (!attachment)
		return -EPERM;
	attachment->renewed = node_now(peer->node);
	memset(reply, 0, sizeof(*reply));
	reply->type = LAYA_MESSAGE_LABELS;
	reply->id = request->id;
	for (i = 0; i < request->label_request.n; i++) {
		issued = issue(attachment, request->label_request.keys[i]);
		if (!issued) {
			laya_debug("%s: has all the labels that it may have",
				   peer_text(peer));
			break;
		}
		ret = set_in_kernel(peer, issued);
		/* 48 random bits that are another's already */
		for (tries = 0; ret == -EEXIST && tries < 3; tries++) {
			randombytes_buf(issued->label, LAYA_LABEL_SIZE);
			ret = set_in_kernel(peer, issued);
		}
		if (ret) {
			unissue(attachment, issued);
			break;
		}
		out = &reply->labels.list[reply->labels.n++];
		memcpy(out->key, issued->for_key, LAYA_KEY_SIZE);
		memcpy(out->label, issued->label, LAYA_LABEL_SIZE);
	}
	reply->labels.lifetime = LABEL_LIFE_S;
	reply->labels.load = load(peer->node);
	if (attachment->inside) {
		gateway_outside(peer->node, &reply->labels.addresses);
		/* And soon of the ways over those above us */
		node_candidates_changed(peer->node);
	} else {
		tell_addresses(peer->node, &reply->labels.addresses);
	}
	return i > 0 && reply->labels.n == 0 ? -EBUSY : 0;
}

/**
 * attach_label_release() - somebody wants labels no more
 * @peer: who
 * @message: LABEL_RELEASE
 */
void attach_label_release(struct peer *peer,
			  const struct laya_message *message)
{
	struct attachment *attachment = peer->attachment;
	unsigned int i;
	size_t j;

	if (!attachment)
		return;
	for (i = 0; i < message->label_release.n; i++) {
		if (trunking_release(peer, message->label_release.labels[i]))
			continue;
		for (j = 0; j < attachment->n_labels; j++) {
			if (memcmp(attachment->labels[j].label,
				   message->label_release.labels[i],
				   LAYA_LABEL_SIZE) != 0)
				continue;
			kernel_label_del(peer->node,
					 attachment->labels[j].label);
			unissue(attachment, &attachment->labels[j]);
			break;
		}
	}
}

static void end_connection(struct connection *connection)
{
	struct attach *attach = connection->attach;

	TAILQ_REMOVE(&attach->connections, connection, entry);
	attach->n_connections--;
	sources_disconnect(&attach->callers, connection->source);
	free(connection);
}

static void on_ready(struct laya_channel *channel, void *data)
{
	struct connection *connection = data;
	struct node *node = connection->attach->node;
	struct peer *peer = peer_find(node, laya_channel_remote_key(channel));
	bool known = peer && peer->configured;

	if (!strcmp(laya_channel_prologue(channel), LAYA_PROLOGUE_SIGNAL)) {
		end_connection(connection);
		signalling_take(node, channel);
		return;
	}
	/* Who may not attach is told nothing. */
	if (node_is_relay(node) ||
	    (connection->inside &&
	     gateway_admits(node, laya_channel_remote_key(channel))) ||
	    (known && node->config.forward == LAYA_FORWARD_PEERS))
		return;
	laya_debug("a stranger wants to attach");
	laya_channel_close(channel);
	end_connection(connection);
}

/* Return: 0, or the code of an error to answer with. */
static int take_offer(struct node *node, const struct laya_message *message,
		      const struct origin *origin, const uint8_t *key,
		      bool inside)
{
	struct peer *peer = peer_find(node, key);
	const struct laya_address *from;
	bool fresh = false;
	int ret;

	/* What hosts have named is no reason to refuse it itself. */
	if (peer && peer->forwarder && peer->forwarder->trunk) {
		forwarder_lost(peer->forwarder, "it attaches itself to us");
		peer = peer_find(node, key);
	}
	/* Two labels could not tell such a circle. */
	if (peer && peer->forwarder)
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	if (!peer)
		peer = peer_new(node, &node->self, key, NULL);
	if (peer && !peer->attachment) {
		fresh = true;
		from = origin->channel && !peer->configured ?
		       laya_channel_remote_address(origin->channel) : NULL;
		if (!attachment_new(node, peer, from)) {
			laya_debug("no room for the attachment of %s: there are %u",
				   peer_text(peer),
				   node->attach->n_attachments);
			peer_release(peer);
			return LAYA_MESSAGE_ERROR_RATE_LIMITED;
		}
	}
	if (!peer)
		return 0;
	peer->attachment->inside = inside;
	ret = answer_offer(node, message, origin, key);
	if (fresh && !peer->session) {
		attachment_free(node, peer);
		peer_release(peer);
		return 0;
	}
	if (!ret)
		peer->attachment->renewed = node_now(node);
	if (fresh) {
		laya_info("%s attached itself to this node", peer_text(peer));
		if (inside)
			forwarder_peers_changed(node);
	}
	return 0;
}

static void handle_offer(struct connection *connection,
			 const struct laya_message *message)
{
	struct laya_channel *channel = connection->channel;
	const struct origin origin = {
		.via = VIA_CHANNEL,
		.channel = channel,
	};
	struct laya_message error = {
		.type = LAYA_MESSAGE_ERROR,
		.id = message->id,
	};

	error.code = ++connection->offers > MAX_OFFERS ?
		     LAYA_MESSAGE_ERROR_RATE_LIMITED :
		     take_offer(connection->attach->node, message, &origin,
				laya_channel_remote_key(channel),
				connection->inside);
	if (error.code)
		laya_channel_send(channel, &error);
}

/* Each costs four Diffie-Hellman, and a courier may carry anybody's. */
static bool may_offer_by_courier(struct attach *attach)
{
	uint64_t now = node_now(attach->node);
	uint64_t more = (now - attach->courier_at) / COURIER_OFFER_MS;

	if (more > 0) {
		attach->courier_left = more > MAX_COURIER_OFFERS -
				       attach->courier_left ?
				       MAX_COURIER_OFFERS :
				       attach->courier_left + more;
		attach->courier_at = now;
	}
	if (attach->courier_left == 0)
		return false;
	attach->courier_left--;
	return true;
}

/**
 * attach_by_courier() - an offer came that may be of who wants to attach
 * @node: ours
 * @message: the offer
 * @origin: how it came; who it is of is only claimed
 *
 * A host that no stream leads out of reaches a public relay so.
 *
 * Return: whether it was dealt with; else it is a peer's, or nobody's.
 */
bool attach_by_courier(struct node *node, const struct laya_message *message,
		       const struct origin *origin)
{
	const struct peer *peer = peer_find(node, message->sealed.key);

	if (!node_is_relay(node) || !node->attach ||
	    (peer && peer->configured) ||
	    laya_key_equal(message->sealed.key, node->self.public_key))
		return false;
	if (may_offer_by_courier(node->attach))
		take_offer(node, message, origin, message->sealed.key, false);
	else
		laya_debug("more want to attach by rendezvous than may");
	return true;
}

/* Return: 0, or the code of an error to answer with. */
static int carry_offer(struct connection *connection,
		       const struct laya_message *message, const uint8_t *from)
{
	struct node *node = connection->attach->node;
	struct peer *to = peer_find(node, message->sealed.key);
	struct laya_message out = *message;
	struct issued *issued;

	/* A label for somebody says that he is welcome. */
	issued = to && to->attachment && !to->attachment->inside ?
		 find_issued(to->attachment, from) : NULL;
	if (!issued)
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	if (++connection->offers > MAX_OFFERS ||
	    node_now(node) - issued->carried < CARRY_MS)
		return LAYA_MESSAGE_ERROR_RATE_LIMITED;
	issued->carried = node_now(node);
	memcpy(out.sealed.key, from, LAYA_KEY_SIZE);
	if (control_port_send(to, &out))
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	laya_debug("%s: an offer is carried to it", peer_text(to));
	connection->carries = message->id;
	memcpy(connection->carried_to, to->handshake.key, LAYA_KEY_SIZE);
	return 0;
}

/* From who is no host of ours, or not as one, to who is. */
static void carry(struct connection *connection,
		  const struct laya_message *message)
{
	const uint8_t *from = laya_channel_remote_key(connection->channel);
	struct laya_message error = {
		.type = LAYA_MESSAGE_ERROR,
		.id = message->id,
	};
	struct laya_message out = *message;
	struct peer *to;

	if (message->type == LAYA_MESSAGE_OFFER) {
		error.code = carry_offer(connection, message, from);
		if (error.code)
			laya_channel_send(connection->channel, &error);
		return;
	}
	to = peer_find(connection->attach->node, connection->carried_to);
	if (!to || !to->attachment || message->id != connection->carries ||
	    !laya_key_equal(message->sealed.key, connection->carried_to))
		return;
	/* Once: it is the last word. */
	memset(connection->carried_to, 0, LAYA_KEY_SIZE);
	memcpy(out.sealed.key, from, LAYA_KEY_SIZE);
	control_port_send(to, &out);
}

/**
 * attach_carry_back() - a host of ours answers an offer that we have carried
 * @peer: the host
 * @message: ANSWER
 *
 * Return: whether it is that; else it is an answer to us.
 */
bool attach_carry_back(struct peer *peer, const struct laya_message *message)
{
	struct attach *attach = peer->node->attach;
	struct laya_message out = *message;
	struct connection *connection;

	if (!attach || !peer->attachment ||
	    laya_key_equal(message->sealed.key, peer->self->public_key))
		return false;
	memcpy(out.sealed.key, peer->handshake.key, LAYA_KEY_SIZE);
	TAILQ_FOREACH(connection, &attach->connections, entry) {
		const uint8_t *key =
			laya_channel_remote_key(connection->channel);

		if (key && laya_key_equal(key, message->sealed.key) &&
		    connection->carries == message->id &&
		    laya_key_equal(connection->carried_to,
				   peer->handshake.key))
			laya_channel_send(connection->channel, &out);
	}
	return true;
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct connection *connection = data;
	struct node *node = connection->attach->node;
	const uint8_t *key = laya_channel_remote_key(channel);
	struct peer *peer = peer_find(node, key);
	struct laya_message reply;
	const struct origin origin = {
		.via = VIA_CHANNEL,
		.channel = channel,
	};

	switch (message->type) {
	case LAYA_MESSAGE_OFFER:
		if (laya_key_equal(message->sealed.key, node->self.public_key))
			handle_offer(connection, message);
		else
			carry(connection, message);
		return;
	case LAYA_MESSAGE_FOLLOWUP:
		if (!laya_key_equal(message->sealed.key,
				    node->self.public_key)) {
			carry(connection, message);
			return;
		}
		answer_followup(node, message, &origin, key);
		return;
	case LAYA_MESSAGE_LABEL_REQUEST:
		if (peer && !attach_label_request(peer, message, &reply)) {
			laya_channel_send(channel, &reply);
			return;
		}
		reply = (struct laya_message){
			.type = LAYA_MESSAGE_ERROR,
			.id = message->id,
			.code = LAYA_MESSAGE_ERROR_RATE_LIMITED,
		};
		laya_channel_send(channel, &reply);
		return;
	case LAYA_MESSAGE_LABEL_RELEASE:
		if (peer)
			attach_label_release(peer, message);
		return;
	default:
		laya_debug("%s is not for a forwarder; connection closed",
			   laya_message_type_name(message->type));
		laya_channel_close(channel);
		end_connection(connection);
		return;
	}
}

/* By who looks for a gateway */
static bool on_asked(struct laya_channel *channel, void *data)
{
	const struct connection *connection = data;

	(void)channel;
	return connection->inside;
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	(void)channel;
	(void)error;
	laya_debug("attaching: %s", reason);
	end_connection(data);
}

static const struct laya_channel_ops ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
	.asked = on_asked,
};

static void take_channel(struct attach *attach,
			 const struct laya_accepted *accepted, bool inside)
{
	struct node *node = attach->node;
	struct laya_channel_config config;
	struct connection *connection;
	int ret;

	/* The oldest makes room: attaching takes a few round trips. */
	if (attach->n_connections >= MAX_CONNECTIONS) {
		connection = TAILQ_FIRST(&attach->connections);
		laya_channel_close(connection->channel);
		end_connection(connection);
	}
	connection = calloc(1, sizeof(*connection));
	if (!connection) {
		close(accepted->fd);
		return;
	}
	connection->attach = attach;
	connection->inside = inside;
	connection->source = sources_connect(&attach->callers,
					     &accepted->remote, &arrivals,
					     MAX_FROM_ONE, node_now(node));
	if (!connection->source) {
		close(accepted->fd);
		free(connection);
		return;
	}
	laya_channel_config_server(&config, LAYA_PROLOGUE_ATTACH,
				   node->self.private_key);
	if (signalling_is_at(node, &accepted->local))
		config.other_prologue = LAYA_PROLOGUE_SIGNAL;
	ret = laya_channel_open(&connection->channel, node->loop, &config,
				accepted->fd, NULL, &accepted->remote, NULL,
				&ops, connection);
	sodium_memzero(&config, sizeof(config));
	if (ret) {
		sources_disconnect(&attach->callers, connection->source);
		free(connection);
		return;
	}
	TAILQ_INSERT_TAIL(&attach->connections, connection, entry);
	attach->n_connections++;
}

/* A pump ends by itself when the other end of what it pumps is closed. */
static void on_accepted(struct laya_listener *listener,
			const struct laya_accepted *accepted, void *data)
{
	struct attach *attach = data;
	struct node *node = attach->node;
	bool inside = gateway_is_inside(node, &accepted->remote);

	(void)listener;
	if (accepted->kind == LAYA_ACCEPTED_CHANNEL)
		take_channel(attach, accepted, inside);
	else if (node->config.forward == LAYA_FORWARD_NO && !inside)
		close(accepted->fd);
	else
		carriers_take(attach->carriers, accepted,
			      inside || node_is_relay(node) ?
			      MAX_FROM_ONE : MAX_CARRIERS_OF_PEER);
}

static const struct laya_listener_ops listener_ops = {
	.accepted = on_accepted,
};

/* From outside a gateway not even a web server is seen. */
static void on_came(int fd, const struct laya_address *remote, void *data)
{
	struct attach *attach = data;
	struct node *node = attach->node;

	if (node->config.forward == LAYA_FORWARD_NO &&
	    !gateway_is_inside(node, remote) && !signalling_shares_port(node))
		close(fd);
	else
		laya_listener_take(attach->listener, fd);
}

static void on_resting(void *data)
{
	(void)data;
	laya_warning("no file descriptors or no memory: accepting pauses");
}

static const struct laya_door_ops door_ops = {
	.came = on_came,
	.resting = on_resting,
};

/* Both families, or what this machine has */
static int open_door(struct attach *attach)
{
	struct node *node = attach->node;
	struct laya_address address = {
		.family = AF_INET6,
		.port = node->port,
	};
	int ret;

	ret = laya_door_open(&attach->door, node->loop, &address, true,
			     &door_ops, attach);
	if (ret == -EAFNOSUPPORT || ret == -EADDRNOTAVAIL) {
		address.family = AF_INET;
		ret = laya_door_open(&attach->door, node->loop, &address,
				     false, &door_ops, attach);
	}
	if (ret)
		laya_error("cannot listen on TCP port %u, where attachments come in: %s; set ListenPort to one that is free",
			   node->port, strerror(-ret));
	return ret;
}

/**
 * attach_start() - take attachments, if the configuration says so
 * @node: ours
 *
 * Return: 0, or a negative errno, which was logged.
 */
int attach_start(struct node *node)
{
	struct attach *attach;
	int ret;

	if (!node_forwards(node))
		return 0;
	attach = calloc(1, sizeof(*attach));
	if (!attach)
		return -ENOMEM;
	attach->node = node;
	TAILQ_INIT(&attach->connections);
	node->attach = attach;
	attach->care = timer_new(node->loop, on_care, attach);
	attach->carriers = carriers_new(node);
	if (!attach->care || !attach->carriers ||
	    sources_init(&attach->callers, 4 * MAX_CONNECTIONS) ||
	    sources_init(&attach->hosts, 2 * (size_t)max_attachments(node)))
		return -ENOMEM;
	ret = trunking_start(node);
	if (ret)
		return ret;
	ret = listener_open(node, &attach->listener, &listener_ops, attach);
	if (!ret)
		ret = open_door(attach);
	if (ret)
		return ret;
	laya_info("taking attachments of %s on port %u, TCP and UDP",
		  node_is_relay(node) ? "everybody" :
		  !node->config.gateway ? "peers" :
		  node->config.forward == LAYA_FORWARD_NO ?
		  "the networks inside" : "peers and the networks inside",
		  node->port);
	timer_start(attach->care, CARE_MS);
	return 0;
}

/**
 * attach_carrier_lost() - the kernel says that a stream carrier is over
 * @node: ours
 * @carrier_id: which
 *
 * Return: whether it was one that somebody opened to us.
 */
bool attach_carrier_lost(struct node *node, uint32_t carrier_id)
{
	return node->attach &&
	       carriers_lost(node->attach->carriers, carrier_id);
}

/**
 * attach_adopt() - one that was attached before a restart
 * @node: ours
 * @peer: who
 */
void attach_adopt(struct node *node, struct peer *peer)
{
	if (peer->attachment || !attachment_new(node, peer, NULL))
		return;
	peer->attachment->inside = node->config.gateway &&
				   !node_is_relay(node) && !peer->configured;
}

/**
 * attach_adopt_label() - one that was given out before a restart
 * @node: ours
 * @label: as the kernel has it
 */
void attach_adopt_label(struct node *node, const struct laya_nl_label *label)
{
	struct peer *peer = peer_find(node, label->public_key);
	struct issued *issued;

	if (!peer || !peer->attachment)
		return;
	issued = issue(peer->attachment, label->for_key);
	if (issued)
		memcpy(issued->label, label->label, LAYA_LABEL_SIZE);
}

/**
 * attach_count() - for people
 * @node: ours
 * @labels: where to put how many labels there are
 *
 * Return: how many are attached.
 */
unsigned int attach_count(const struct node *node, unsigned int *labels)
{
	*labels = node->attach ? node->attach->n_labels : 0;
	return node->attach ? node->attach->n_attachments : 0;
}

/**
 * attach_stop() - take no more; what is attached stays in the kernel
 * @node: ours
 */
void attach_stop(struct node *node)
{
	struct attach *attach = node->attach;
	struct connection *connection;
	struct peer *peer;

	if (!attach)
		return;
	while ((connection = TAILQ_FIRST(&attach->connections))) {
		laya_channel_close(connection->channel);
		end_connection(connection);
	}
	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (peer->attachment)
			attachment_free(node, peer);
	}
	if (attach->door)
		laya_door_close(attach->door);
	if (attach->listener)
		laya_listener_close(attach->listener);
	if (attach->carriers)
		carriers_free(attach->carriers);
	timer_free(attach->care);
	if (attach->callers.chains)
		sources_free(&attach->callers);
	if (attach->hosts.chains)
		sources_free(&attach->hosts);
	node->attach = NULL;
	free(attach);
}
