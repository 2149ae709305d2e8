/* SPDX-License-Identifier: GPL-2.0 */
/* Which forwarders to attach to, and whose offer counts: pure functions. */
#ifndef LAYAD_CHOICE_H
#define LAYAD_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key.h"

/* Fewer when fewer are known */
#define FORWARDERS_WANTED	2

/**
 * enum via - what carries a handshake; the first of two that differ wins
 * @VIA_COURIER: a courier, which one does not matter
 * @VIA_CHANNEL: a channel between the two nodes
 * @VIA_SESSION: the session that is to be replaced
 */
enum via {
	VIA_COURIER,
	VIA_CHANNEL,
	VIA_SESSION,
};

/**
 * struct choice - a forwarder that may be chosen
 * @key: its key
 * @active: we are attached to it, or about to
 * @waiting: it failed, and is left alone for a while
 * @preferred: it is in our configuration, or was in use before a restart
 * @loaded: it has said that it has much to do
 * @gateway: it may be a gateway, which costs nobody a detour
 * @attached: we are attached to it
 */
struct choice {
	uint8_t key[LAYA_KEY_SIZE];
	bool active;
	bool waiting;
	bool preferred;
	bool loaded;
	bool gateway;
	bool attached;
};

/* Percent; who has more to do had better not have another host */
#define FORWARDER_LOADED	75

int choice_forwarder(const struct choice *list, size_t n,
		     const uint8_t own[LAYA_KEY_SIZE]);
bool choice_leaves(const struct choice *list, size_t n, size_t at);
bool choice_ours_wins(const uint8_t own[LAYA_KEY_SIZE],
		      const uint8_t peer[LAYA_KEY_SIZE], enum via ours,
		      enum via theirs);

#endif /* LAYAD_CHOICE_H */
