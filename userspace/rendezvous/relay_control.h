/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages within the session of an attached host: datagrams from port 1 to
 * port 1.  Everything else that a host sends to a relay itself is refused.
 */
#ifndef RENDEZVOUS_RELAY_CONTROL_H
#define RENDEZVOUS_RELAY_CONTROL_H

#include <stddef.h>
#include <stdint.h>

struct laya_message;
struct relay_host;

void relay_control_send(struct relay_host *host,
			const struct laya_message *message);
void relay_control_receive(struct relay_host *host, const uint8_t *plain,
			   size_t len);

#endif /* RENDEZVOUS_RELAY_CONTROL_H */
