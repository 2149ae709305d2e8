/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Detours: where we reach no forwarder of a peer's, nor it one of ours, one of ours
 * is asked to lead to one of the peer's, which we name.
 *
 *	we ---- ours ==== the peer's ---- peer
 */
#ifndef LAYAD_DETOUR_H
#define LAYAD_DETOUR_H

#include "forwarder.h"
#include "message.h"
#include "node.h"
#include "peer.h"

/**
 * struct detour_view - a detour, for people
 * @candidate: as what it is dialled; without labels if it is not @up
 * @far: the peer's forwarder
 * @up: it leads there
 * @waiting: our forwarder was asked
 * @failure: why it is not @up; or empty
 */
struct detour_view {
	struct laya_candidate candidate;
	uint8_t far[LAYA_KEY_SIZE];
	bool up;
	bool waiting;
	const char *failure;
};

void detour_ask(struct peer *peer);
void detour_again(struct peer *peer);
void detour_told(struct peer *from, const struct laya_message *message);
void detour_refused(struct peer *from, const struct laya_message *message);
void detour_attached(struct forwarder *forwarder);
void detour_lost(struct forwarder *forwarder);
void detour_candidates(const struct peer *peer,
		       struct laya_candidates *candidates);
unsigned int detour_views(const struct peer *peer, struct detour_view *views,
			  unsigned int max);
void detour_stop(struct node *node);

#endif /* LAYAD_DETOUR_H */
