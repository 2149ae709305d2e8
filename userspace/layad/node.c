// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "addresses.h"
#include "attach.h"
#include "carrier.h"
#include "cipher.h"
#include "control_port.h"
#include "control_socket.h"
#include "detour.h"
#include "forwarder.h"
#include "gateway.h"
#include "kernel.h"
#include "known.h"
#include "local.h"
#include "log.h"
#include "node.h"
#include "outside.h"
#include "peer.h"
#include "rendezvous.h"
#include "signalling.h"
#include "suspend.h"
#include "trunking.h"

#define STATE_ROOT	"/var/lib/laya"
/* Changes come together: two forwarders, several labels */
#define UPDATE_MS	200
#define SAVE_MS		2000

/**
 * node_now() - the time
 * @node: ours
 *
 * Return: milliseconds of a monotonic clock.
 */
uint64_t node_now(const struct node *node)
{
	(void)node;
	return uv_hrtime() / 1000000;
}

/**
 * node_random_index() - for packets to us
 *
 * Return: a receiver index, not 0.
 */
uint32_t node_random_index(void)
{
	return 1 + randombytes_uniform(UINT32_MAX);
}

/**
 * node_is_relay() - are we a public relay
 * @node: ours
 *
 * Return: whether we are.
 */
bool node_is_relay(const struct node *node)
{
	return node->config.forward == LAYA_FORWARD_PUBLIC;
}

/**
 * node_has_udp() - may packets be sent by UDP
 * @node: ours
 *
 * Return: whether the configuration lets them.
 */
bool node_has_udp(const struct node *node)
{
	return node->config.transports & (1u << LAYA_TRANSPORT_UDP);
}

/**
 * node_forwards() - do others attach themselves to us
 * @node: ours
 *
 * Return: whether they may.
 */
bool node_forwards(const struct node *node)
{
	return node->config.forward != LAYA_FORWARD_NO || node->config.gateway;
}

/**
 * node_candidates() - where a peer can reach us
 * @node: ours
 * @peer: the peer; only a configured one is told anything
 * @forwarders_only: not our own addresses: it is for a message that has no
 *	forward secrecy
 * @candidates: where to put them
 */
void node_candidates(struct node *node, const struct peer *peer,
		     bool forwarders_only, struct laya_candidates *candidates)
{
	candidates->n = 0;
	if (!peer->configured)
		return;
	/* First, so that none is lost of them: they always work. */
	forwarder_candidates(node, peer, candidates);
	if (forwarders_only)
		return;
	candidates_add_hosts(candidates, &node->locals, node->port);
	if (node->config.probe_mapped)
		forwarder_mapped(node, candidates);
}

/**
 * node_translate() - where packets for an address go from here
 * @node: ours
 * @address: becomes one behind the NAT64, if this network has no IPv4 but that
 */
void node_translate(const struct node *node, struct laya_address *address)
{
	struct in_addr in4;
	struct in6_addr in6;

	if (address->family != AF_INET || node->nat64.len == 0)
		return;
	memcpy(&in4, address->addr, sizeof(in4));
	if (laya_nat64_synthesise(&node->nat64, &in4, &in6))
		return;
	address->family = AF_INET6;
	memcpy(address->addr, &in6, sizeof(in6));
}

static void on_nat64(struct laya_nat64_query *query, int error,
		     const struct laya_nat64_prefix *prefix, void *data)
{
	/* RFC 6052, 2.1: where no DNS64 tells, there may still be a NAT64 */
	static const struct laya_nat64_prefix well_known = {
		.addr = { .s6_addr = { 0, 0x64, 0xff, 0x9b } },
		.len = 96,
	};
	struct node *node = data;
	char text[INET6_ADDRSTRLEN];

	(void)query;
	node->nat64_asked = false;
	/* Meanwhile there may be IPv4, or an end of it all */
	if (error == -ECANCELED || locals_have_family(&node->locals, AF_INET))
		return;
	node->nat64 = error ? well_known : *prefix;
	uv_inet_ntop(AF_INET6, &node->nat64.addr, text, sizeof(text));
	laya_info("no IPv4 here; it is looked for behind a NAT64, %s %s/%u",
		  error ? "perhaps" : "which is", text, node->nat64.len);
	rendezvous_retry(node);
	signalling_retry(node);
	forwarder_retry(node);
	carrier_retry(node);
}

