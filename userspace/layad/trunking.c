// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "attach.h"
#include "control_port.h"
#include "forwarder.h"
#include "kernel.h"
#include "log.h"
#include "trunking.h"

#define LABEL_TRIES	4

/**
 * struct trunk_use - a host that has named a forwarder
 * @entry: in the uses of @trunk
 * @trunk: which leads there
 * @host: the host
 * @waiting: its request @id is not answered yet
 * @id: of its last request
 * @asked: when that was
 * @told: it was told @label
 * @label: for it alone
 */
struct trunk_use {
	TAILQ_ENTRY(trunk_use) entry;
	struct trunk *trunk;
	struct peer *host;
	bool waiting;
	uint64_t id;
	uint64_t asked;
	bool told;
	uint8_t label[LAYA_LABEL_SIZE];
};

/**
 * struct trunk - a forwarder that hosts have named
 * @entry: in trunking->trunks
 * @trunking: ours
 * @key: its key
 * @address: at which it is dialled
 * @forwarder: the attachment to it; NULL if it is a forwarder of ours anyway
 * @towards: while it is being dialled
 * @uses: by whom
 * @timer: when it is over, so that whoever said so is done with it
 */
struct trunk {
	TAILQ_ENTRY(trunk) entry;
	struct trunking *trunking;
	uint8_t key[LAYA_KEY_SIZE];
	struct laya_address address;
	struct forwarder *forwarder;
	struct source *towards;
	TAILQ_HEAD(, trunk_use) uses;
	struct timer *timer;
};

struct trunking {
	struct node *node;
	struct laya_trunk_budget budget;
	TAILQ_HEAD(, trunk) trunks;
};

static void refuse(const struct trunk_use *use, enum laya_message_error code)
{
	const struct laya_message error = {
		.type = LAYA_MESSAGE_ERROR,
		.id = use->id,
		.code = code,
	};

	control_port_send(use->host, &error);
}

/* Whom to forward to, if that is possible now */
static struct peer *far_end(const struct trunk *trunk)
{
	struct peer *peer;

	if (trunk->forwarder)
		return trunk->forwarder->state == FORWARDER_UP ?
		       trunk->forwarder->peer : NULL;
	peer = peer_find(trunk->trunking->node, trunk->key);
	return peer && peer->forwarder &&
	       peer->forwarder->state == FORWARDER_UP ? peer : NULL;
}

static void forget_label(struct trunk_use *use)
{
	if (use->told)
		kernel_label_del(use->trunk->trunking->node, use->label);
	use->told = false;
}

/* Return: 0, or a negative errno: it is not forwarded. */
static int set_label(struct trunk_use *use, struct peer *to)
{
	unsigned int tries;
	int ret = -EEXIST;

	/* One that it has is renewed; 48 random bits may be another's already. */
	for (tries = 0; ret == -EEXIST && tries < LABEL_TRIES; tries++) {
		if (!use->told || tries > 0)
			randombytes_buf(use->label, sizeof(use->label));
		ret = attach_label_bound(to, use->label, use->host);
	}
	use->told = !ret;
	return ret;
}

static void tell(struct trunk_use *use)
{
	struct laya_message reply = {
		.type = LAYA_MESSAGE_TRUNK,
		.id = use->id,
		.trunk.lifetime = LAYA_TRUNK_LIFE_MS / 1000,
	};
	struct peer *to = far_end(use->trunk);

	use->waiting = false;
	if (!to || set_label(use, to)) {
		refuse(use, LAYA_MESSAGE_ERROR_UNREACHABLE);
		return;
	}
	memcpy(reply.trunk.label.key, use->trunk->key, LAYA_KEY_SIZE);
	memcpy(reply.trunk.label.label, use->label, LAYA_LABEL_SIZE);
	control_port_send(use->host, &reply);
}

static void end_use(struct trunk_use *use)
{
	struct laya_trunk_host *host = attach_trunks(use->host);

	forget_label(use);
	if (host)
		laya_trunk_unuse(host);
	TAILQ_REMOVE(&use->trunk->uses, use, entry);
	free(use);
}

/* @timer: of a trunk that is in no list any more */
static void on_over(void *data)
{
	struct trunk *trunk = data;

	if (trunk->forwarder)
		forwarder_free(trunk->forwarder);
	timer_free(trunk->timer);
	free(trunk);
}

static void dialled(struct trunk *trunk)
{
	if (trunk->towards)
		laya_trunk_dialled(&trunk->trunking->budget, trunk->towards);
	trunk->towards = NULL;
}

/**
 * trunk_up() - a trunk leads there
 * @trunk: the trunk
 */
void trunk_up(struct trunk *trunk)
{
	struct trunk_use *use;

	dialled(trunk);
	TAILQ_FOREACH(use, &trunk->uses, entry) {
		if (use->waiting)
			tell(use);
	}
}

/**
 * trunk_lost() - a trunk leads nowhere, or nowhere any more
 * @trunk: the trunk; gone soon after this
 *
 * Hosts ask again, if they still want it.
 */
