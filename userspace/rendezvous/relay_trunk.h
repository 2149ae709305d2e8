/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trunks: other forwarders, which hosts of ours have named.  The relay attaches
 * itself to them as a host does, under a key that it makes for each, and what these
 * hosts send with the label that they got for it is forwarded there.
 *
 * The far forwarder is a struct relay_host that is in no table, with one path, which
 * we have dialled; the labels that it holds lead to it, each bound to one host.
 */
#ifndef RENDEZVOUS_RELAY_TRUNK_H
#define RENDEZVOUS_RELAY_TRUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "relay_host.h"

struct relay;
struct relay_trunk;

void relay_trunk_asked(struct relay_host *host,
		       const struct laya_message *request);
bool relay_trunk_release(struct relay_host *host, uint64_t value);
void relay_trunk_host_gone(struct relay_host *host);
void relay_trunk_reached(struct relay_trunk *trunk);
bool relay_trunk_answered(struct relay_trunk *trunk,
			  const struct laya_message *answer);
void relay_trunk_stream_lost(struct relay *relay,
			     const struct relay_endpoint *end);
void relay_trunk_care(struct relay *relay);
void relay_trunk_close(struct relay *relay);

#endif /* RENDEZVOUS_RELAY_TRUNK_H */
