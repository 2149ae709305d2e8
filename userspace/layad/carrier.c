// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backoff.h"
#include "carrier.h"
#include "detour.h"
#include "kernel.h"
#include "log.h"
#include "reach.h"

/* How long something has to answer before the next transport is tried */
#define PROVE_MS	2500
#define RETRY_BASE_MS	1000
#define RETRY_MAX_MS	20000
#define MAX_CARRIERS	64

/**
 * struct carrier - see carrier.h
 * @entry: in node->carriers
 * @node: ours
 * @key: of the forwarder
 * @host: where it is
 * @port: its port
 * @host_name: its name, or empty
 * @address: of it, if that is known
 * @ways: to it, in the order in which they are tried
 * @n: how many there are
 * @at: which one of them is being tried, or in use
 * @dial: being connected
 * @id: in the kernel; 0 while there is none
 * @proven: something has answered over it
 * @again: @timer waits to begin anew
 * @backoff: after failures
 * @timer: by state: nothing answers, or try again
 * @failure: why it failed last, for people
 */
struct carrier {
	TAILQ_ENTRY(carrier) entry;
	struct node *node;
	uint8_t key[LAYA_KEY_SIZE];
	char host[LAYA_CONFIG_HOST_SIZE];
	uint16_t port;
	char host_name[LAYA_CONFIG_HOST_SIZE];
	struct laya_address address;
	struct reach_way ways[REACH_MAX_WAYS];
	unsigned int n;
	unsigned int at;
	struct laya_dial *dial;
	uint32_t id;
	bool proven;
	bool again;
	struct backoff backoff;
	struct timer *timer;
	char failure[LAYA_DIAL_TEXT_SIZE];
};

static void dial(struct carrier *carrier);

static struct carrier *find(const struct node *node, const uint8_t *key)
{
	struct carrier *carrier;

	TAILQ_FOREACH(carrier, &node->carriers, entry) {
		if (laya_key_equal(carrier->key, key))
			return carrier;
	}
	return NULL;
}

static struct carrier *find_id(const struct node *node, uint32_t id)
{
	struct carrier *carrier;

	TAILQ_FOREACH(carrier, &node->carriers, entry) {
		if (id != 0 && carrier->id == id)
			return carrier;
	}
	return NULL;
}

static void drop(struct carrier *carrier)
{
	if (carrier->dial)
		laya_dial_close(carrier->dial);
	carrier->dial = NULL;
	if (carrier->id)
		kernel_carrier_del(carrier->node, carrier->id);
	carrier->id = 0;
	carrier->proven = false;
}

static void remove_carrier(struct carrier *carrier)
{
	drop(carrier);
	TAILQ_REMOVE(&carrier->node->carriers, carrier, entry);
	carrier->node->n_carriers--;
	timer_free(carrier->timer);
	free(carrier);
}

static bool leads_there(const struct carrier *carrier,
			const struct laya_candidate *candidate)
{
	return candidate->have_forwarder &&
	       laya_key_equal(candidate->forwarder, carrier->key);
}

/* Does anybody still want it? */
static bool wanted(const struct carrier *carrier)
{
	const struct node *node = carrier->node;
	const struct forwarder *forwarder;
	const struct peer *peer;
	unsigned int i;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state >= FORWARDER_BINDING &&
		    laya_key_equal(forwarder->key, carrier->key))
			return true;
	}
	TAILQ_FOREACH(forwarder, &node->trunks, entry) {
		if (forwarder->state >= FORWARDER_BINDING &&
		    laya_key_equal(forwarder->key, carrier->key))
			return true;
	}
	TAILQ_FOREACH(peer, &node->peers, entry) {
		for (i = 0; i < peer->remote.n && peer->session; i++) {
			if (leads_there(carrier, &peer->remote.list[i]))
				return true;
		}
	}
	return false;
}

static void dial_over(struct carrier *carrier, struct peer *peer,
		      const struct laya_candidates *candidates)
{
	const struct laya_candidate *candidate;
	unsigned int i;

	for (i = 0; i < candidates->n; i++) {
		candidate = &candidates->list[i];
		if (leads_there(carrier, candidate))
			kernel_path_new(peer,
					candidate_kind(candidate,
						       &carrier->node->locals),
					carrier->id, &candidate->address,
					candidate);
	}
}

