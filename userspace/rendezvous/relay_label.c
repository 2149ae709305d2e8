// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "relay_label.h"

static struct relay_issued_chain *chain_of(struct relay_table *table,
					   uint64_t value)
{
	return &table->issued[value & table->issued_mask];
}

static struct relay_flow_chain *chain_of_key(struct relay_table *table,
					     const struct relay_flow_key *key)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t index;

	crypto_shorthash(hash, (const uint8_t *)key, sizeof(*key),
			 table->hash_key);
	memcpy(&index, hash, sizeof(index));
	return &table->by_key[index & table->by_key_mask];
}

static size_t power_of_two(size_t at_least)
{
	size_t size = 16;

	while (size < at_least)
		size *= 2;
	return size;
}

/**
 * relay_table_init() - make an empty table
 * @table: the table
 * @limits: how much may be in it
 *
 * Return: 0 or -ENOMEM.
 */
int relay_table_init(struct relay_table *table,
		     const struct relay_table_limits *limits)
{
	size_t size;

	memset(table, 0, sizeof(*table));
	table->limits = *limits;
	size = power_of_two(limits->labels + limits->flows);
	table->issued_mask = size - 1;
	table->issued = calloc(size, sizeof(*table->issued));
	if (!table->issued)
		return -ENOMEM;
	size = power_of_two(limits->flows);
	table->by_key_mask = size - 1;
	table->by_key = calloc(size, sizeof(*table->by_key));
	if (!table->by_key) {
		free(table->issued);
		return -ENOMEM;
	}
	randombytes_buf(table->hash_key, sizeof(table->hash_key));
	TAILQ_INIT(&table->labels);
	TAILQ_INIT(&table->flows);
	TAILQ_INIT(&table->unvalidated);
	return 0;
}

static struct relay_flow_list *list_of(struct relay_flow *flow)
{
	return flow->validated ? &flow->label->validated :
				 &flow->label->unvalidated;
}

static void remove_flow(struct relay_table *table, struct relay_flow *flow)
{
	LIST_REMOVE(&flow->issued, chain);
	LIST_REMOVE(flow, chain);
	TAILQ_REMOVE(list_of(flow), flow, of_label);
	if (!flow->validated)
		TAILQ_REMOVE(&table->unvalidated, flow, oldest);
	TAILQ_REMOVE(&table->flows, flow, entry);
	flow->label->n_flows--;
	table->n_flows--;
	free(flow);
}

static void remove_label(struct relay_table *table, struct relay_label *label)
{
	struct relay_flow *flow;

	while ((flow = TAILQ_FIRST(&label->validated)) ||
	       (flow = TAILQ_FIRST(&label->unvalidated)))
		remove_flow(table, flow);
	LIST_REMOVE(&label->issued, chain);
	TAILQ_REMOVE(&table->labels, label, entry);
	TAILQ_REMOVE(&label->holder->labels, label, of_holder);
	label->holder->n_labels--;
	table->n_labels--;
	free(label);
}

/**
 * relay_table_free() - remove everything
 * @table: the table
 */
void relay_table_free(struct relay_table *table)
{
	struct relay_label *label;

	while ((label = TAILQ_FIRST(&table->labels)))
		remove_label(table, label);
	free(table->issued);
	free(table->by_key);
}

/**
 * relay_table_expire() - remove labels whose time is over, and idle flows
 * @table: the table
 * @now: milliseconds
 *
 * Looks at a part of the flows each time: called each second, it has seen all of
 * them after sixteen.
 */
void relay_table_expire(struct relay_table *table, uint64_t now)
{
	size_t n = table->n_flows / 16 + 1;
	struct relay_label *label;
	struct relay_flow *flow;

	while ((label = TAILQ_FIRST(&table->labels)) && label->expires <= now)
		remove_label(table, label);
	for (; n > 0 && (flow = TAILQ_FIRST(&table->flows)); n--) {
		if (now - flow->last >= RELAY_FLOW_IDLE_MS) {
			remove_flow(table, flow);
			continue;
		}
		TAILQ_REMOVE(&table->flows, flow, entry);
		TAILQ_INSERT_TAIL(&table->flows, flow, entry);
	}
}

static struct relay_issued *find(struct relay_table *table, uint64_t value)
{
	struct relay_issued *issued;

	LIST_FOREACH(issued, chain_of(table, value), chain) {
		if (issued->value == value)
			return issued;
	}
	return NULL;
}

/**
 * relay_table_find() - a label or return label that we issued
 * @table: the table
 * @value: what a packet carries
 * @now: milliseconds
 *
 * Return: it, or NULL.
 */
struct relay_issued *relay_table_find(struct relay_table *table,
				      uint64_t value, uint64_t now)
{
	struct relay_issued *issued = find(table, value);
	struct relay_label *label;

	if (!issued)
		return NULL;
	label = issued->is_flow ? relay_flow_of(issued)->label :
				  relay_label_of(issued);
	return label->expires > now ? issued : NULL;
}

