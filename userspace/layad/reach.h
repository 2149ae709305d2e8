/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reaching a server: all transports that the configuration allows are raced, as
 * RFC 8305 races addresses, and the first one on which the server proves its key
 * wins.  That a connection is there says nothing: boxes on the way accept what they
 * do not pass on.
 *
 *	tcp   ------x			  a firewall
 *	tls     ------ Noise -----x	  a box that looks inside
 *	wss	    ------ Noise -------> this one
 *	https		------		  closed
 *	udp		    ------
 *
 * Lifetime: a reach lives until ops->ready() or ops->failed() was called or
 * reach_end() was, whichever is first.  Nothing is called from within
 * reach_begin() or reach_end().
 */
#ifndef LAYAD_REACH_H
#define LAYAD_REACH_H

#include "channel.h"
#include "dial.h"
#include "node.h"
#include "transport.h"

#define REACH_TEXT_SIZE		1024
#define REACH_MAX_WAYS		(2 * LAYA_TRANSPORT_END)

struct reach;

/**
 * struct reach_way - one way to reach a server
 * @transport: by which transport
 * @named: proxies, TLS and HTTP are told its name, not its address
 */
struct reach_way {
	enum laya_transport transport;
	bool named;
};

/**
 * struct reach_target - whom to reach; copied
 * @host: name or address
 * @port: port
 * @host_name: what TLS, HTTP and proxies call it; empty or NULL is @host
 * @doubtful: somebody else said that this is its name, or a proxy may be unable to
 *	look it up: @host is tried too
 * @key: its public key
 * @prologue: LAYA_PROLOGUE_*
 * @first: begin with this one: it worked the last time; 0 is any
 * @on_link: no proxy leads there
 */
struct reach_target {
	const char *host;
	uint16_t port;
	const char *host_name;
	bool doubtful;
	const uint8_t *key;
	const char *prologue;
	enum laya_transport first;
	bool on_link;
};

/**
 * struct reach_ops - what the owner is told
 * @ready: @channel is open and the owner's, whose ops it is to be handed to at
 *	once; @way got there; @address is where it leads, without a family if only a proxy knows;
 *	@evidence is what a person should know of it, or empty
 * @failed: no transport gets there; why, for each
 */
struct reach_ops {
	void (*ready)(struct laya_channel *channel,
		      const struct reach_way *way,
		      const struct laya_address *address, const char *evidence,
		      void *data);
	void (*failed)(const char *reason, void *data);
};

int reach_begin(struct reach **reach, struct node *node,
		const struct reach_target *target,
		const uint8_t private_key[LAYA_KEY_SIZE],
		const struct reach_ops *ops, void *data);
void reach_end(struct reach *reach);

void reach_options(const struct node *node, struct laya_dial_options *options);
unsigned int reach_ways(const struct node *node, enum laya_transport first,
			bool named, bool doubtful,
			struct reach_way ways[REACH_MAX_WAYS]);

#endif /* LAYAD_REACH_H */
