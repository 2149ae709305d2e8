/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is known from before: where peers were last reached at forwarders, and to
 * which forwarders we were attached ourselves.  It is kept on disk, so that nodes
 * that met once meet again without any rendezvous.
 *
 *	we ---- offer, for the peer ----> forwarder ---- in its session ----> peer
 *	   <--- answer ------------------	   <-----------------------
 *
 * A forwarder carries it to a host that is attached to it, if the host has a label
 * there for who offers: then it wants to be reached by him.  It is a courier among
 * others (courier.h), and asked when no rendezvous answers.
 */
#ifndef LAYAD_KNOWN_H
#define LAYAD_KNOWN_H

#include "message.h"
#include "node.h"

#define KNOWN_MAX	4

struct forwarder;
struct peer;

/**
 * struct known_place - where a peer was reached
 * @address: of the forwarder
 * @forwarder: its key
 */
struct known_place {
	struct laya_address address;
	uint8_t forwarder[LAYA_KEY_SIZE];
};

/**
 * struct known - what is known of a peer
 * @n: how many of @list
 * @list: the places that it told last
 * @at: when that was, seconds since 1970
 * @by: key of the forwarder that brought its last offer
 * @have_by: @by is set
 */
struct known {
	unsigned int n;
	struct known_place list[KNOWN_MAX];
	uint64_t at;
	uint8_t by[LAYA_KEY_SIZE];
	bool have_by;
};

int known_start(struct node *node);
void known_stop(struct node *node);
void known_learn(struct peer *peer, const struct laya_candidates *candidates);
void known_changed(struct node *node);
void known_forget(struct peer *peer);
bool known_carried(struct peer *forwarder, const struct laya_message *message);

#endif /* LAYAD_KNOWN_H */