/* Publish @issued under a value that nothing else has. */
static void issue(struct relay_table *table, struct relay_issued *issued)
{
	do {
		issued->value = 0;
		randombytes_buf(&issued->value, LAYA_LABEL_SIZE);
	} while (issued->value == 0 || find(table, issued->value));
	LIST_INSERT_HEAD(chain_of(table, issued->value), issued, chain);
}

/**
 * relay_holder_init() - somebody without labels
 * @holder: the holder
 */
void relay_holder_init(struct relay_holder *holder)
{
	TAILQ_INIT(&holder->labels);
	holder->n_labels = 0;
}

/**
 * relay_holder_clear() - remove all labels of a holder
 * @table: the table
 * @holder: the holder
 */
void relay_holder_clear(struct relay_table *table, struct relay_holder *holder)
{
	struct relay_label *label;

	while ((label = TAILQ_FIRST(&holder->labels)))
		remove_label(table, label);
}

/**
 * relay_label_for() - is somebody to reach a holder
 * @holder: the holder
 * @for_key: he
 *
 * Return: the holder's label for him, or NULL.
 */
struct relay_label *relay_label_for(const struct relay_holder *holder,
				    const uint8_t for_key[LAYA_KEY_SIZE])
{
	struct relay_label *label;

	TAILQ_FOREACH(label, &holder->labels, of_holder) {
		if (laya_key_equal(label->for_key, for_key))
			return label;
	}
	return NULL;
}

/**
 * relay_label_set() - issue a label, or renew the one that there is
 * @table: the table
 * @holder: whose it is
 * @for_key: to whom the holder will tell it
 * @now: milliseconds
 *
 * Return: the label; NULL if no more may be, or there is no memory.
 */
struct relay_label *relay_label_set(struct relay_table *table,
				    struct relay_holder *holder,
				    const uint8_t for_key[LAYA_KEY_SIZE],
				    uint64_t now)
{
	struct relay_label *label = relay_label_for(holder, for_key);

	if (label) {
		TAILQ_REMOVE(&table->labels, label, entry);
	} else {
		if (holder->n_labels >= table->limits.holder_labels ||
		    table->n_labels >= table->limits.labels)
			return NULL;
		label = calloc(1, sizeof(*label));
		if (!label)
			return NULL;
		label->holder = holder;
		memcpy(label->for_key, for_key, LAYA_KEY_SIZE);
		TAILQ_INIT(&label->validated);
		TAILQ_INIT(&label->unvalidated);
		issue(table, &label->issued);
		TAILQ_INSERT_TAIL(&holder->labels, label, of_holder);
		holder->n_labels++;
		table->n_labels++;
	}
	/* All live equally long, so the newest is the last to expire. */
	label->expires = now + RELAY_LABEL_LIFE_MS;
	TAILQ_INSERT_TAIL(&table->labels, label, entry);
	return label;
}

/**
 * relay_label_release() - a holder wants a label no more
 * @table: the table
 * @holder: the holder
 * @value: the label; nothing is done unless it is the holder's
 */
void relay_label_release(struct relay_table *table,
			 struct relay_holder *holder, uint64_t value)
{
	struct relay_issued *issued = find(table, value);

	if (issued && !issued->is_flow &&
	    relay_label_of(issued)->holder == holder)
		remove_label(table, relay_label_of(issued));
}

/**
 * relay_label_pay() - may so much go through a label now
 * @table: the table
 * @label: the label
 * @bytes: how much
 * @now: milliseconds
 *
 * Return: whether it may.
 */
bool relay_label_pay(const struct relay_table *table,
		     struct relay_label *label, size_t bytes, uint64_t now)
{
	return table->limits.rate.per_second == 0 ||
	       bucket_take(&label->bucket, &table->limits.rate, now, bytes);
}

static void make_key(struct relay_flow_key *key, uint64_t label,
		     uint64_t previous, const struct relay_endpoint *from)
{
	key->label = label;
	key->previous = previous;
	key->from = *from;
}

static struct relay_flow *find_flow(struct relay_table *table,
				    const struct relay_flow_key *key)
{
	struct relay_flow *flow;

	LIST_FOREACH(flow, chain_of_key(table, key), chain) {
		if (memcmp(key, &flow->key, sizeof(*key)) == 0)
			return flow;
	}
	return NULL;
}

/**
 * relay_label_slot() - which return slot of a packet to write
 * @table: the table
 * @label: the label on which we act
 * @shims: what the packet carries
 * @at: which of its labels @label is
 * @from: where it came from
 * @now: milliseconds
 * @previous: set to the return label in front of the slot
 * @flow: set to the flow that the packet is of, or to NULL
 *
 * Where there is a slot for each label, ours has the place of our label, since
 * forwarders write them in the order in which a packet meets them; otherwise it
 * is the first that is ours or empty.  One that holds the return label of this
 * very dialler is left alone.  One that holds something else in our place is
 * written anew: it is what only the dialler has seen (see relay_flow_prove()), the
 * dialler has another address now, or we forgot its flow.
 *
 * Return: the slot to write, or -1 when there is none.
 */
