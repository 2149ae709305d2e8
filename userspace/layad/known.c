// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "answer.h"
#include "control_port.h"
#include "courier.h"
#include "forwarder.h"
#include "known.h"
#include "log.h"
#include "offer.h"
#include "peer.h"
#include "reach.h"
#include "rendezvous.h"

/* How long a rendezvous that is there may take before forwarders are asked too */
#define PATIENCE_MS	1500
/* From the first byte to the last of a handshake, and some repetitions */
#define CALL_MS		20000
#define MAX_CALLS	64
#define SAVE_MS		2000
/* Whoever has not told anything for so long is somewhere else. */
#define LIFE_S		(90 * 24 * 3600)
/* Of the file: more is read over */
#define MAX_FORWARDERS	8

/**
 * struct call - a connection to where a peer was
 * @entry: in known_state->calls
 * @peer: for whose sake
 * @place: where it leads
 * @reach: while it is being connected
 * @channel: or NULL
 * @timer: ends it
 */
struct call {
	TAILQ_ENTRY(call) entry;
	struct peer *peer;
	struct known_place place;
	struct reach *reach;
	struct laya_channel *channel;
	struct timer *timer;
};

/**
 * struct known_state - of the node
 * @node: ours
 * @courier: what we are to offers
 * @calls: connections that there are
 * @n_calls: how many
 * @patience: looks whether forwarders are to be asked
 * @save: writes the file
 */
struct known_state {
	struct node *node;
	struct courier courier;
	TAILQ_HEAD(, call) calls;
	unsigned int n_calls;
	struct timer *patience;
	struct timer *save;
};

static bool same_place(const struct known_place *a, const struct known_place *b)
{
	return laya_address_equal(&a->address, &b->address) &&
	       laya_key_equal(a->forwarder, b->forwarder);
}

static void end_call(struct call *call)
{
	struct known_state *state = call->peer->node->known;

	TAILQ_REMOVE(&state->calls, call, entry);
	state->n_calls--;
	reach_end(call->reach);
	if (call->channel)
		laya_channel_close(call->channel);
	timer_free(call->timer);
	free(call);
}

static void call_failed(struct call *call, const char *reason)
{
	struct known_state *state = call->peer->node->known;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct peer *peer = call->peer;

	laya_address_format(text, &call->place.address);
	laya_debug("%s: not asked for at the forwarder %s: %s",
		   peer_text(peer), text, reason);
	end_call(call);
	offer_courier_lost(peer, &state->courier);
}

static void on_call_timer(void *data)
{
	end_call(data);
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct call *call = data;
	struct node *node = call->peer->node;
	const struct origin origin = {
		.via = VIA_COURIER,
		.courier = &node->known->courier,
	};

	(void)channel;
	switch (message->type) {
	case LAYA_MESSAGE_ANSWER:
		offer_answered(node, message, &origin, message->sealed.key);
		break;
	case LAYA_MESSAGE_ERROR:
		offer_refused(node, message, &origin);
		break;
	default:
		break;
	}
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	struct call *call = data;

	(void)channel;
	(void)error;
	call->channel = NULL;
	call_failed(call, reason);
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
	struct call *call = data;

	(void)way;
	(void)address;
	(void)evidence;
	call->reach = NULL;
	call->channel = channel;
	laya_channel_hand_over(channel, &channel_ops, call);
	offer_courier_ready(call->peer, &call->peer->node->known->courier);
}

static void on_unreached(const char *reason, void *data)
{
	struct call *call = data;

	call->reach = NULL;
	call_failed(call, reason);
}

static const struct reach_ops reach_ops = {
	.ready = on_reached,
	.failed = on_unreached,
};

static bool is_called(const struct known_state *state, const struct peer *peer,
		      const struct known_place *place)
{
	const struct call *call;

	TAILQ_FOREACH(call, &state->calls, entry) {
		if (call->peer == peer && same_place(&call->place, place))
			return true;
	}
	return false;
}

