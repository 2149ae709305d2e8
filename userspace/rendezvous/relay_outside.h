/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host asks whether its gateway can be reached from outside: the one path that the
 * relay dials.  Nothing but probes goes there.
 */
#ifndef RENDEZVOUS_RELAY_OUTSIDE_H
#define RENDEZVOUS_RELAY_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "candidate.h"
#include "packet.h"
#include "relay_endpoint.h"

struct relay_host;
struct relay_session;

/**
 * struct relay_outside - a way to a host that it wants tried
 * @id: of the path; 0 is none
 * @last: id of the last one, without the top bit
 * @end: where the gateway is
 * @n_labels: how many of @labels
 * @labels: to put in front
 * @tries: probes that were sent
 * @sent: milliseconds, the last of them
 */
struct relay_outside {
	uint16_t id;
	uint16_t last;
	struct relay_endpoint end;
	unsigned int n_labels;
	uint64_t labels[LAYA_CANDIDATE_MAX_LABELS];
	unsigned int tries;
	uint64_t sent;
};

void relay_outside_ask(struct relay_host *host,
		       const struct laya_candidates *candidates);
bool relay_outside_tend(struct relay_host *host);
void relay_outside_opened(struct relay_host *host,
			  const struct laya_shims *shims, const uint8_t *plain,
			  size_t len, const struct relay_endpoint *from);

#endif /* RENDEZVOUS_RELAY_OUTSIDE_H */
