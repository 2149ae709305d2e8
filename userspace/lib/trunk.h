/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trunks: a forwarder attaches itself to another one, since a host of its has
 * named that.  This is what it may be made to do so, and how often: pure.
 *
 *	host ---- forwarder ==== trunk ==== forwarder ---- host
 *
 * Whoever is named hears of it once it is dialled: by one TCP connection with a
 * message of Noise in it, of 50 bytes.  Until it has shown the key that the host
 * has named it hears nothing else.
 */
#ifndef LAYA_TRUNK_H
#define LAYA_TRUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "limit.h"

/* From the first byte to a path; the host asks for 7 seconds (1, 2 and 4) */
#define LAYA_TRUNK_DIAL_MS	5000
/* Without being asked for again: as long as labels live */
#define LAYA_TRUNK_LIFE_MS	180000

/* Trunks of all hosts, those of one, and those that are being dialled */
#define LAYA_TRUNK_MAX		256
#define LAYA_TRUNK_MAX_HOST	4
#define LAYA_TRUNK_MAX_DIALLING	16

/**
 * enum laya_trunk_to - to where a forwarder lets hosts lead it
 * @LAYA_TRUNK_TO_PUBLIC: not into its own networks: to no private address
 * @LAYA_TRUNK_TO_ANY: to all addresses
 * @LAYA_TRUNK_TO_NONE: nowhere
 */
enum laya_trunk_to {
	LAYA_TRUNK_TO_PUBLIC,
	LAYA_TRUNK_TO_ANY,
	LAYA_TRUNK_TO_NONE,
};

/**
 * struct laya_trunk_host - what a host has had of it; all zero is nothing
 * @n: trunks that it uses
 * @dials: that were done for it
 */
struct laya_trunk_host {
	unsigned int n;
	struct bucket dials;
};

/**
 * struct laya_trunk_budget - what all have had
 * @n: trunks
 * @dialling: those that are no further yet
 * @dials: there were
 * @towards: the same by destination
 */
struct laya_trunk_budget {
	unsigned int n;
	unsigned int dialling;
	struct bucket dials;
	struct sources towards;
};

int laya_trunk_budget_init(struct laya_trunk_budget *budget);
void laya_trunk_budget_free(struct laya_trunk_budget *budget);
int laya_trunk_to_parse(enum laya_trunk_to *to, const char *text);
bool laya_trunk_leads(enum laya_trunk_to to,
		      const struct laya_address *address);
bool laya_trunk_use(struct laya_trunk_host *host);
void laya_trunk_unuse(struct laya_trunk_host *host);
struct source *laya_trunk_dial(struct laya_trunk_budget *budget,
			       struct laya_trunk_host *host,
			       const struct laya_address *address,
			       uint64_t now);
void laya_trunk_dialled(struct laya_trunk_budget *budget,
			struct source *towards);
void laya_trunk_end(struct laya_trunk_budget *budget);

#endif /* LAYA_TRUNK_H */
