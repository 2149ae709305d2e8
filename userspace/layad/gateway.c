// SPDX-License-Identifier: GPL-2.0
#include <net/if.h>
#include <string.h>

#include <sodium.h>

#include "gateway.h"
#include "log.h"
#include "outside.h"

/*
 * The anycast addresses of RFC 8155: for TURN there, at its port; at ours, for
 * gateways.  The first one on the way that is a gateway has them.
 */
static const struct laya_address anycast[] = {
	{
		.family = AF_INET,
		.port = LAYA_DEFAULT_PORT,
		.addr = { 192, 0, 0, 10 },
	}, {
		.family = AF_INET6,
		.port = LAYA_DEFAULT_PORT,
		.addr = { 0x20, 0x01, 0, 1, [15] = 2 },
	},
};

#define N_ANYCAST	(sizeof(anycast) / sizeof(anycast[0]))

/**
 * gateway_start() - be a gateway, if the configuration says so
 * @node: ours, with its device
 *
 * Return: 0, or a negative errno, which was logged.
 */
int gateway_start(struct node *node)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < N_ANYCAST && node->config.gateway && !ret; i++)
		ret = laya_nl_link_anycast(node->nl, node->ifindex,
					   anycast[i].family, anycast[i].addr);
	if (ret)
		laya_error("%s: cannot give it the address of gateways: %s",
			   node->config.device, laya_nl_strerror(node->nl));
	return ret;
}

/**
 * gateway_look() - look where gateways may be now
 * @node: ours
 *
 * That is at our default routers and, for one further up, at the anycast
 * addresses.
 */
void gateway_look(struct node *node)
{
	struct laya_address list[ROUTERS_MAX + N_ANYCAST];
	const struct router *router;
	unsigned int n = 0;
	unsigned int i;

	/* What is reached itself needs none. */
	if (!node->config.use_gateways || node_is_relay(node))
		return;
	for (i = 0; i < node->routers.n; i++) {
		router = &node->routers.list[i];
		if (!locals_have_family(&node->locals, router->address.family))
			continue;
		list[n] = router->address;
		if (laya_address_is_link_local(&router->address))
			list[n].scope = router->ifindex;
		list[n++].port = LAYA_DEFAULT_PORT;
	}
	/* A gateway has these addresses itself. */
	for (i = 0; i < N_ANYCAST && !node->config.gateway; i++) {
		if (locals_have_family(&node->locals, anycast[i].family))
			list[n++] = anycast[i];
	}
	forwarder_gateways(node, list, n);
}

/**
 * gateway_ephemeral() - become somebody new, whom a gateway has never seen
 * @forwarder: the gateway
 *
 * Return: 0, or a negative errno.
 */
int gateway_ephemeral(struct forwarder *forwarder)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	int ret;

	ret = laya_key_generate(private_key);
	if (!ret)
		ret = laya_identity_init(&forwarder->self, private_key,
					 forwarder->node->self.accelerated);
	sodium_memzero(private_key, sizeof(private_key));
	return ret;
}

static const struct laya_config_gateway *
configured(const struct node *node, const uint8_t key[LAYA_KEY_SIZE])
{
	const struct laya_config *config = &node->config;
	size_t i;

	for (i = 0; i < config->n_gateways; i++) {
		if (laya_key_equal(config->gateways[i].public_key, key))
			return &config->gateways[i];
	}
	return NULL;
}

/**
 * gateway_is_configured() - is it one of the configuration's
 * @node: ours
 * @key: its key
 *
 * Return: whether there is a [Gateway] with that key.
 */
bool gateway_is_configured(const struct node *node,
			   const uint8_t key[LAYA_KEY_SIZE])
{
	return configured(node, key);
}

/**
 * gateway_refused() - why we do not attach ourselves to a gateway
 * @forwarder: the gateway
 * @key: the key that it says it has
 *
 * Return: why not, for people; NULL if we do.
 */
const char *gateway_refused(const struct forwarder *forwarder,
			    const uint8_t key[LAYA_KEY_SIZE])
{
	const struct node *node = forwarder->node;

	if (laya_key_equal(key, node->self.public_key))
		return "it is this node";
	if (forwarder_has_rival(forwarder, key))
		return "it is known by another address";
	if (node->config.n_gateways > 0 && !gateway_is_configured(node, key))
		return "it has the key of no [Gateway]";
	return NULL;
}