static void look_for_nat64(struct node *node)
{
	if (locals_have_family(&node->locals, AF_INET)) {
		node->nat64.len = 0;
		return;
	}
	if (node->nat64_asked || !locals_have_family(&node->locals, AF_INET6))
		return;
	node->nat64_query.done = on_nat64;
	node->nat64_query.data = node;
	node->nat64_asked = !laya_nat64_discover(&node->nat64_query,
						 node->loop);
}

static void on_update(void *data)
{
	struct node *node = data;
	struct peer *peer;

	TAILQ_FOREACH(peer, &node->peers, entry)
		peer_tell_candidates(peer);
}

/**
 * node_candidates_changed() - tell peers where they can reach us, soon
 * @node: ours
 */
void node_candidates_changed(struct node *node)
{
	if (!timer_pending(node->update))
		timer_start(node->update, UPDATE_MS);
}

/* Whatever was known of the network may be wrong now. */
static void look_anew(struct node *node)
{
	struct peer *peer;

	outside_forget(node);
	look_for_nat64(node);
	rendezvous_retry(node);
	signalling_retry(node);
	forwarder_retry(node);
	carrier_retry(node);
	gateway_look(node);
	local_links_changed(node);
	if (node_is_relay(node))
		rendezvous_register_again(node);
	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (peer->session)
			peer_dial(peer);
	}
	node_candidates_changed(node);
}

/**
 * node_addresses_changed() - we are somewhere else
 * @node: ours
 */
void node_addresses_changed(struct node *node)
{
	laya_info("the addresses of this machine changed: %u now",
		  node->locals.n);
	look_anew(node);
}

/**
 * node_resumed() - this machine was suspended
 * @node: ours
 * @slept_ms: for how long
 *
 * Mappings of NATs, connections and attachments are gone, or are not: nothing but
 * asking tells.  Waiting until their timers notice would cost the user that time.
 */
void node_resumed(struct node *node, uint64_t slept_ms)
{
	struct peer *peer;

	laya_info("this machine was suspended for %" PRIu64 " s; asking for everything again",
		  slept_ms / 1000);
	rendezvous_resumed(node);
	forwarder_resumed(node, slept_ms);
	TAILQ_FOREACH(peer, &node->peers, entry)
		peer_resumed(peer, slept_ms);
	look_anew(node);
	addresses_refresh(node);
}

static void save_seen(struct node *node)
{
	struct laya_stamp_seen *list;
	char path[PATH_MAX];
	struct peer *peer;
	size_t n = 0;
	int ret;

	if (node->state_dir[0] == '\0')
		return;
	TAILQ_FOREACH(peer, &node->peers, entry)
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return;
	n = 0;
	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (!peer->configured || peer->handshake.stamp == 0)
			continue;
		memcpy(list[n].key, peer->handshake.key, LAYA_KEY_SIZE);
		list[n++].stamp = peer->handshake.stamp;
	}
	snprintf(path, sizeof(path), "%s/seen", node->state_dir);
	ret = laya_stamp_seen_save(path, list, n);
	if (ret)
		laya_debug("cannot write %s: %s", path, strerror(-ret));
	free(list);
}

static void on_save(void *data)
{
	save_seen(data);
}

/**
 * node_stamp_seen() - an offer had a new stamp: remember it, soon
 * @node: ours
 */
void node_stamp_seen(struct node *node)
{
	if (!timer_pending(node->save))
		timer_start(node->save, SAVE_MS);
}

static void restore_seen(void *data, const struct laya_stamp_seen *entry)
{
	struct peer *peer = peer_find(data, entry->key);

	if (peer && peer->handshake.stamp < entry->stamp)
		peer->handshake.stamp = entry->stamp;
}

static int make_directories(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST) {
			*slash = '/';
			return -errno;
		}
		*slash = '/';
	}
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	return access(path, W_OK | X_OK) ? -errno : 0;
}

/* Without it we go on by the clock, which is good enough while that is. */
static void open_state(struct node *node)
{
	const char *env = getenv("LAYA_STATE_DIR");
	char path[PATH_MAX];
	char msg[PATH_MAX + 128];
	int ret;

	if (env && *env)
		snprintf(node->state_dir, sizeof(node->state_dir), "%s", env);
	else
		snprintf(node->state_dir, sizeof(node->state_dir), "%s/%s",
			 STATE_ROOT, node->config.device);
	ret = make_directories(node->state_dir);
	if (ret) {
		laya_warning("cannot write to %s: %s; after a restart old offers are told from new ones by the clock alone",
			     node->state_dir, strerror(-ret));
		node->state_dir[0] = '\0';
		laya_stamp_open(&node->stamp, NULL, msg, sizeof(msg));
		return;
	}
	snprintf(path, sizeof(path), "%s/stamp", node->state_dir);
	if (laya_stamp_open(&node->stamp, path, msg, sizeof(msg))) {
		laya_warning("%s; going on by the clock alone", msg);
		laya_stamp_open(&node->stamp, NULL, msg, sizeof(msg));
	}
	snprintf(path, sizeof(path), "%s/seen", node->state_dir);
	ret = laya_stamp_seen_load(path, restore_seen, node);
	if (ret)
		laya_warning("%s: %s; what could be read is used", path,
			     strerror(-ret));
}

