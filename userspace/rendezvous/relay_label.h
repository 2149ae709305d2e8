/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the relay issued: labels, and the return labels bound through them.
 *
 *	holder (an attached host) --< label (for one peer) --< flow (return label)
 *
 * The same rules as in kernel/label.c.  The table knows the time as an argument
 * and holders as pointers: it does no I/O.  Labels and return labels share one
 * hash table, so that a packet's label costs one look-up whichever it is, and so
 * does one that is neither.
 *
 * Memory: a label is about 200 bytes, a flow about 240; both are bounded, for
 * all and for each holder and label.  A flow that its dialler has not confirmed
 * makes room for another when there is none.
 */
#ifndef RENDEZVOUS_RELAY_LABEL_H
#define RENDEZVOUS_RELAY_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "key.h"
#include "limit.h"
#include "packet.h"
#include "relay_endpoint.h"

#define RELAY_LABEL_LIFE_MS	180000
#define RELAY_FLOW_IDLE_MS	180000
/* RFC 9000, 8.1 */
#define RELAY_AMPLIFICATION	3

/**
 * struct relay_issued - what labels and return labels have in common
 * @chain: others with the same hash
 * @value: the 48 bits; never 0, which is an empty slot
 * @is_flow: inside of a struct relay_flow, else of a struct relay_label
 */
struct relay_issued {
	LIST_ENTRY(relay_issued) chain;
	uint64_t value;
	bool is_flow;
};

TAILQ_HEAD(relay_flow_list, relay_flow);
TAILQ_HEAD(relay_label_list, relay_label);
LIST_HEAD(relay_issued_chain, relay_issued);
LIST_HEAD(relay_flow_chain, relay_flow);

/**
 * struct relay_holder - who has labels
 * @labels: its labels
 * @n_labels: how many
 */
struct relay_holder {
	struct relay_label_list labels;
	unsigned int n_labels;
};

/**
 * struct relay_label - whatever carries it goes to one holder
 * @issued: its value
 * @entry: in the table's labels, the first to expire first
 * @of_holder: in @holder's labels
 * @holder: whose it is
 * @for_key: to whom the holder tells it
 * @user: who alone may send with it, of key @for_key; NULL: everybody may
 * @expires: milliseconds
 * @bucket: both directions are paid from it
 * @carried: milliseconds, when an offer of @for_key's was carried last; 0 never
 * @validated: flows that the dialler has confirmed
 * @unvalidated: those that it has not, the oldest first
 * @n_flows: both
 */
struct relay_label {
	struct relay_issued issued;
	TAILQ_ENTRY(relay_label) entry;
	TAILQ_ENTRY(relay_label) of_holder;
	struct relay_holder *holder;
	uint8_t for_key[LAYA_KEY_SIZE];
	struct relay_holder *user;
	uint64_t expires;
	struct bucket bucket;
	uint64_t carried;
	struct relay_flow_list validated;
	struct relay_flow_list unvalidated;
	unsigned int n_flows;
};

/**
 * struct relay_flow_key - what a return label is bound to; all bytes are set
 * @label: through which the dialler came
 * @previous: the return label in front of this one, or 0: diallers behind one
 *	forwarder have the same address here
 * @from: the dialler
 */
struct relay_flow_key {
	uint64_t label;
	uint64_t previous;
	struct relay_endpoint from;
};

/**
 * struct relay_flow - the way back to a dialler
 * @issued: the return label
 * @chain: others whose keys have the same hash
 * @entry: in the table's flows, the one that was looked at longest ago first
 * @of_label: in one of the lists of @label
 * @oldest: in the table's list of unvalidated flows while it is one
 * @label: its label
 * @key: what it is bound to
 * @proof: what the dialler sees in place of the return label until it is validated,
 *	and nobody else does: the holder could tell it to one who forges his address
 * @validated: the dialler has shown @proof: it receives what is sent to it
 * @allowance: bytes that may go to the dialler before that
 * @last: milliseconds, when something last came or went
 */
