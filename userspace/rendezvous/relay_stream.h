/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Carriers over streams: packets with a 16-bit length before each.  Anybody may
 * open one, and we do for a trunk; what comes by it is judged as what comes by UDP.
 *
 * An endpoint names a stream by its number, and no number comes twice: so there
 * may be endpoints of streams that are gone.
 */
#ifndef RENDEZVOUS_RELAY_STREAM_H
#define RENDEZVOUS_RELAY_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "listen.h"
#include "relay_socket.h"

bool relay_stream_take(struct relay *relay,
		       const struct laya_accepted *accepted,
		       struct relay_endpoint *end);
void relay_stream_forward(const struct relay_endpoint *to,
			  const struct relay_arrival *arrival, size_t at,
			  size_t len);
void relay_stream_send(const struct relay_endpoint *to, const uint8_t *packet,
		       size_t len);
void relay_stream_flush(struct relay *relay);
void relay_stream_address(const struct relay_endpoint *endpoint,
			  struct laya_address *address);
void relay_stream_care(struct relay *relay);
void relay_stream_close_all(struct relay *relay);

#endif /* RENDEZVOUS_RELAY_STREAM_H */
