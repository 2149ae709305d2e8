// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "log.h"
#include "reach.h"

/* From one transport to the next, as RFC 8305 has it for addresses */
#define STAGGER_MS	300
#define DIAL_MS		6000
/* Three hellos: at once, after 500 ms, and a second after that */
#define UDP_MS		3000

/**
 * struct attempt - one way
 * @reach: whose
 * @way: which
 * @dial: being connected
 * @channel: connected; the handshake is under way
 * @address: where it leads
 * @evidence: what is strange about it, though it works
 * @failure: why it failed; empty while it has not
 */
struct attempt {
	struct reach *reach;
	struct reach_way way;
	struct laya_dial *dial;
	struct laya_channel *channel;
	struct laya_address address;
	char evidence[LAYA_DIAL_TEXT_SIZE];
	char failure[LAYA_DIAL_TEXT_SIZE];
};

/**
 * struct reach - see reach.h
 * @node: ours
 * @ops: who is told
 * @data: for @ops
 * @timer: begins the next attempt
 * @attempts: in their order
 * @n: how many
 * @begun: how many of them were
 * @over: how many of them failed
 * @host: of the target
 * @port: likewise
 * @host_name: likewise
 * @key: likewise
 * @prologue: likewise
 * @on_link: likewise
 * @private_key: of ours
 */
struct reach {
	struct node *node;
	struct reach_ops ops;
	void *data;
	struct timer *timer;
	struct attempt attempts[REACH_MAX_WAYS];
	unsigned int n;
	unsigned int begun;
	unsigned int over;
	char host[LAYA_CONFIG_HOST_SIZE];
	uint16_t port;
	char host_name[LAYA_CONFIG_HOST_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	const char *prologue;
	bool on_link;
	uint8_t private_key[LAYA_KEY_SIZE];
};

static void begin_next(struct reach *reach);

/**
 * reach_options() - how this node dials
 * @node: ours
 * @options: filled in
 */
void reach_options(const struct node *node, struct laya_dial_options *options)
{
	laya_dial_options_default(options);
	options->proxy = node->config.proxy;
	options->ca_file = node->config.tls_ca_file;
	options->timeout = DIAL_MS;
	options->nat64 = node->nat64.len ? &node->nat64 : NULL;
}

static unsigned int add_ways(const struct node *node,
			     enum laya_transport first, bool named,
			     struct reach_way *ways)
{
	unsigned int transports = node->config.transports &
				  ~(1u << LAYA_TRANSPORT_UDP);
	enum laya_transport transport;
	unsigned int n = 0;
	unsigned int i;

	if (first && transports & (1u << first))
		ways[n++].transport = first;
	for (transport = LAYA_TRANSPORT_TCP; transport < LAYA_TRANSPORT_END;
	     transport++) {
		if (transport != first && transports & (1u << transport))
			ways[n++].transport = transport;
	}
	for (i = 0; i < n; i++)
		ways[i].named = named;
	return n;
}

/**
 * reach_ways() - which ways are tried, in which order
 * @node: ours
 * @first: the transport that worked the last time, or 0
 * @named: the server has a name
 * @doubtful: it may be wrong
 * @ways: where to put them, the leanest first
 *
 * Return: how many there are; all are for packets too, so UDP is not one.
 */
unsigned int reach_ways(const struct node *node, enum laya_transport first,
			bool named, bool doubtful,
			struct reach_way ways[REACH_MAX_WAYS])
{
	unsigned int n = add_ways(node, first, named, ways);

	if (named && doubtful)
		n += add_ways(node, first, false, ways + n);
	return n;
}

/* Streams over UDP last: it takes more to keep them alive.  They tell no name. */
static unsigned int all_ways(const struct node *node,
			     const struct reach_target *target, bool named,
			     struct reach_way ways[REACH_MAX_WAYS])
{
	const struct reach_way udp = {
		.transport = LAYA_TRANSPORT_UDP,
		.named = named,
	};
	unsigned int n = reach_ways(node, target->first, named,
				    target->doubtful, ways);

	if (!node_has_udp(node))
		return n;
	if (target->first == LAYA_TRANSPORT_UDP) {
		memmove(ways + 1, ways, n * sizeof(*ways));
		ways[0] = udp;
	} else {
		ways[n] = udp;
	}
	return n + 1;
}

static void free_reach(struct reach *reach)
{
	unsigned int i;

	for (i = 0; i < reach->n; i++) {
		if (reach->attempts[i].dial)
			laya_dial_close(reach->attempts[i].dial);
		if (reach->attempts[i].channel)
			laya_channel_close(reach->attempts[i].channel);
	}
	timer_free(reach->timer);
	sodium_memzero(reach, sizeof(*reach));
	free(reach);
}

static void fail(struct reach *reach)
{
	struct reach_ops ops = reach->ops;
	void *data = reach->data;
	char reason[REACH_TEXT_SIZE] = "no transport may be dialled (Transports)";
	const struct attempt *attempt;
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < reach->n && len < sizeof(reason); i++) {
		attempt = &reach->attempts[i];
		len += snprintf(reason + len, sizeof(reason) - len,
				"%s%s%s: %s", i ? "; " : "",
				laya_transport_name(attempt->way.transport),
				reach->host_name[0] && !attempt->way.named ?
				" without its name" : "", attempt->failure);
	}
	free_reach(reach);
	ops.failed(reason, data);
}

