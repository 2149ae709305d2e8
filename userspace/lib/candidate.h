/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Candidates: where a node says it can be reached.
 */
#ifndef LAYA_CANDIDATE_H
#define LAYA_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "codec.h"
#include "key.h"

#define LAYA_LABEL_SIZE			6
#define LAYA_CANDIDATE_MAX_LABELS	2
/* More in a message are read over, not kept */
#define LAYA_MAX_CANDIDATES		16

enum laya_candidate_type {
	LAYA_CANDIDATE_HOST = 1,
	LAYA_CANDIDATE_MAPPED,
	LAYA_CANDIDATE_GATEWAY,
	LAYA_CANDIDATE_PEER_RELAY,
	LAYA_CANDIDATE_RELAY,
};

/**
 * struct laya_candidate - one address at which a node can be reached
 * @type: what stands there
 * @address: where to send
 * @n_labels: how many of @labels to put on a packet, the outer one first
 * @labels: labels that the forwarders gave out
 * @have_forwarder: @forwarder is set
 * @forwarder: public key of the forwarder at @address
 */
struct laya_candidate {
	enum laya_candidate_type type;
	struct laya_address address;
	unsigned int n_labels;
	uint8_t labels[LAYA_CANDIDATE_MAX_LABELS][LAYA_LABEL_SIZE];
	bool have_forwarder;
	uint8_t forwarder[LAYA_KEY_SIZE];
};

/**
 * struct laya_candidates - the candidates of one message
 * @n: how many
 * @list: the candidates, preferred first
 */
struct laya_candidates {
	unsigned int n;
	struct laya_candidate list[LAYA_MAX_CANDIDATES];
};

bool laya_candidate_is_dialable(const struct laya_candidate *candidate);
bool laya_candidate_equal(const struct laya_candidate *a,
			  const struct laya_candidate *b);
int laya_candidates_add(struct laya_candidates *candidates,
			const struct laya_candidate *candidate);
const char *laya_candidate_type_name(enum laya_candidate_type type);

void laya_candidates_write(struct laya_writer *writer,
			   const struct laya_candidates *candidates);
void laya_candidates_read(struct laya_reader *reader,
			  struct laya_candidates *candidates);
void laya_address_write(struct laya_writer *writer,
			const struct laya_address *address);
void laya_address_read(struct laya_reader *reader,
		       struct laya_address *address);

#endif /* LAYA_CANDIDATE_H */