static void join(struct carrier *carrier, struct peer *peer)
{
	struct laya_candidates detours;

	if (peer->forwarder && peer->session &&
	    laya_key_equal(peer->handshake.key, carrier->key))
		kernel_path_new(peer, LAYA_PATH_KIND_DIRECT, carrier->id,
				&carrier->address, NULL);
	if (!peer->configured || !peer->session)
		return;
	dial_over(carrier, peer, &peer->remote);
	detour_candidates(peer, &detours);
	dial_over(carrier, peer, &detours);
}

static void fail(struct carrier *carrier, const char *reason)
{
	snprintf(carrier->failure, sizeof(carrier->failure), "%s", reason);
	laya_debug("carrier to %s:%u by %s: %s", carrier->host, carrier->port,
		   laya_transport_name(carrier->ways[carrier->at].transport),
		   carrier->failure);
	drop(carrier);
	if (++carrier->at < carrier->n) {
		dial(carrier);
		return;
	}
	carrier->at = 0;
	carrier->again = true;
	timer_start(carrier->timer, backoff_next(&carrier->backoff));
}

static void on_dialled(struct laya_dial *dialled, int fd, struct laya_pump *pump,
		       const struct laya_dial_evidence *evidence, void *data)
{
	struct carrier *carrier = data;
	struct node *node = carrier->node;
	struct peer *peer;
	int ret;

	(void)dialled;
	(void)pump;
	carrier->dial = NULL;
	if (fd < 0) {
		fail(carrier, evidence->text);
		return;
	}
	if (!evidence->proxy[0] && evidence->n_tried > 0)
		carrier->address = evidence->tried[evidence->n_tried - 1];
	ret = kernel_carrier_new(node, carrier->ways[carrier->at].transport, fd,
				 &carrier->address, &carrier->id);
	close(fd);
	if (ret) {
		fail(carrier, laya_nl_strerror(node->nl));
		return;
	}
	laya_debug("carrier %u to %s:%u by %s", carrier->id, carrier->host,
		   carrier->port,
		   laya_transport_name(carrier->ways[carrier->at].transport));
	TAILQ_FOREACH(peer, &node->peers, entry)
		join(carrier, peer);
	timer_start(carrier->timer, PROVE_MS);
}

static const struct laya_dial_ops dial_ops = {
	.done = on_dialled,
};

static void dial(struct carrier *carrier)
{
	const struct reach_way *way = &carrier->ways[carrier->at];
	const struct laya_dial_target target = {
		.host = carrier->host,
		.port = carrier->port,
		.transport = way->transport,
		.server_name = way->named ? carrier->host_name : NULL,
	};
	struct laya_dial_options options;
	int ret;

	carrier->again = false;
	timer_stop(carrier->timer);
	reach_options(carrier->node, &options);
	ret = laya_dial(&carrier->dial, carrier->node->loop, &target, &options,
			&dial_ops, carrier);
	if (!ret)
		return;
	carrier->dial = NULL;
	carrier->again = true;
	timer_start(carrier->timer, backoff_next(&carrier->backoff));
}

static void on_timer(void *data)
{
	struct carrier *carrier = data;

	if (!wanted(carrier))
		remove_carrier(carrier);
	else if (carrier->again)
		dial(carrier);
	else if (!carrier->proven)
		fail(carrier, "nothing answers over it");
}

/*
 * Begin, unless it was begun.  If a transport is known to work it is the first, and
 * whether the forwarder is to be named is known as well.
 */
static int want(struct node *node, const uint8_t *key, const char *host,
		uint16_t port, enum laya_transport first, bool named)
{
	const char *host_name = forwarder_host_name(node, key);
	struct reach_way ways[REACH_MAX_WAYS];
	struct carrier *carrier = find(node, key);
	unsigned int n;

	if (carrier) {
		if (carrier->again && carrier->backoff.tries <= 1)
			dial(carrier);
		return 0;
	}
	if (node->n_carriers == MAX_CARRIERS)
		return -ENOSPC;
	n = reach_ways(node, first, named && host_name[0], !first, ways);
	if (n == 0)
		return -EPROTONOSUPPORT;
	carrier = calloc(1, sizeof(*carrier));
	if (!carrier)
		return -ENOMEM;
	carrier->node = node;
	memcpy(carrier->key, key, LAYA_KEY_SIZE);
	snprintf(carrier->host, sizeof(carrier->host), "%s", host);
	carrier->port = port;
	snprintf(carrier->host_name, sizeof(carrier->host_name), "%s",
		 host_name);
	carrier->n = n;
	memcpy(carrier->ways, ways, sizeof(ways));
	backoff_init(&carrier->backoff, RETRY_BASE_MS, RETRY_MAX_MS);
	carrier->timer = timer_new(node->loop, on_timer, carrier);
	if (!carrier->timer) {
		free(carrier);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&node->carriers, carrier, entry);
	node->n_carriers++;
	dial(carrier);
	return 0;
}