static void begin_call(struct known_state *state, struct peer *peer,
		       const struct known_place *place)
{
	struct node *node = state->node;
	struct reach_target target = {
		.port = place->address.port,
		.key = place->forwarder,
		.prologue = LAYA_PROLOGUE_ATTACH,
	};
	char host[INET6_ADDRSTRLEN];
	struct call *call;

	if (state->n_calls == MAX_CALLS || is_called(state, peer, place) ||
	    laya_key_equal(place->forwarder, node->self.public_key) ||
	    uv_inet_ntop(place->address.family, place->address.addr, host,
			 sizeof(host)))
		return;
	call = calloc(1, sizeof(*call));
	if (!call)
		return;
	call->peer = peer;
	call->place = *place;
	call->timer = timer_new(node->loop, on_call_timer, call);
	target.host = host;
	if (!call->timer ||
	    reach_begin(&call->reach, node, &target, node->self.private_key,
			&reach_ops, call)) {
		timer_free(call->timer);
		free(call);
		return;
	}
	timer_start(call->timer, CALL_MS);
	TAILQ_INSERT_TAIL(&state->calls, call, entry);
	state->n_calls++;
}

/* All whose offers have found nobody yet */
static void on_patience(void *data)
{
	struct known_state *state = data;
	struct node *node = state->node;
	struct peer *peer;
	unsigned int i;

	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (peer->offer.phase == OFFER_NONE ||
		    peer->offer.via != VIA_COURIER)
			continue;
		for (i = 0; i < peer->known.n; i++) {
			if (locals_have_family(&node->locals,
					       peer->known.list[i].address.family))
				begin_call(state, peer, &peer->known.list[i]);
		}
	}
}

static enum courier_state courier_state_of(const struct courier *courier,
					   const struct peer *peer)
{
	const struct known_state *state = courier->owner;
	enum courier_state best = COURIER_NONE;
	const struct call *call;

	if (!peer->configured)
		return COURIER_NONE;
	if (peer->known.n > 0)
		best = COURIER_DOWN;
	TAILQ_FOREACH(call, &state->calls, entry) {
		if (call->peer != peer)
			continue;
		if (call->channel)
			return COURIER_READY;
		best = COURIER_TRYING;
	}
	return best;
}

/* Its offer came in our session with a forwarder: there goes the answer. */
static int send_back(struct peer *peer, const struct laya_message *message)
{
	struct peer *forwarder;

	if (!peer->known.have_by)
		return -ENOTCONN;
	forwarder = peer_find(peer->node, peer->known.by);
	if (!forwarder || !forwarder->forwarder)
		return -ENOTCONN;
	return control_port_send(forwarder, message);
}

static int send_by(struct courier *courier, struct peer *peer,
		   const struct laya_message *message)
{
	struct known_state *state = courier->owner;
	struct call *call;
	int ret = -ENOTCONN;

	if (message->type == LAYA_MESSAGE_ANSWER)
		return send_back(peer, message);
	TAILQ_FOREACH(call, &state->calls, entry) {
		if (call->peer == peer && call->channel &&
		    !laya_channel_send(call->channel, message))
			ret = 0;
	}
	return ret;
}

static void wanted(struct courier *courier, struct peer *peer)
{
	struct known_state *state = courier->owner;

	if (peer->known.n > 0 && !timer_pending(state->patience))
		timer_start(state->patience, rendezvous_up(state->node) ?
			    PATIENCE_MS : 0);
}

static const struct courier_ops courier_ops = {
	.state = courier_state_of,
	.send = send_by,
	.wanted = wanted,
};

/**
 * known_carried() - a forwarder brings something from somebody else
 * @forwarder: in whose session it came
 * @message: OFFER or FOLLOWUP
 *
 * Return: whether it is that, and was dealt with; else it is the forwarder's own.
 */
