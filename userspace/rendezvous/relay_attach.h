/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How hosts attach: a channel with the prologue "laya attach 1", over which they
 * make the handshake and ask for labels; later they do both in the session.
 */
#ifndef RENDEZVOUS_RELAY_ATTACH_H
#define RENDEZVOUS_RELAY_ATTACH_H

#include <stdbool.h>

#include "channel.h"
#include "listen.h"
#include "message.h"

struct relay;
struct relay_caller;
struct relay_endpoint;
struct relay_host;

void relay_attach_take(struct relay *relay,
		       const struct laya_accepted *accepted);
int relay_attach_message(struct relay *relay, struct laya_channel *channel,
			 const struct laya_message *message,
			 struct relay_caller *caller);
bool relay_attach_packet(struct relay *relay, const struct relay_endpoint *from,
			 const uint8_t *packet, size_t len);
void relay_attach_close(struct relay *relay);

int relay_attach_offer(struct relay_host *host,
		       const struct laya_message *offer,
		       struct laya_message *reply);
bool relay_attach_followup(struct relay_host *host,
			   const struct laya_message *message);
int relay_attach_label_request(struct relay_host *host,
			       const struct laya_message *request,
			       struct laya_message *reply);
void relay_attach_label_release(struct relay_host *host,
				const struct laya_message *message);

#endif /* RENDEZVOUS_RELAY_ATTACH_H */