/**
 * node_init() - become what the configuration says
 * @node: with its config
 * @loop: the loop
 *
 * Return: 0, or a negative errno, which was logged.
 */
int node_init(struct node *node, uv_loop_t *loop)
{
	const struct laya_config_peer *config;
	struct peer *peer;
	char msg[256];
	size_t i;
	int ret;

	node->loop = loop;
	TAILQ_INIT(&node->peers);
	TAILQ_INIT(&node->rendezvous);
	TAILQ_INIT(&node->couriers);
	TAILQ_INIT(&node->forwarders);
	TAILQ_INIT(&node->trunks);
	TAILQ_INIT(&node->detours);
	TAILQ_INIT(&node->carriers);
	ret = laya_identity_init(&node->self, node->config.private_key,
				 laya_cipher_accelerated(NULL));
	sodium_memzero(node->config.private_key, LAYA_KEY_SIZE);
	if (ret) {
		laya_error("the private key is not usable: %s", strerror(-ret));
		return ret;
	}
	node->update = timer_new(loop, on_update, node);
	node->save = timer_new(loop, on_save, node);
	if (!node->update || !node->save || outside_start(node))
		return -ENOMEM;
	for (i = 0; i < node->config.n_peers; i++) {
		config = &node->config.peers[i];
		peer = peer_configure(node, config->name, config->public_key,
				      config->have_psk ? config->psk : NULL,
				      msg, sizeof(msg));
		if (!peer) {
			laya_error("[Peer] at line %u: %s", config->line, msg);
			return -EINVAL;
		}
		sodium_memzero(node->config.peers[i].psk, LAYA_KEY_SIZE);
		if (config->endpoint[0] != '\0' &&
		    signalling_set_endpoint(peer, config->endpoint,
					    config->endpoint_port))
			return -ENOMEM;
	}
	return 0;
}

/**
 * node_start() - get to work
 * @node: after node_init()
 *
 * Return: 0, or a negative errno, which was logged.
 */
int node_start(struct node *node)
{
	int ret;

	node->began = node_now(node);
	ret = kernel_open(node);
	if (ret)
		return ret;
	/* Not before the device is ours: so is the directory then. */
	open_state(node);
	ret = control_port_start(node);
	if (!ret)
		ret = addresses_start(node);
	if (!ret)
		ret = suspend_start(node);
	if (!ret)
		ret = gateway_start(node);
	if (!ret)
		ret = attach_start(node);
	if (!ret)
		ret = signalling_start(node);
	if (!ret)
		ret = local_start(node);
	if (!ret)
		ret = kernel_start(node);
	if (!ret)
		look_for_nat64(node);
	if (!ret)
		ret = rendezvous_start(node);
	if (!ret)
		ret = known_start(node);
	if (!ret)
		ret = forwarder_start(node);
	if (!ret)
		gateway_look(node);
	/* Last: who finds it may count on the rest. */
	if (!ret)
		ret = control_socket_start(node);
	return ret;
}

/**
 * node_stop() - leave; the kernel goes on with what it has
 * @node: ours; the loop has to run until it is out of work after this
 */
void node_stop(struct node *node)
{
	struct peer *peer;

	save_seen(node);
	control_socket_stop(node);
	rendezvous_stop(node);
	local_stop(node);
	signalling_stop(node);
	known_stop(node);
	if (node->nat64_asked)
		laya_nat64_cancel(&node->nat64_query);
	carrier_stop(node);
	detour_stop(node);
	forwarder_stop(node);
	trunking_stop(node);
	attach_stop(node);
	control_port_stop(node);
	addresses_stop(node);
	suspend_stop(node);
	while ((peer = TAILQ_FIRST(&node->peers))) {
		/* Not in the kernel */
		peer->in_kernel = false;
		peer_del(peer);
	}
	kernel_stop(node);
	timer_free(node->update);
	timer_free(node->save);
	outside_stop(node);
	laya_config_free(&node->config);
	sodium_memzero(&node->self, sizeof(node->self));
}