/**
 * gateway_self() - who we are to a gateway
 * @forwarder: the gateway
 * @key: its key
 *
 * Return: somebody whom it has never seen, unless it is a peer, or one that takes
 * only those whom it knows.
 */
const struct laya_identity *
gateway_self(const struct forwarder *forwarder,
	     const uint8_t key[LAYA_KEY_SIZE])
{
	const struct node *node = forwarder->node;
	const struct laya_config_gateway *gateway = configured(node, key);
	const struct peer *peer = peer_find(node, key);

	if (peer)
		return peer->self;
	return gateway && gateway->identify ? &node->self : &forwarder->self;
}

/**
 * gateway_alias() - the name of a peer with a gateway
 * @forwarder: the gateway
 * @peer: the peer
 * @key: where to put it
 *
 * Whom we talk with would tell the gateway who we are.
 */
void gateway_alias(const struct forwarder *forwarder, const struct peer *peer,
		   uint8_t key[LAYA_KEY_SIZE])
{
	crypto_generichash(key, LAYA_KEY_SIZE, peer->handshake.key,
			   LAYA_KEY_SIZE, forwarder->self.private_key,
			   LAYA_KEY_SIZE);
	/* As every key that goes into a message */
	key[LAYA_KEY_SIZE - 1] &= 0x7f;
}

/**
 * gateway_is_inside() - is somebody in a network that we are the gateway of
 * @node: ours
 * @address: from where TCP answers; so it is where our packets go that counts
 *
 * Return: whether it is.
 */
bool gateway_is_inside(const struct node *node,
		       const struct laya_address *address)
{
	const struct laya_config *config = &node->config;
	char name[IF_NAMESIZE];
	uint32_t ifindex = address->scope;
	size_t i;

	if (!config->gateway ||
	    (ifindex == 0 && routers_interface(address, &ifindex)))
		return false;
	if (config->n_interfaces == 0)
		return !routers_uplink(&node->routers, ifindex);
	if (!if_indextoname(ifindex, name))
		return false;
	for (i = 0; i < config->n_interfaces; i++) {
		if (strcmp(config->interfaces[i], name) == 0)
			return true;
	}
	return false;
}

/**
 * gateway_admits() - may a host inside attach itself
 * @node: ours, a gateway
 * @key: the key that the host has shown
 *
 * Return: whether it may: all may, unless GatewayKeys lists those who do.
 */
bool gateway_admits(const struct node *node, const uint8_t key[LAYA_KEY_SIZE])
{
	const struct laya_config *config = &node->config;
	size_t i;

	for (i = 0; i < config->n_gateway_keys; i++) {
		if (laya_key_equal(config->gateway_keys[i], key))
			return true;
	}
	return config->n_gateway_keys == 0;
}

/**
 * gateway_outside() - where a gateway may be reached from outside
 * @node: ours
 * @addresses: where to put our addresses on the way out, whether they can be
 *	reached or not
 */
void gateway_outside(const struct node *node, struct laya_addresses *addresses)
{
	const struct local *local;
	struct laya_address *out;
	unsigned int i;

	addresses->n = 0;
	for (i = 0; i < node->locals.n && addresses->n < LAYA_MAX_ADDRESSES;
	     i++) {
		local = &node->locals.list[i];
		if (local->link_local ||
		    !routers_uplink(&node->routers, local->ifindex))
			continue;
		out = &addresses->list[addresses->n++];
		*out = local->address;
		out->port = node->port;
	}
}

/**
 * gateway_candidates() - how a host that is attached to us is reached
 * @node: ours
 * @host: the host, which puts the label that we gave it behind those
 * @candidates: where to put them
 */
void gateway_candidates(const struct node *node, const struct peer *host,
			struct laya_candidates *candidates)
{
	struct laya_candidate candidate = { .type = LAYA_CANDIDATE_GATEWAY };
	struct laya_candidates above = {};
	struct laya_addresses addresses;
	unsigned int i;

	candidates->n = 0;
	gateway_outside(node, &addresses);
	for (i = 0; i < addresses.n; i++) {
		candidate.address = addresses.list[i];
		if (outside_seen(node, &candidate.address))
			laya_candidates_add(candidates, &candidate);
	}
	forwarder_candidates(node, host, &above);
	for (i = 0; i < above.n; i++) {
		/* With the host's there would be more than two. */
		if (above.list[i].n_labels < LAYA_CANDIDATE_MAX_LABELS)
			laya_candidates_add(candidates, &above.list[i]);
	}
}
