// SPDX-License-Identifier: GPL-2.0
/*
 * How large a packet a path carries: RFC 8899, with padded probe requests.
 *
 * The search begins at the top, for most paths carry that, and goes down. What is
 * known is not raised by anything but an answer, and is asked for again while there
 * is traffic: a path that got narrower without a word would swallow every full
 * packet, and small probes would not notice. A padded probe that is lost says
 * nothing of the path's health.
 */

#include <linux/jiffies.h>
#include <linux/siphash.h>

#include "path.h"

#define MTU_TRIES	3
#define MTU_WAIT_MS	100	/* at least; else as long as for other probes */
#define MTU_CONFIRM_MS	2000	/* while there is traffic */
#define MTU_RAISE_MS	600000	/* RFC 8899, 5.1.1 */
#define MTU_STEP	40
#define MTU_NARROW	996	/* 1024 of IPv4; between base and least */

/**
 * laya_path_mtu_below - the next smaller size to try
 * @size: One that failed.
 *
 * Return: It, or 0 below what every path carries.
 */
u16 laya_path_mtu_below(u16 size)
{
	if (size > LAYA_PATH_BASE_MTU)
		return max(size - MTU_STEP, LAYA_PATH_BASE_MTU);
	if (size > MTU_NARROW)
		return MTU_NARROW;
	return size > LAYA_PATH_MIN_MTU ? LAYA_PATH_MIN_MTU : 0;
}

/**
 * laya_path_mtu_token - what the answer to a padded probe repeats
 * @path: The path.
 * @seq: Number of the probe.
 *
 * Return: The token; unguessable, and another than that of other probes.
 */
__be64 laya_path_mtu_token(const struct laya_path *path, u32 seq)
{
	return (__force __be64)siphash_2u32(seq, 2, &path->probe.key);
}

/* A stream to the far side itself carries whatever there is. */
static bool mtu_fixed(const struct laya_path *path)
{
	return path->endpoint.carrier && !path->n_labels;
}

static void mtu_try(struct laya_path *path, u16 size)
{
	path->search.size = size;
	path->search.tries = 0;
}

/* From the top. */
static void mtu_begin(struct laya_path *path, unsigned long now)
{
	path->search.began = now;
	mtu_try(path, LAYA_PATH_MAX_MTU);
}

/**
 * laya_path_mtu_restart - nothing is known of what a path carries
 * @path: New, or to another address than before; its lock is held.
 */
void laya_path_mtu_restart(struct laya_path *path)
{
	if (mtu_fixed(path)) {
		WRITE_ONCE(path->mtu, LAYA_PATH_MAX_MTU);
		path->search.size = 0;
		return;
	}
	WRITE_ONCE(path->mtu, LAYA_PATH_BASE_MTU);
	path->search.found = LAYA_PATH_BASE_MTU;
	mtu_begin(path, jiffies);
}

static void mtu_rest(struct laya_path *path, unsigned long now, unsigned int ms)
{
	path->search.size = 0;
	path->search.tries = 0;
	path->search.next = now + msecs_to_jiffies(ms);
}

/* @size does not get through. */
static void mtu_failed(struct laya_path *path, u16 size, unsigned long now)
{
	u16 below = laya_path_mtu_below(size);

	/* It did so far: the path has changed. */
	if (size <= path->mtu && below) {
		WRITE_ONCE(path->mtu, min(below, LAYA_PATH_BASE_MTU));
		path->search.shrunk = true;
	}
	path->search.found = path->mtu;
	path->search.lost += path->search.tries;
	if (below >= path->mtu)
		mtu_try(path, below);
	else
		mtu_rest(path, now, MTU_CONFIRM_MS);
}

/*
 * Where nothing at all arrives it is not the size, and 600 s of small packets
 * would follow an outage: below the base, something must have been heard.
 */
static void mtu_unanswered(struct laya_path *path, unsigned long now)
{
	struct laya_path_mtu *search = &path->search;

	if (search->size > LAYA_PATH_BASE_MTU ||
	    time_after(path->last_rx, search->since)) {
		mtu_failed(path, search->size, now);
		return;
	}
	search->lost += search->tries;
	mtu_rest(path, now, MTU_CONFIRM_MS);
}

/**
 * laya_path_mtu_refused - the carrier would not even send a size
 * @path: The path; its lock is held.
 * @size: The size.
 */
void laya_path_mtu_refused(struct laya_path *path, u16 size)
{
	if (path->search.size == size)
		mtu_failed(path, size, jiffies);
}

static bool mtu_busy(const struct laya_path *path, unsigned long now)
{
	return path->last_tx_data &&
	       time_before(now, path->last_tx_data +
				msecs_to_jiffies(LAYA_PROBE_BUSY_MS));
}

/**
 * laya_path_mtu_due - is a padded probe to be sent now?
 * @path: A usable path; its lock is held.
 * @now: jiffies.
 * @next: Made smaller when there is something to do before.
 *
 * Return: Its size, and its number is path->search.seq; 0 when none is.
 */
u16 laya_path_mtu_due(struct laya_path *path, unsigned long now,
		      unsigned long *next)
{
	struct laya_path_mtu *search = &path->search;
	unsigned long due, wait;

	if (mtu_fixed(path))
		return 0;
	wait = msecs_to_jiffies(max_t(unsigned int, MTU_WAIT_MS,
				      laya_path_patience_ms(path->srtt_us,
							    path->rttvar_us)));
	if (search->size && search->tries) {
		due = search->sent + wait;
		if (time_before(now, due)) {
			*next = min(*next, due - now);
			return 0;
		}
		if (search->tries >= MTU_TRIES)
			mtu_unanswered(path, now);
	}
	if (!search->size) {
		due = search->began + msecs_to_jiffies(MTU_RAISE_MS);
		if (path->mtu < LAYA_PATH_MAX_MTU && time_after_eq(now, due)) {
			mtu_begin(path, now);
		} else if (path->mtu < search->found &&
			   laya_path_mtu_below(search->found)) {
			/* A route got narrower under a sender's hands. */
			mtu_try(path, laya_path_mtu_below(search->found));
			search->found = path->mtu;
		} else if (mtu_busy(path, now)) {
			if (time_before(now, search->next)) {
				*next = min(*next, search->next - now);
				return 0;
			}
			mtu_try(path, path->mtu);
		} else {
			return 0;
		}
	}
	if (!search->tries++)
		search->since = now;
	search->seq++;
	search->sent = now;
	*next = min(*next, wait);
	return search->size;
}

/**
 * laya_path_mtu_answered - is this the answer to a padded probe?
 * @path: On which it came; its lock is held.
 * @seq: Its number.
 * @token: Its token.
 *
 * Return: False when it is not. Otherwise what the path carries is known.
 */
bool laya_path_mtu_answered(struct laya_path *path, u32 seq, __be64 token)
{
	struct laya_path_mtu *search = &path->search;

	/* Those of the size that is being tried, the others are too late. */
	if (!search->size || search->seq - seq >= search->tries ||
	    token != laya_path_mtu_token(path, seq))
		return false;
	if (search->size > path->mtu)
		WRITE_ONCE(path->mtu, search->size);
	search->found = path->mtu;
	search->lost += search->tries - 1;
	mtu_rest(path, jiffies, MTU_CONFIRM_MS);
	return true;
}
