// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "trunk.h"

/* Destinations that are remembered */
#define MAX_TOWARDS	1024

/* In tenths of a dial: a host has 4, then one in 5 seconds */
static const struct rate host_rate = { .per_second = 2, .burst = 40 };
/* A destination has 3, then one in 10 seconds */
static const struct rate towards_rate = { .per_second = 1, .burst = 30 };
/* All have 32, then 5 each second */
static const struct rate all_rate = { .per_second = 50, .burst = 320 };

#define DIAL	10

/**
 * laya_trunk_budget_init() - nothing was done yet
 * @budget: what all have had
 *
 * Return: 0 or -ENOMEM.
 */
int laya_trunk_budget_init(struct laya_trunk_budget *budget)
{
	memset(budget, 0, sizeof(*budget));
	return sources_init(&budget->towards, MAX_TOWARDS);
}

/**
 * laya_trunk_budget_free() - give memory back
 * @budget: what all have had
 */
void laya_trunk_budget_free(struct laya_trunk_budget *budget)
{
	sources_free(&budget->towards);
}

/**
 * laya_trunk_to_parse() - read what an administrator wants
 * @to: where to put it
 * @text: public, any or no
 *
 * Return: 0 or -EINVAL.
 */
int laya_trunk_to_parse(enum laya_trunk_to *to, const char *text)
{
	static const char * const names[] = {
		[LAYA_TRUNK_TO_PUBLIC] = "public",
		[LAYA_TRUNK_TO_ANY] = "any",
		[LAYA_TRUNK_TO_NONE] = "no",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*to = i;
			return 0;
		}
	}
	return -EINVAL;
}

/**
 * laya_trunk_leads() - may a trunk lead there
 * @to: what the administrator wants
 * @address: where
 *
 * Strangers must not find out by us what there is in networks behind us.
 *
 * Return: whether it may.
 */
bool laya_trunk_leads(enum laya_trunk_to to, const struct laya_address *address)
{
	if (to == LAYA_TRUNK_TO_NONE || !laya_address_is_dialable(address) ||
	    laya_address_is_link_local(address))
		return false;
	return to == LAYA_TRUNK_TO_ANY || !laya_address_is_private(address);
}

/**
 * laya_trunk_use() - a host wants one more trunk, new or not
 * @host: the host
 *
 * Return: whether it may have it; then laya_trunk_unuse() ends that.
 */
bool laya_trunk_use(struct laya_trunk_host *host)
{
	if (host->n >= LAYA_TRUNK_MAX_HOST)
		return false;
	host->n++;
	return true;
}

/**
 * laya_trunk_unuse() - a host has one less
 * @host: the host
 */
void laya_trunk_unuse(struct laya_trunk_host *host)
{
	host->n--;
}

/**
 * laya_trunk_dial() - may a new trunk be dialled
 * @budget: what all have had
 * @host: for whom
 * @address: where to
 * @now: milliseconds
 *
 * Return: the destination, for laya_trunk_dialled(), and laya_trunk_end() ends
 * the trunk; NULL if it may not.
 */
struct source *laya_trunk_dial(struct laya_trunk_budget *budget,
			       struct laya_trunk_host *host,
			       const struct laya_address *address, uint64_t now)
{
	struct source *towards;

	if (budget->n >= LAYA_TRUNK_MAX ||
	    budget->dialling >= LAYA_TRUNK_MAX_DIALLING ||
	    !bucket_take(&host->dials, &host_rate, now, DIAL) ||
	    !bucket_take(&budget->dials, &all_rate, now, DIAL))
		return NULL;
	/* One of the ten that a dial costs is taken by that. */
	towards = sources_connect(&budget->towards, address, &towards_rate,
				  LAYA_TRUNK_MAX_DIALLING, now);
	if (!towards)
		return NULL;
	if (!bucket_take(&towards->arrivals, &towards_rate, now, DIAL - 1)) {
		sources_disconnect(&budget->towards, towards);
		return NULL;
	}
	budget->n++;
	budget->dialling++;
	return towards;
}

/**
 * laya_trunk_dialled() - a trunk is there, or is not
 * @budget: what all have had
 * @towards: of laya_trunk_dial()
 */
void laya_trunk_dialled(struct laya_trunk_budget *budget,
			struct source *towards)
{
	sources_disconnect(&budget->towards, towards);
	budget->dialling--;
}

/**
 * laya_trunk_end() - a trunk is over
 * @budget: what all have had
 */
void laya_trunk_end(struct laya_trunk_budget *budget)
{
	budget->n--;
}