struct relay_flow {
	struct relay_issued issued;
	LIST_ENTRY(relay_flow) chain;
	TAILQ_ENTRY(relay_flow) entry;
	TAILQ_ENTRY(relay_flow) of_label;
	TAILQ_ENTRY(relay_flow) oldest;
	struct relay_label *label;
	struct relay_flow_key key;
	uint64_t proof;
	bool validated;
	uint64_t allowance;
	uint64_t last;
};

/**
 * struct relay_table_limits - how much a table may hold
 * @labels: labels in all
 * @holder_labels: labels of one holder
 * @flows: flows in all
 * @label_flows: flows through one label
 * @rate: bytes through one label, both directions; per_second 0 for no limit
 */
struct relay_table_limits {
	size_t labels;
	unsigned int holder_labels;
	size_t flows;
	unsigned int label_flows;
	struct rate rate;
};

/**
 * struct relay_table - everything that was issued
 * @limits: how much fits
 * @issued: hash table by value.  Values are random and ours, so that nobody
 *	chooses which share a chain
 * @by_key: hash table of flows by key, which strangers do choose
 * @issued_mask: size of @issued less one
 * @by_key_mask: size of @by_key less one
 * @hash_key: secret of the hash of @by_key
 * @labels: the first to expire first
 * @flows: the one looked at longest ago first
 * @unvalidated: the oldest first
 * @n_labels: how many there are
 * @n_flows: how many there are
 */
struct relay_table {
	struct relay_table_limits limits;
	struct relay_issued_chain *issued;
	struct relay_flow_chain *by_key;
	size_t issued_mask;
	size_t by_key_mask;
	uint8_t hash_key[16];
	struct relay_label_list labels;
	struct relay_flow_list flows;
	struct relay_flow_list unvalidated;
	size_t n_labels;
	size_t n_flows;
};

int relay_table_init(struct relay_table *table,
		     const struct relay_table_limits *limits);
void relay_table_free(struct relay_table *table);
void relay_table_expire(struct relay_table *table, uint64_t now);
struct relay_issued *relay_table_find(struct relay_table *table,
				      uint64_t value, uint64_t now);

void relay_holder_init(struct relay_holder *holder);
void relay_holder_clear(struct relay_table *table,
			struct relay_holder *holder);
struct relay_label *relay_label_for(const struct relay_holder *holder,
				    const uint8_t for_key[LAYA_KEY_SIZE]);
struct relay_label *relay_label_set(struct relay_table *table,
				    struct relay_holder *holder,
				    const uint8_t for_key[LAYA_KEY_SIZE],
				    uint64_t now);
void relay_label_release(struct relay_table *table,
			 struct relay_holder *holder, uint64_t value);
bool relay_label_pay(const struct relay_table *table,
		     struct relay_label *label, size_t bytes, uint64_t now);
int relay_label_slot(struct relay_table *table, struct relay_label *label,
		     const struct laya_shims *shims, unsigned int at,
		     const struct relay_endpoint *from, uint64_t now,
		     uint64_t *previous, struct relay_flow **flow);

struct relay_flow *relay_flow_bind(struct relay_table *table,
				   struct relay_label *label,
				   uint64_t previous,
				   const struct relay_endpoint *from,
				   uint64_t now);
void relay_flow_prove(struct relay_table *table, struct relay_flow *flow,
		      uint64_t value);
void relay_flow_credit(struct relay_flow *flow, size_t bytes, uint64_t now);
bool relay_flow_debit(struct relay_flow *flow, size_t bytes, uint64_t now);

/* The dialler receives what is sent to it: a stream's has shown it by connecting. */
static inline bool relay_flow_proven(const struct relay_flow *flow)
{
	return flow->validated || relay_endpoint_is_stream(&flow->key.from);
}

static inline struct relay_label *relay_label_of(struct relay_issued *issued)
{
	return (struct relay_label *)((char *)issued -
				      offsetof(struct relay_label, issued));
}

static inline struct relay_flow *relay_flow_of(struct relay_issued *issued)
{
	return (struct relay_flow *)((char *)issued -
				     offsetof(struct relay_flow, issued));
}

#endif /* RENDEZVOUS_RELAY_LABEL_H */