/**
 * carrier_attach() - let there be a carrier to a forwarder of ours
 * @forwarder: to which there is a session
 *
 * Return: 0, or a negative errno if there will be none.
 */
int carrier_attach(struct forwarder *forwarder)
{
	bool named = forwarder->named || !forwarder->transport;
	char text[INET6_ADDRSTRLEN];

	if (forwarder->server)
		return want(forwarder->node, forwarder->key,
			    forwarder->server->host, forwarder->server->port,
			    forwarder->transport, named);
	if (!laya_address_is_dialable(&forwarder->dialled))
		return -EADDRNOTAVAIL;
	uv_inet_ntop(forwarder->dialled.family, forwarder->dialled.addr, text,
		     sizeof(text));
	return want(forwarder->node, forwarder->key, text,
		    forwarder->dialled.port, forwarder->transport, named);
}

/**
 * carrier_reach() - let there be carriers to where a peer is attached
 * @peer: the peer, which no path reaches
 */
void carrier_reach(struct peer *peer)
{
	const struct laya_candidate *candidate;
	struct node *node = peer->node;
	struct forwarder *forwarder;
	char text[INET6_ADDRSTRLEN];
	unsigned int i;

	for (i = 0; i < peer->remote.n; i++) {
		candidate = &peer->remote.list[i];
		if (!candidate->have_forwarder ||
		    laya_key_equal(candidate->forwarder,
				   node->self.public_key))
			continue;
		TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
			if (forwarder->state >= FORWARDER_BINDING &&
			    laya_key_equal(forwarder->key,
					   candidate->forwarder))
				break;
		}
		if (forwarder) {
			carrier_attach(forwarder);
			continue;
		}
		uv_inet_ntop(candidate->address.family, candidate->address.addr,
			     text, sizeof(text));
		want(node, candidate->forwarder, text, candidate->address.port,
		     0, true);
	}
}

/**
 * carrier_join() - use the carriers that there are for a peer as well
 * @peer: the peer, whose candidates are new
 */
void carrier_join(struct peer *peer)
{
	struct carrier *carrier;

	TAILQ_FOREACH(carrier, &peer->node->carriers, entry) {
		if (carrier->id)
			join(carrier, peer);
	}
}

/**
 * carrier_path_changed() - the kernel says that a path changed
 * @node: ours
 * @path: the path
 */
void carrier_path_changed(struct node *node, const struct laya_nl_path *path)
{
	struct carrier *carrier = find_id(node, path->carrier_id);

	if (!carrier || path->state != LAYA_PATH_STATE_USABLE)
		return;
	carrier->proven = true;
	carrier->failure[0] = '\0';
	backoff_reset(&carrier->backoff);
	timer_stop(carrier->timer);
}

/**
 * carrier_lost() - the kernel says that a carrier is gone
 * @node: ours
 * @event: the carrier
 *
 * Return: whether it was one of these.
 */
bool carrier_lost(struct node *node, const struct laya_nl_carrier *event)
{
	struct carrier *carrier = find_id(node, event->carrier_id);

	if (!carrier)
		return false;
	carrier->id = 0;
	laya_debug("carrier to %s:%u is lost: %s", carrier->host, carrier->port,
		   strerror(event->error));
	if (!wanted(carrier)) {
		remove_carrier(carrier);
	} else if (carrier->proven) {
		/* It worked: the same once more, at once */
		carrier->proven = false;
		dial(carrier);
	} else {
		fail(carrier, strerror(event->error));
	}
	return true;
}

/**
 * carrier_retry() - the network has changed: what failed may work now
 * @node: ours
 */
void carrier_retry(struct node *node)
{
	struct carrier *carrier;

	TAILQ_FOREACH(carrier, &node->carriers, entry) {
		backoff_reset(&carrier->backoff);
		if (carrier->again)
			dial(carrier);
	}
}

/**
 * carrier_stop() - let go of all; the kernel closes those that nobody claims
 * @node: ours
 */
void carrier_stop(struct node *node)
{
	struct carrier *carrier;

	while ((carrier = TAILQ_FIRST(&node->carriers))) {
		carrier->id = 0;
		remove_carrier(carrier);
	}
}
