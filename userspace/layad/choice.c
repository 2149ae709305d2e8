// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include <sodium.h>

#include "choice.h"
#include "handshake.h"

/*
 * Rendezvous hashing: each node has an order of its own, which does not change
 * when others come and go, so relays share the load and attachments stay.
 */
static void weigh(uint8_t weight[crypto_generichash_BYTES],
		  const uint8_t own[LAYA_KEY_SIZE],
		  const uint8_t key[LAYA_KEY_SIZE])
{
	crypto_generichash(weight, crypto_generichash_BYTES, key,
			   LAYA_KEY_SIZE, own, LAYA_KEY_SIZE);
}

/* Is one better to begin with, whatever the weights; 0 if neither is */
static int better(const struct choice *a, const struct choice *b)
{
	if (a->preferred != b->preferred)
		return a->preferred ? 1 : -1;
	if (a->loaded != b->loaded)
		return a->loaded ? -1 : 1;
	return 0;
}

/**
 * choice_forwarder() - to which forwarder to attach next
 * @list: those that are known
 * @n: how many
 * @own: our public key
 *
 * Wherever there may be a gateway it is tried, but all of them count as one, and
 * only when we are attached: there is always one of the others to fall back to.
 *
 * Return: an index; -1 if enough are active, or no other may be tried now.
 */
int choice_forwarder(const struct choice *list, size_t n,
		     const uint8_t own[LAYA_KEY_SIZE])
{
	uint8_t weight[crypto_generichash_BYTES];
	uint8_t most[crypto_generichash_BYTES];
	unsigned int active = 0;
	bool gateway = false;
	int best = -1;
	int rank;
	size_t i;

	for (i = 0; i < n; i++) {
		if (list[i].gateway) {
			if (!list[i].active && !list[i].waiting)
				return i;
			gateway |= list[i].attached;
			continue;
		}
		if (list[i].active) {
			active++;
			continue;
		}
		if (list[i].waiting)
			continue;
		weigh(weight, own, list[i].key);
		rank = best < 0 ? 1 : better(&list[i], &list[best]);
		if (rank > 0 || (rank == 0 &&
				 memcmp(weight, most, sizeof(weight)) > 0)) {
			best = i;
			memcpy(most, weight, sizeof(most));
		}
	}
	return active + gateway < FORWARDERS_WANTED ? best : -1;
}

/**
 * choice_leaves() - to attach to a forwarder that is loaded, or rather not
 * @list: those that are known
 * @n: how many
 * @at: the one that has just said so; nothing goes over it yet
 *
 * Return: whether there is another to try, of which we do not know that it is
 * loaded too.
 */
bool choice_leaves(const struct choice *list, size_t n, size_t at)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!list[i].active && !list[i].waiting && !list[i].gateway &&
		    better(&list[i], &list[at]) > 0)
			return true;
	}
	return false;
}

/**
 * choice_ours_wins() - of two offers that crossed, which one counts
 * @own: our public key
 * @peer: theirs
 * @ours: what carries our offer
 * @theirs: what carries theirs
 *
 * An offer by courier beats one in the session, whoever makes it: who asks there
 * may have no session any more.  Both sides see the same.
 *
 * Return: true if ours counts and theirs is to be ignored.
 */
bool choice_ours_wins(const uint8_t own[LAYA_KEY_SIZE],
		      const uint8_t peer[LAYA_KEY_SIZE], enum via ours,
		      enum via theirs)
{
	if (ours != theirs)
		return ours < theirs;
	return laya_handshake_ours_wins(own, peer);
}