static void attempt_failed(struct attempt *attempt, const char *reason)
{
	struct reach *reach = attempt->reach;

	snprintf(attempt->failure, sizeof(attempt->failure), "%s",
		 reason[0] ? reason : "failed");
	laya_debug("%s:%u by %s: %s", reach->host, reach->port,
		   laya_transport_name(attempt->way.transport),
		   attempt->failure);
	attempt->dial = NULL;
	attempt->channel = NULL;
	if (++reach->over == reach->n)
		fail(reach);
	else
		begin_next(reach);
}

static void on_ready(struct laya_channel *channel, void *data)
{
	struct attempt *attempt = data;
	struct reach *reach = attempt->reach;
	const struct attempt won = *attempt;
	const struct reach_ops ops = reach->ops;
	void *owner = reach->data;

	attempt->channel = NULL;
	free_reach(reach);
	ops.ready(channel, &won.way, &won.address, won.evidence, owner);
}

/* Nobody says anything before he was asked. */
static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	(void)channel;
	(void)message;
	(void)data;
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	(void)channel;
	(void)error;
	attempt_failed(data, reason);
}

static const struct laya_channel_ops channel_ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
};

static void on_dialled(struct laya_dial *dial, int fd, struct laya_pump *pump,
		       const struct laya_dial_evidence *evidence, void *data)
{
	struct attempt *attempt = data;
	struct reach *reach = attempt->reach;
	struct laya_channel_config config;
	char name[LAYA_CONFIG_HOST_SIZE + 8];
	int ret;

	(void)dial;
	(void)pump;
	attempt->dial = NULL;
	if (fd < 0) {
		attempt_failed(attempt, evidence->text);
		return;
	}
	/* Through a proxy, only that knows. */
	if (!evidence->proxy[0] && evidence->n_tried > 0)
		attempt->address = evidence->tried[evidence->n_tried - 1];
	if (evidence->tls.have_certificate && !evidence->tls.verified)
		snprintf(attempt->evidence, sizeof(attempt->evidence),
			 "the certificate is of %.100s, issued by %.100s: %.100s",
			 evidence->tls.subject, evidence->tls.issuer,
			 evidence->tls.problem);
	snprintf(name, sizeof(name), "%s:%u", reach->host, reach->port);
	laya_channel_config_client(&config, reach->prologue,
				   reach->private_key);
	ret = laya_channel_open(&attempt->channel, reach->node->loop, &config,
				fd, name, attempt->address.family ?
				&attempt->address : NULL, reach->key,
				&channel_ops, attempt);
	sodium_memzero(&config, sizeof(config));
	if (ret) {
		attempt->channel = NULL;
		attempt_failed(attempt, strerror(-ret));
	}
}

static const struct laya_dial_ops dial_ops = {
	.done = on_dialled,
};

static int dial(struct attempt *attempt)
{
	struct reach *reach = attempt->reach;
	const struct laya_dial_target target = {
		.host = reach->host,
		.port = reach->port,
		.transport = attempt->way.transport,
		.server_name = attempt->way.named ? reach->host_name : NULL,
	};
	struct laya_dial_options options;

	reach_options(reach->node, &options);
	if (attempt->way.transport == LAYA_TRANSPORT_UDP)
		options.timeout = UDP_MS;
	if (reach->on_link)
		options.proxy = "none";
	return laya_dial(&attempt->dial, reach->node->loop, &target, &options,
			 &dial_ops, attempt);
}

static void begin_next(struct reach *reach)
{
	struct attempt *attempt;
	int ret;

	while (reach->begun < reach->n) {
		attempt = &reach->attempts[reach->begun++];
		ret = dial(attempt);
		if (!ret)
			break;
		snprintf(attempt->failure, sizeof(attempt->failure), "%s",
			 strerror(-ret));
		attempt->dial = NULL;
		reach->over++;
	}
	if (reach->begun < reach->n)
		timer_start(reach->timer, STAGGER_MS);
	else if (reach->over == reach->n)
		timer_start(reach->timer, 0);
}

static void on_timer(void *data)
{
	struct reach *reach = data;

	if (reach->over == reach->n)
		fail(reach);
	else
		begin_next(reach);
}

/**
 * reach_begin() - reach a server
 * @reach: where to put it
 * @node: ours
 * @target: the server
 * @private_key: who we are to it
 * @ops: who is told
 * @data: last argument of each call
 *
 * Return: 0 or -ENOMEM.
 */
int reach_begin(struct reach **reach, struct node *node,
		const struct reach_target *target,
		const uint8_t private_key[LAYA_KEY_SIZE],
		const struct reach_ops *ops, void *data)
{
	struct reach_way ways[REACH_MAX_WAYS];
	struct reach *new;
	unsigned int i;

	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->node = node;
	new->ops = *ops;
	new->data = data;
	snprintf(new->host, sizeof(new->host), "%s", target->host);
	new->port = target->port;
	if (target->host_name)
		snprintf(new->host_name, sizeof(new->host_name), "%s",
			 target->host_name);
	memcpy(new->key, target->key, LAYA_KEY_SIZE);
	new->prologue = target->prologue;
	new->on_link = target->on_link;
	memcpy(new->private_key, private_key, LAYA_KEY_SIZE);
	new->timer = timer_new(node->loop, on_timer, new);
	if (!new->timer) {
		free(new);
		return -ENOMEM;
	}
	new->n = all_ways(node, target, new->host_name[0] != '\0', ways);
	for (i = 0; i < new->n; i++) {
		new->attempts[i].reach = new;
		new->attempts[i].way = ways[i];
	}
	timer_start(new->timer, 0);
	*reach = new;
	return 0;
}

/**
 * reach_end() - give up
 * @reach: what was begun; NULL for nothing
 */
void reach_end(struct reach *reach)
{
	if (reach)
		free_reach(reach);
}