bool known_carried(struct peer *forwarder, const struct laya_message *message)
{
	struct node *node = forwarder->node;
	struct origin origin = { .via = VIA_COURIER };
	const uint8_t *key = message->sealed.key;
	struct peer *peer;

	if (!forwarder->forwarder ||
	    laya_key_equal(key, forwarder->self->public_key))
		return false;
	origin.courier = &node->known->courier;
	peer = peer_find(node, key);
	/* The forwarder has let nobody else through, or lies. */
	if (!peer || !peer->configured)
		return true;
	if (message->type == LAYA_MESSAGE_FOLLOWUP) {
		answer_followup(node, message, &origin, key);
		return true;
	}
	laya_debug("%s: its offer is carried by a forwarder", peer_text(peer));
	memcpy(peer->known.by, forwarder->handshake.key, LAYA_KEY_SIZE);
	peer->known.have_by = true;
	answer_offer(node, message, &origin, key);
	return true;
}

/**
 * known_changed() - something to be remembered has changed
 * @node: ours
 */
void known_changed(struct node *node)
{
	if (node->known && !timer_pending(node->known->save))
		timer_start(node->known->save, SAVE_MS);
}

/**
 * known_learn() - a peer has told where it is
 * @peer: the peer
 * @candidates: there; those at forwarders under one label count
 */
void known_learn(struct peer *peer, const struct laya_candidates *candidates)
{
	const struct laya_candidate *candidate;
	struct known_place list[KNOWN_MAX];
	unsigned int n = 0;
	unsigned int i;

	memset(list, 0, sizeof(list));
	for (i = 0; i < candidates->n && n < KNOWN_MAX; i++) {
		candidate = &candidates->list[i];
		/* A gateway knows nobody by his key. */
		if (!candidate->have_forwarder || candidate->n_labels != 1 ||
		    candidate->type == LAYA_CANDIDATE_GATEWAY)
			continue;
		list[n].address = candidate->address;
		memcpy(list[n++].forwarder, candidate->forwarder,
		       LAYA_KEY_SIZE);
	}
	/* Who is attached nowhere for a moment will be there again. */
	if (n == 0)
		return;
	peer->known.at = time(NULL);
	if (n == peer->known.n && !memcmp(list, peer->known.list, sizeof(list)))
		return;
	memcpy(peer->known.list, list, sizeof(list));
	peer->known.n = n;
	known_changed(peer->node);
}

/**
 * known_forget() - a peer goes
 * @peer: the peer
 */
void known_forget(struct peer *peer)
{
	struct known_state *state = peer->node->known;
	struct call *call;
	struct call *next;

	if (!state)
		return;
	for (call = TAILQ_FIRST(&state->calls); call; call = next) {
		next = TAILQ_NEXT(call, entry);
		if (call->peer == peer)
			end_call(call);
	}
	memset(&peer->known, 0, sizeof(peer->known));
	known_changed(peer->node);
}

static void write_place(FILE *file, const char *who, uint64_t at,
			const struct laya_address *address, const uint8_t *key)
{
	char address_text[LAYA_ADDRESS_TEXT_SIZE];
	char key_text[LAYA_KEY_TEXT_SIZE];

	laya_address_format(address_text, address);
	laya_key_encode(key_text, key);
	fprintf(file, "%s %" PRIu64 " %s %s\n", who, at, address_text,
		key_text);
}

static bool is_up(const struct forwarder *forwarder)
{
	return forwarder->state == FORWARDER_UP && !forwarder->gateway &&
	       laya_address_is_dialable(&forwarder->dialled);
}

/* Where we are attached; where we were, if it is nowhere now */
static void write_all(const struct node *node, FILE *file)
{
	const struct forwarder *forwarder;
	char key[LAYA_KEY_TEXT_SIZE];
	const struct peer *peer;
	uint64_t at = time(NULL);
	unsigned int up = 0;
	unsigned int i;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry)
		up += is_up(forwarder);
	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (is_up(forwarder))
			write_place(file, "-", at, &forwarder->dialled,
				    forwarder->key);
		else if (up == 0 && forwarder->adopted &&
			 forwarder->addresses.n > 0)
			write_place(file, "-", at, &forwarder->addresses.list[0],
				    forwarder->key);
	}
	TAILQ_FOREACH(peer, &node->peers, entry) {
		laya_key_encode(key, peer->handshake.key);
		for (i = 0; peer->configured && i < peer->known.n; i++)
			write_place(file, key, peer->known.at,
				    &peer->known.list[i].address,
				    peer->known.list[i].forwarder);
	}
}