int relay_label_slot(struct relay_table *table, struct relay_label *label,
		     const struct laya_shims *shims, unsigned int at,
		     const struct relay_endpoint *from, uint64_t now,
		     uint64_t *previous, struct relay_flow **flow)
{
	bool placed = shims->n_returns == shims->n_labels;
	unsigned int i = placed ? at : 0;
	struct relay_issued *issued;
	struct relay_flow_key key;
	struct relay_flow *found;

	*flow = NULL;
	*previous = i > 0 ? shims->returns[i - 1] : 0;
	for (; i < shims->n_returns; i++) {
		if (shims->returns[i] == 0)
			return i;
		make_key(&key, label->issued.value, *previous, from);
		issued = relay_table_find(table, shims->returns[i], now);
		if (issued && issued->is_flow) {
			if (memcmp(&key, &relay_flow_of(issued)->key,
				   sizeof(key)) != 0)
				return i;
			*flow = relay_flow_of(issued);
			return -1;
		}
		if (placed)
			return i;
		found = find_flow(table, &key);
		if (found && found->proof == shims->returns[i])
			return i;
		*previous = shims->returns[i];
	}
	return -1;
}

/* The oldest flow that no dialler has confirmed makes room. */
static bool make_room(struct relay_table *table, struct relay_label *label)
{
	if (label->n_flows >= table->limits.label_flows) {
		if (TAILQ_EMPTY(&label->unvalidated))
			return false;
		remove_flow(table, TAILQ_FIRST(&label->unvalidated));
	}
	if (table->n_flows >= table->limits.flows) {
		if (TAILQ_EMPTY(&table->unvalidated))
			return false;
		remove_flow(table, TAILQ_FIRST(&table->unvalidated));
	}
	return true;
}

/**
 * relay_flow_bind() - the flow of a dialler: the one there is, or a new one
 * @table: the table
 * @label: the label through which it came
 * @previous: the return label of a forwarder between it and us, or 0
 * @from: where it came from
 * @now: milliseconds
 *
 * Return: the flow, or NULL when there is no room.
 */
struct relay_flow *relay_flow_bind(struct relay_table *table,
				   struct relay_label *label,
				   uint64_t previous,
				   const struct relay_endpoint *from,
				   uint64_t now)
{
	struct relay_flow_key key;
	struct relay_flow *flow;

	make_key(&key, label->issued.value, previous, from);
	flow = find_flow(table, &key);
	if (flow)
		return flow;
	if (!make_room(table, label))
		return NULL;
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		return NULL;
	flow->issued.is_flow = true;
	flow->label = label;
	flow->key = key;
	flow->last = now;
	issue(table, &flow->issued);
	while (flow->proof == 0)
		randombytes_buf(&flow->proof, LAYA_LABEL_SIZE);
	LIST_INSERT_HEAD(chain_of_key(table, &key), flow, chain);
	TAILQ_INSERT_TAIL(&table->flows, flow, entry);
	TAILQ_INSERT_TAIL(&label->unvalidated, flow, of_label);
	TAILQ_INSERT_TAIL(&table->unvalidated, flow, oldest);
	label->n_flows++;
	table->n_flows++;
	return flow;
}

/**
 * relay_flow_prove() - a dialler shows something in the place of its return label
 * @table: the table
 * @flow: the flow of its address
 * @value: what it shows
 *
 * If that is what stood before an answer in place of the return label, it receives
 * what we send it (RFC 9000, 8.1).
 */
void relay_flow_prove(struct relay_table *table, struct relay_flow *flow,
		      uint64_t value)
{
	if (flow->validated || value != flow->proof)
		return;
	TAILQ_REMOVE(&flow->label->unvalidated, flow, of_label);
	TAILQ_REMOVE(&table->unvalidated, flow, oldest);
	flow->validated = true;
	TAILQ_INSERT_TAIL(&flow->label->validated, flow, of_label);
}

/**
 * relay_flow_credit() - a dialler has sent something
 * @flow: its flow
 * @bytes: how much
 * @now: milliseconds
 */
void relay_flow_credit(struct relay_flow *flow, size_t bytes, uint64_t now)
{
	flow->allowance += RELAY_AMPLIFICATION * bytes;
	flow->last = now;
}

/**
 * relay_flow_debit() - something is to go to a dialler
 * @flow: its flow
 * @bytes: how much
 * @now: milliseconds
 *
 * Return: false if it has confirmed nothing, and that would be more than three
 * times what it sent.
 */
bool relay_flow_debit(struct relay_flow *flow, size_t bytes, uint64_t now)
{
	if (!relay_flow_proven(flow)) {
		if (flow->allowance < bytes)
			return false;
		flow->allowance -= bytes;
	}
	flow->last = now;
	return true;
}
