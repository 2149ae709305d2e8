/* SPDX-License-Identifier: GPL-2.0 */
/* Connections to the rendezvous servers of the configuration: all are used. */
#ifndef LAYAD_RENDEZVOUS_H
#define LAYAD_RENDEZVOUS_H

#include "contact.h"
#include "courier.h"
#include "node.h"
#include "peer.h"

/* Other couriers need bits too. */
#define RENDEZVOUS_MAX	(COURIERS_MAX - 8)

/**
 * struct rendezvous - one server
 * @entry: in node->rendezvous
 * @node: ours
 * @server: its place in the configuration
 * @contact: the connection; up when it knows us
 * @courier: it
 * @observed: our address as it sees it
 * @relays: the relays that it knows
 */
struct rendezvous {
	TAILQ_ENTRY(rendezvous) entry;
	struct node *node;
	const struct laya_config_server *server;
	struct contact contact;
	struct courier courier;
	struct laya_address observed;
	struct laya_relays relays;
};

int rendezvous_start(struct node *node);
void rendezvous_stop(struct node *node);
void rendezvous_register_again(struct node *node);
void rendezvous_retry(struct node *node);
void rendezvous_resumed(struct node *node);
unsigned int rendezvous_up(const struct node *node);
bool rendezvous_by_udp_alone(const struct node *node);

#endif /* LAYAD_RENDEZVOUS_H */
