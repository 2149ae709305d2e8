/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which addresses to tell to a peer, and which of its to dial, and as what.
 *
 * Pure functions over our own addresses; addresses.c gets those from the
 * kernel, node.c knows the rest.
 */
#ifndef LAYAD_CANDIDATES_H
#define LAYAD_CANDIDATES_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "candidate.h"

#define LOCALS_MAX		64
/* Of the 16 in a message, so that forwarders always have room */
#define CANDIDATES_MAX_HOST	8

/**
 * struct local - an address of ours
 * @address: the address; its port is 0
 * @prefix: bits of the network that it is in
 * @ifindex: interface
 * @link_local: it is fe80::/10
 */
struct local {
	struct laya_address address;
	uint8_t prefix;
	uint32_t ifindex;
	bool link_local;
};

struct locals {
	unsigned int n;
	struct local list[LOCALS_MAX];
};

bool locals_add(struct locals *locals, const struct local *local);
bool locals_equal(const struct locals *a, const struct locals *b);
bool locals_on_link(const struct locals *locals,
		    const struct laya_address *address);
bool locals_have(const struct locals *locals,
		 const struct laya_address *address);
bool locals_have_family(const struct locals *locals, uint16_t family);
void candidates_add_hosts(struct laya_candidates *candidates,
			  const struct locals *locals, uint16_t port);
bool candidates_equal(const struct laya_candidates *a,
		      const struct laya_candidates *b);
uint32_t candidate_kind(const struct laya_candidate *candidate,
			const struct locals *locals);
const char *candidate_refused(const struct laya_candidate *candidate,
			      const struct locals *locals, uint16_t port,
			      bool probe_mapped);

#endif /* LAYAD_CANDIDATES_H */