void trunk_lost(struct trunk *trunk)
{
	struct trunking *trunking = trunk->trunking;
	struct trunk_use *use;

	dialled(trunk);
	while ((use = TAILQ_FIRST(&trunk->uses))) {
		if (use->waiting)
			refuse(use, LAYA_MESSAGE_ERROR_UNREACHABLE);
		end_use(use);
	}
	TAILQ_REMOVE(&trunking->trunks, trunk, entry);
	laya_trunk_end(&trunking->budget);
	timer_start(trunk->timer, 0);
}

/* Nobody needs it any more. */
static void end(struct trunk *trunk)
{
	if (trunk->forwarder)
		forwarder_lost(trunk->forwarder, "no host asks for it");
	else
		trunk_lost(trunk);
}

/*
 * One whose key is proven is the same for all, wherever they say that it is; what is
 * still being dialled, for those alone who say the same.
 */
static struct trunk *find(const struct trunking *trunking,
			  const struct laya_message *request)
{
	struct trunk *trunk;

	TAILQ_FOREACH(trunk, &trunking->trunks, entry) {
		if (!laya_key_equal(trunk->key, request->trunk_request.key))
			continue;
		if (!trunk->towards ||
		    laya_addresses_have(&request->trunk_request.addresses,
					&trunk->address))
			return trunk;
	}
	return NULL;
}

static struct trunk_use *find_use(const struct trunking *trunking,
				  const struct peer *host, const uint8_t *key)
{
	struct trunk_use *use;
	struct trunk *trunk;

	TAILQ_FOREACH(trunk, &trunking->trunks, entry) {
		if (!laya_key_equal(trunk->key, key))
			continue;
		TAILQ_FOREACH(use, &trunk->uses, entry) {
			if (use->host == host)
				return use;
		}
	}
	return NULL;
}

static const struct laya_address *choose(const struct node *node,
					 const struct laya_addresses *addresses)
{
	unsigned int i;

	for (i = 0; i < addresses->n; i++) {
		if (laya_trunk_leads(node->config.forward_to,
				     &addresses->list[i]) &&
		    !locals_have(&node->locals, &addresses->list[i]) &&
		    locals_have_family(&node->locals,
				       addresses->list[i].family))
			return &addresses->list[i];
	}
	return NULL;
}

static struct trunk *make(struct trunking *trunking,
			  const struct laya_message *request,
			  const struct laya_address *address)
{
	struct trunk *trunk = calloc(1, sizeof(*trunk));

	if (!trunk)
		return NULL;
	trunk->timer = timer_new(trunking->node->loop, on_over, trunk);
	if (!trunk->timer) {
		free(trunk);
		return NULL;
	}
	trunk->trunking = trunking;
	memcpy(trunk->key, request->trunk_request.key, LAYA_KEY_SIZE);
	trunk->address = *address;
	TAILQ_INIT(&trunk->uses);
	return trunk;
}

/* Return: 0, or the code of an error to answer with. */
static int dial(struct trunking *trunking, struct peer *host,
		const struct laya_message *request, struct trunk **out)
{
	struct node *node = trunking->node;
	const uint8_t *key = request->trunk_request.key;
	struct peer *peer = peer_find(node, key);
	const struct laya_address *address;
	struct trunk *trunk;

	address = choose(node, &request->trunk_request.addresses);
	if (!address || laya_key_equal(key, node->self.public_key))
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	trunk = make(trunking, request, address);
	if (!trunk)
		return LAYA_MESSAGE_ERROR_RATE_LIMITED;
	trunk->towards = laya_trunk_dial(&trunking->budget,
					 attach_trunks(host), address,
					 node_now(node));
	if (!trunk->towards) {
		timer_free(trunk->timer);
		free(trunk);
		return LAYA_MESSAGE_ERROR_RATE_LIMITED;
	}
	TAILQ_INSERT_TAIL(&trunking->trunks, trunk, entry);
	*out = trunk;
	if (peer && peer->forwarder && !peer->forwarder->gateway) {
		dialled(trunk);
		return 0;
	}
	trunk->forwarder = forwarder_trunk(node, trunk, key, address);
	if (trunk->forwarder)
		return 0;
	trunk_lost(trunk);
	return LAYA_MESSAGE_ERROR_UNREACHABLE;
}

/* Return: 0, or the code of an error to answer with. */
static int begin_use(struct trunking *trunking, struct peer *host,
		     const struct laya_message *request, struct trunk_use **out)
{
	struct trunk *trunk = find(trunking, request);
	struct trunk_use *use;
	int error = 0;

	if (!laya_trunk_use(attach_trunks(host)))
		return LAYA_MESSAGE_ERROR_RATE_LIMITED;
	use = calloc(1, sizeof(*use));
	if (!use)
		error = LAYA_MESSAGE_ERROR_RATE_LIMITED;
	else if (!trunk)
		error = dial(trunking, host, request, &trunk);
	if (error) {
		laya_trunk_unuse(attach_trunks(host));
		free(use);
		return error;
	}
	use->trunk = trunk;
	use->host = host;
	TAILQ_INSERT_TAIL(&trunk->uses, use, entry);
	*out = use;
	return 0;
}

