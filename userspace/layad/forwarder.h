/* SPDX-License-Identifier: GPL-2.0 */
/* Forwarders: which there are, and our attachments to two of them. */
#ifndef LAYAD_FORWARDER_H
#define LAYAD_FORWARDER_H

#include "backoff.h"
#include "channel.h"
#include "message.h"
#include "node.h"
#include "peer.h"

struct reach;
struct trunk;

enum forwarder_state {
	FORWARDER_IDLE,
	FORWARDER_CONNECTING,	/* channel */
	FORWARDER_OFFERING,	/* session */
	FORWARDER_BINDING,	/* path and labels */
	FORWARDER_UP,
};

/**
 * struct forwarder_label - where a peer reaches us at a forwarder
 * @key: the peer
 * @label: the label
 */
struct forwarder_label {
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t label[LAYA_LABEL_SIZE];
};

/**
 * struct forwarder - a forwarder that we know of
 * @entry: in node->forwarders, or if it is a @trunk in node->trunks
 * @node: ours
 * @key: its public key
 * @server: its [Relay] section, or NULL
 * @gateway: it is where a gateway may be: @key is not known while
 *	FORWARDER_IDLE, and what it gives us is used under an ephemeral key
 * @looked_for: @gateway: by gateway.c, now
 * @self: who we are to it, if @gateway or @trunk
 * @trunk: hosts of ours named it, and are forwarded to it; likewise under an
 *	ephemeral key, and we ask it for nothing; or NULL
 * @above: how it is reached itself, if @gateway
 * @above_told: it has told @above: it asks others what reaches it
 * @listed: by how many rendezvous servers it is listed now
 * @adopted: it was in use before a restart
 * @addresses: from the lists
 * @host_name: likewise, what proxies and TLS call it; or empty
 * @next_address: to try next
 * @at: the one that is being tried, or was
 * @state: how far the attachment is
 * @peer: NULL while FORWARDER_IDLE
 * @reach: while FORWARDER_CONNECTING, but for a gateway
 * @channel: or NULL
 * @transport: by which the channel came; 0 is not known
 * @named: its name was told on the way
 * @dialled: its address in use
 * @addresses_told: what it says that its addresses are
 * @path_usable: we have a path to it
 * @labels: what it gave us
 * @n_labels: how many
 * @asked: label messages that are not answered
 * @renewals_failed: in a row
 * @load: percent, as it said last
 * @observed: our address as it sees it
 * @have_observed: @observed is set
 * @backoff: after failures
 * @waiting: it failed, until @timer
 * @timer: by state: the next step is overdue, or renewal, or the end of waiting
 * @suspect: its path does not answer
 * @fallback: UDP has had its time: a stream carrier is dialled
 * @failure: why it failed last, for people
 * @evidence: what is strange about the way to it, likewise
 */
struct forwarder {
	TAILQ_ENTRY(forwarder) entry;
	struct node *node;
	uint8_t key[LAYA_KEY_SIZE];
	const struct laya_config_server *server;
	bool gateway;
	bool looked_for;
	struct laya_identity self;
	struct trunk *trunk;
	struct laya_candidates above;
	bool above_told;
	unsigned int listed;
	bool adopted;
	struct laya_addresses addresses;
	char host_name[LAYA_HOST_NAME_SIZE];
	unsigned int next_address;
	unsigned int at;
	enum forwarder_state state;
	struct peer *peer;
	struct reach *reach;
	struct laya_channel *channel;
	enum laya_transport transport;
	bool named;
	struct laya_address dialled;
	struct laya_addresses addresses_told;
	bool path_usable;
	struct forwarder_label *labels;
	size_t n_labels;
	unsigned int asked;
	unsigned int renewals_failed;
	uint32_t load;
	struct laya_address observed;
	bool have_observed;
	struct backoff backoff;
	bool waiting;
	struct timer *timer;
	struct timer *suspect;
	struct timer *fallback;
	char failure[1024];
	char evidence[512];
};

int forwarder_start(struct node *node);
void forwarder_stop(struct node *node);
void forwarder_adopt(struct node *node, const uint8_t key[LAYA_KEY_SIZE],
		     const struct laya_address *address);
void forwarder_remember(struct node *node, const uint8_t key[LAYA_KEY_SIZE],
			const struct laya_address *address);
void forwarder_lists_changed(struct node *node);
void forwarder_gateways(struct node *node, const struct laya_address *list,
			unsigned int n);
void forwarder_reconsider(struct node *node);
const char *forwarder_host_name(const struct node *node,
				const uint8_t key[LAYA_KEY_SIZE]);
bool forwarder_has_rival(const struct forwarder *forwarder,
			 const uint8_t key[LAYA_KEY_SIZE]);
bool forwarder_settled(const struct node *node, const struct peer *peer);
struct forwarder *forwarder_trunk(struct node *node, struct trunk *trunk,
				  const uint8_t key[LAYA_KEY_SIZE],
				  const struct laya_address *address);
void forwarder_dial_again(struct forwarder *forwarder);
void forwarder_free(struct forwarder *forwarder);
void forwarder_established(struct forwarder *forwarder);
void forwarder_path_changed(struct forwarder *forwarder,
			    const struct laya_nl_path *path);
void forwarder_labels(struct forwarder *forwarder,
		      const struct laya_message *message);
void forwarder_above(struct forwarder *forwarder,
		     const struct laya_candidates *candidates);
void forwarder_lost(struct forwarder *forwarder, const char *reason);
void forwarder_peers_changed(struct node *node);
void forwarder_retry(struct node *node);
void forwarder_resumed(struct node *node, uint64_t slept_ms);
void forwarder_candidates(const struct node *node, const struct peer *peer,
			  struct laya_candidates *candidates);
void forwarder_claims(const struct node *node, const struct peer *relay,
		      struct laya_candidates *candidates);
void forwarder_mapped(const struct node *node,
		      struct laya_candidates *candidates);
const char *forwarder_state_name(enum forwarder_state state);

#endif /* LAYAD_FORWARDER_H */