static void on_save(void *data)
{
	struct known_state *state = data;
	struct node *node = state->node;
	char path[PATH_MAX];
	char *text = NULL;
	size_t len = 0;
	FILE *file;
	int ret;

	if (node->state_dir[0] == '\0')
		return;
	file = open_memstream(&text, &len);
	if (!file)
		return;
	write_all(node, file);
	if (fclose(file)) {
		free(text);
		return;
	}
	snprintf(path, sizeof(path), "%s/known", node->state_dir);
	ret = laya_stamp_replace_file(path, text, len);
	if (ret)
		laya_debug("cannot write %s: %s", path, strerror(-ret));
	free(text);
}

/* Return: 0, or -EINVAL. */
static int take_line(struct node *node, char *line, unsigned int *forwarders)
{
	char who[LAYA_KEY_TEXT_SIZE];
	char where[LAYA_ADDRESS_TEXT_SIZE];
	char key_text[LAYA_KEY_TEXT_SIZE];
	uint64_t now = time(NULL);
	struct known_place place;
	uint8_t key[LAYA_KEY_SIZE];
	struct known *known;
	struct peer *peer;
	uint64_t at;

	memset(&place, 0, sizeof(place));
	if (sscanf(line, "%44s %" SCNu64 " %53s %44s", who, &at, where,
		   key_text) != 4 ||
	    laya_address_parse(&place.address, where) ||
	    !laya_address_is_dialable(&place.address) ||
	    laya_key_decode_public(place.forwarder, key_text))
		return -EINVAL;
	if (now > at && now - at > LIFE_S)
		return 0;
	if (!strcmp(who, "-")) {
		if ((*forwarders)++ < MAX_FORWARDERS)
			forwarder_remember(node, place.forwarder,
					   &place.address);
		return 0;
	}
	if (laya_key_decode_public(key, who))
		return -EINVAL;
	peer = peer_find(node, key);
	if (!peer || !peer->configured)
		return 0;
	known = &peer->known;
	if (known->n < KNOWN_MAX)
		known->list[known->n++] = place;
	known->at = at;
	return 0;
}

static void load(struct node *node)
{
	unsigned int forwarders = 0;
	char path[PATH_MAX];
	char line[256];
	int ret = 0;
	FILE *file;

	if (node->state_dir[0] == '\0')
		return;
	snprintf(path, sizeof(path), "%s/known", node->state_dir);
	file = fopen(path, "re");
	if (!file) {
		if (errno != ENOENT)
			laya_warning("%s: %s; peers are found by rendezvous alone",
				     path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		if (take_line(node, line, &forwarders))
			ret = -EINVAL;
	}
	fclose(file);
	if (ret)
		laya_warning("%s: %s; what could be read is used", path,
			     strerror(-ret));
}

/**
 * known_start() - remember
 * @node: ours
 *
 * Return: 0 or -ENOMEM.
 */
int known_start(struct node *node)
{
	struct known_state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->node = node;
	TAILQ_INIT(&state->calls);
	node->known = state;
	state->patience = timer_new(node->loop, on_patience, state);
	state->save = timer_new(node->loop, on_save, state);
	if (!state->patience || !state->save)
		return -ENOMEM;
	courier_add(node, &state->courier, &courier_ops, state);
	load(node);
	return 0;
}

/**
 * known_stop() - write down what is to be remembered
 * @node: ours
 */
void known_stop(struct node *node)
{
	struct known_state *state = node->known;
	struct call *call;

	if (!state)
		return;
	while ((call = TAILQ_FIRST(&state->calls)))
		end_call(call);
	on_save(state);
	timer_free(state->patience);
	timer_free(state->save);
	node->known = NULL;
	free(state);
}