/**
 * trunking_asked() - a host names a forwarder to which it wants to be forwarded
 * @host: the host
 * @request: TRUNK_REQUEST, the first, again, or to keep what there is
 */
void trunking_asked(struct peer *host, const struct laya_message *request)
{
	struct trunking *trunking = host->node->trunking;
	struct trunk_use refused = { .host = host, .id = request->id };
	struct trunk_use *use;
	int error;

	if (!trunking || !host->attachment || attach_is_inside(host)) {
		refuse(&refused, LAYA_MESSAGE_ERROR_UNREACHABLE);
		return;
	}
	use = find_use(trunking, host, request->trunk_request.key);
	if (!use) {
		error = begin_use(trunking, host, request, &use);
		if (error) {
			laya_debug("%s: names a forwarder to which there is no trunk: %s",
				   peer_text(host),
				   laya_message_error_text(error));
			refuse(&refused, error);
			return;
		}
	} else if (use->told && use->trunk->forwarder) {
		/* Does it still lead there? */
		forwarder_dial_again(use->trunk->forwarder);
	}
	use->id = request->id;
	use->waiting = true;
	use->asked = node_now(trunking->node);
	if (!use->trunk->towards)
		tell(use);
}

/**
 * trunking_release() - a host wants a label no more
 * @host: the host
 * @label: the label
 *
 * Return: whether it is that of a trunk.
 */
bool trunking_release(struct peer *host, const uint8_t label[LAYA_LABEL_SIZE])
{
	struct trunking *trunking = host->node->trunking;
	struct trunk_use *use;
	struct trunk *trunk;

	if (!trunking)
		return false;
	TAILQ_FOREACH(trunk, &trunking->trunks, entry) {
		TAILQ_FOREACH(use, &trunk->uses, entry) {
			if (use->host != host || !use->told ||
			    memcmp(use->label, label, LAYA_LABEL_SIZE) != 0)
				continue;
			end_use(use);
			if (TAILQ_EMPTY(&trunk->uses))
				end(trunk);
			return true;
		}
	}
	return false;
}

/* End the uses of one host, or those that nobody has asked for in time. */
static void sweep(struct trunking *trunking, const struct peer *host)
{
	uint64_t now = node_now(trunking->node);
	struct trunk_use *use, *next_use;
	struct trunk *trunk, *next;

	for (trunk = TAILQ_FIRST(&trunking->trunks); trunk; trunk = next) {
		next = TAILQ_NEXT(trunk, entry);
		for (use = TAILQ_FIRST(&trunk->uses); use; use = next_use) {
			next_use = TAILQ_NEXT(use, entry);
			if (host ? use->host == host :
			    now - use->asked >= LAYA_TRUNK_LIFE_MS)
				end_use(use);
		}
		if (TAILQ_EMPTY(&trunk->uses))
			end(trunk);
	}
}

/**
 * trunking_host_gone() - a host is not attached any more
 * @host: the host
 */
void trunking_host_gone(struct peer *host)
{
	if (host->node->trunking)
		sweep(host->node->trunking, host);
}

/**
 * trunking_care() - give up what is not asked for any more
 * @node: ours
 */
void trunking_care(struct node *node)
{
	if (node->trunking)
		sweep(node->trunking, NULL);
}

/**
 * trunking_start() - lead hosts to other forwarders, if the configuration says so
 * @node: ours, which forwards
 *
 * Return: 0 or -ENOMEM.
 */
int trunking_start(struct node *node)
{
	struct trunking *trunking;

	/* The hosts inside of a gateway reach others as it does. */
	if (node->config.forward == LAYA_FORWARD_NO ||
	    node->config.forward_to == LAYA_TRUNK_TO_NONE)
		return 0;
	trunking = calloc(1, sizeof(*trunking));
	if (!trunking || laya_trunk_budget_init(&trunking->budget)) {
		free(trunking);
		return -ENOMEM;
	}
	trunking->node = node;
	TAILQ_INIT(&trunking->trunks);
	node->trunking = trunking;
	return 0;
}

/**
 * trunking_stop() - let go, without a word; the labels last while the kernel's do
 * @node: ours, whose attachments are still there
 */
void trunking_stop(struct node *node)
{
	struct trunking *trunking = node->trunking;
	struct trunk_use *use;
	struct trunk *trunk;

	if (!trunking)
		return;
	while ((trunk = TAILQ_FIRST(&trunking->trunks))) {
		dialled(trunk);
		while ((use = TAILQ_FIRST(&trunk->uses))) {
			use->told = false;
			end_use(use);
		}
		TAILQ_REMOVE(&trunking->trunks, trunk, entry);
		on_over(trunk);
	}
	laya_trunk_budget_free(&trunking->budget);
	node->trunking = NULL;
	free(trunking);
}
