// SPDX-License-Identifier: GPL-2.0
/*
 * Probes: is a path alive, and how does it do?
 *
 * The dialler of a path keeps it alive, in the NATs on the way too: a request
 * every LAYA_KEEPALIVE_MS, on every path that works, so that there is one to fail
 * over to. Either side asks more often while it has sent something and hears
 * nothing. An answer that is overdue makes a path suspect, and a suspect one is
 * asked quickly until it answers or is dead.
 */

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/net.h>
#include <linux/siphash.h>
#include <linux/timekeeping.h>

#include "path.h"
#include "peer.h"
#include "send.h"
#include "session.h"

/* A reply, sealed: what an answer may cost. */
#define PROBE_REPLY_BYTES	(LAYA_OVERHEAD + sizeof(struct laya_inner_probe) + \
				 sizeof(struct laya_probe_observed))
/* Our requests and challenges, with shims. */
#define PROBE_REQUEST_BYTES	100
#define PROBE_CHALLENGE_TRIES	3
/* After the last try, for what is on its way over a very long path. */
#define PROBE_GRACE_MS		1000
/* An answered path is kept alive by the other side; we ask when it does not. */
#define PROBE_ANSWERED_MS	(LAYA_KEEPALIVE_MS * 5 / 2)
/* Fewer bytes between two probes say nothing about what a path can do. */
#define PROBE_GOODPUT_BYTES	65536
#define PROBE_MIN_RTT_MS	30000
/* A round trip is longer by so much, at least, when packets wait on the way. */
#define PROBE_QUEUE_US		10000

/*
 * Bytes to destinations that have not answered, over all peers: whoever is given
 * a candidate by a peer must not flood a stranger. Destinations that share a
 * bucket share its budget.
 */
#define BUDGET_BUCKETS		256
#define BUDGET_BYTES		8192
#define BUDGET_REFILL		1024	/* bytes a second */

static struct {
	spinlock_t	lock;	/* leaf */
	struct {
		u32		bytes;
		unsigned long	at;
	} buckets[BUDGET_BUCKETS];
} laya_budget = {
	.lock = __SPIN_LOCK_UNLOCKED(laya_budget.lock),
};

static unsigned int budget_bucket(const struct laya_endpoint *to)
{
	static siphash_key_t key __read_mostly;

	net_get_random_once(&key, sizeof(key));
	/* The address alone: ports of one host are one destination. */
	if (to->remote.sa.sa_family == AF_INET)
		return siphash_1u32((__force u32)to->remote.in.sin_addr.s_addr,
				    &key) % BUDGET_BUCKETS;
	return siphash(&to->remote.in6.sin6_addr, sizeof(struct in6_addr),
		       &key) % BUDGET_BUCKETS;
}

/**
 * laya_path_budget_take - may bytes go to somebody who has not answered?
 * @to: The destination.
 * @bytes: How many; they are taken.
 *
 * Return: False when too many went there unanswered.
 */
bool laya_path_budget_take(const struct laya_endpoint *to, unsigned int bytes)
{
	unsigned int i = budget_bucket(to);
	unsigned long elapsed;
	bool may = false;
	u32 back;

	/* Whoever is there has let the stream be connected */
	if (to->carrier)
		return true;
	spin_lock_bh(&laya_budget.lock);
	elapsed = min(jiffies - laya_budget.buckets[i].at,
		      (unsigned long)BUDGET_BYTES * HZ / BUDGET_REFILL);
	back = elapsed * BUDGET_REFILL / HZ;
	if (back) {
		laya_budget.buckets[i].bytes -=
			min(laya_budget.buckets[i].bytes, back);
		laya_budget.buckets[i].at = jiffies;
	}
	if (laya_budget.buckets[i].bytes + bytes <= BUDGET_BYTES) {
		laya_budget.buckets[i].bytes += bytes;
		may = true;
	}
	spin_unlock_bh(&laya_budget.lock);
	return may;
}

/**
 * laya_path_budget_answered - a destination answered
 * @to: It; what went there was wanted.
 */
void laya_path_budget_answered(const struct laya_endpoint *to)
{
	unsigned int i = budget_bucket(to);

	if (to->carrier)
		return;
	spin_lock_bh(&laya_budget.lock);
	laya_budget.buckets[i].bytes = 0;
	spin_unlock_bh(&laya_budget.lock);
}

/* Unguessable, and nothing to remember: see struct laya_path_probes. */
static __be64 probe_token(const struct laya_path *path, u32 seq, bool challenge)
{
	return (__force __be64)siphash_2u32(seq, challenge, &path->probe.key);
}

/**
 * laya_path_probe_start - set a path's probing to its beginning
 * @path: New, or under its lock.
 */
void laya_path_probe_start(struct laya_path *path)
{
	path->probe.tries = 0;
	path->probe.outstanding = false;
	path->probe.backoff_ms = 0;
	path->probe.wanted = true;
	WRITE_ONCE(path->state, LAYA_PATH_STATE_PROBING);
}

static unsigned long ms_after(unsigned long since, unsigned int ms)
{
	return since + msecs_to_jiffies(ms);
}

/* Jiffies until @when, 0 when it is past. */
static unsigned long until(unsigned long when, unsigned long now)
{
	return time_after(when, now) ? when - now : 0;
}

/* @at, which is 0 for never, is later than @than. */
static bool later(unsigned long at, unsigned long than)
{
	return at && (!than || time_after(at, than));
}

/**
 * laya_path_die - give a path up
 * @path: Under its lock.
 * @now: jiffies.
 */
void laya_path_die(struct laya_path *path, unsigned long now)
{
	WRITE_ONCE(path->state, LAYA_PATH_STATE_DEAD);
	path->died = now;
	path->probe.backoff_ms = LAYA_PROBE_DEAD_MS / 3;
	path->probe.outstanding = false;
}

/* What is to be done about a path now, decided under its lock. */
struct tend {
	bool		send;		/* a request */
	bool		gone;		/* remove it */
	bool		failed;		/* it has just become suspect */
	unsigned long	next;		/* jiffies until the next look */
};

static void tend_probing(struct laya_path *path, unsigned long now,
			 struct tend *tend)
{
	unsigned long due = now;

	if (path->probe.tries)
		due = ms_after(path->probe.sent,
			       path->probe.tries < LAYA_PROBE_TRIES ?
			       LAYA_PROBE_MAX_MS : PROBE_GRACE_MS);
	tend->next = until(due, now);
	if (tend->next)
		return;
	if (path->probe.tries < LAYA_PROBE_TRIES) {
		tend->send = true;
		tend->next = msecs_to_jiffies(LAYA_PROBE_MAX_MS);
	} else {
		laya_path_die(path, now);
		tend->next = msecs_to_jiffies(path->probe.backoff_ms);
	}
}

static unsigned long idle_due(const struct laya_path *path, unsigned long now,
			      bool data)
{
	unsigned long quiet = later(path->last_rx, path->probe.sent) ?
			      path->last_rx : path->probe.sent;
	unsigned long measure;

	if (path->probe.wanted)
		return now;
	if (data)
		return ms_after(quiet, LAYA_PROBE_DATA_MS);
	if (path->last_tx_data &&
	    time_before(now, ms_after(path->last_tx_data, LAYA_PROBE_BUSY_MS)))
		return ms_after(path->probe.sent, LAYA_PROBE_BUSY_MS);
	if (!path->answered)
		return ms_after(path->probe.sent, LAYA_KEEPALIVE_MS);
	/* What it was like at first it need not stay: we have to see that too. */
	measure = ms_after(path->probe.sent, PROBE_MIN_RTT_MS);
	quiet = ms_after(quiet, PROBE_ANSWERED_MS);
	return time_before(measure, quiet) ? measure : quiet;
}

static void tend_usable(struct laya_path *path, unsigned long now,
			struct tend *tend)
{
	bool data = later(path->last_tx_data, path->last_rx);
	unsigned int patience, limit;

	if (!path->probe.outstanding) {
		tend->next = until(idle_due(path, now, data), now);
		tend->send = !tend->next;
		goto out;
	}
	patience = laya_path_patience_ms(path->srtt_us, path->rttvar_us);
	tend->next = until(ms_after(path->probe.sent, patience), now);
	if (tend->next)
		return;
	/*
	 * Silence after data is telling at once; an idle path may lose a packet,
	 * and one on which things still arrive may lose a few.
	 */
	if (later(path->last_rx, path->probe.first))
		limit = LAYA_PROBE_TRIES;
	else
		limit = data ? 1 : 2;
	tend->send = true;
	if (path->probe.tries >= limit) {
		WRITE_ONCE(path->state, LAYA_PATH_STATE_SUSPECT);
		tend->failed = true;
	}
out:
	if (tend->send)
		tend->next = msecs_to_jiffies(laya_path_patience_ms(path->srtt_us,
								    path->rttvar_us));
}

static void tend_suspect(struct laya_path *path, unsigned long now,
			 struct tend *tend)
{
	unsigned int wait = min_t(unsigned int, LAYA_PROBE_MAX_MS,
				  LAYA_PROBE_DATA_MS * path->probe.tries);

	if (time_after_eq(now, ms_after(path->probe.first, LAYA_PROBE_DEAD_MS))) {
		laya_path_die(path, now);
		tend->next = msecs_to_jiffies(path->probe.backoff_ms);
		return;
	}
	tend->next = until(ms_after(path->probe.sent, wait), now);
	if (tend->next)
		return;
	/* The forwarder may have forgotten the flow: let it bind anew. */
	path->n_returns = 0;
	tend->send = true;
	tend->next = msecs_to_jiffies(LAYA_PROBE_DATA_MS);
}

static void tend_dead(struct laya_path *path, unsigned long now,
		      struct tend *tend)
{
	if (path->answered || path->lost) {
		tend->next = until(ms_after(path->died, LAYA_PATH_FORGET_MS), now);
		tend->gone = !tend->next;
		return;
	}
	tend->next = until(ms_after(path->probe.sent, path->probe.backoff_ms), now);
	if (tend->next && !path->probe.wanted)
		return;
	path->n_returns = 0;
	path->probe.backoff_ms = min_t(unsigned int, 2 * path->probe.backoff_ms,
				       LAYA_PATH_BACKOFF_MS);
	tend->send = true;
	tend->next = msecs_to_jiffies(path->probe.backoff_ms);
}

/* Challenges to a changed address; true when one is to be sent now. */
static bool tend_challenge(struct laya_path *path, unsigned long now,
			   struct tend *tend)
{
	unsigned long next;

	if (!path->challenge.pending)
		return false;
	if (path->challenge.tries) {
		next = until(ms_after(path->challenge.sent, LAYA_PROBE_MAX_MS), now);
		if (next) {
			tend->next = min(tend->next, next);
			return false;
		}
	}
	if (path->challenge.tries >= PROBE_CHALLENGE_TRIES ||
	    path->challenge.allowance < PROBE_REQUEST_BYTES) {
		/* No answer, or nothing more came from there. */
		if (path->challenge.tries >= PROBE_CHALLENGE_TRIES)
			path->challenge.pending = false;
		else
			tend->next = min(tend->next,
					 msecs_to_jiffies(LAYA_PROBE_MAX_MS));
		return false;
	}
	path->challenge.allowance -= PROBE_REQUEST_BYTES;
	path->challenge.tries++;
	path->challenge.seq++;
	path->challenge.sent = now;
	tend->next = min(tend->next, msecs_to_jiffies(LAYA_PROBE_MAX_MS));
	return true;
}

/* A request is about to be sent; under path->lock. */
static u32 probe_sending(struct laya_path *path, unsigned long now)
{
	struct rtnl_link_stats64 sum;
	u32 seq = ++path->probe.seq;

	laya_counts_sum(&sum, path->counts);
	path->probe.sent_at[seq % LAYA_PROBE_RING] = ktime_get();
	path->probe.tx_packets[seq % LAYA_PROBE_RING] =
		sum.tx_packets - path->search.lost;
	path->probe.sent = now;
	if (!path->probe.outstanding)
		path->probe.first = now;
	path->probe.outstanding = true;
	path->probe.wanted = false;
	if (!path->probe.tries++)
		path->probe.unanswered = now;
	return seq;
}

/* Padded, so that it arrives only when the path carries that much. */
static void tend_mtu(struct laya_path *path, u32 seq, u16 size)
{
	int err;

	err = laya_send_probe(path, NULL, LAYA_PROBE_REQUEST, seq,
			      laya_path_mtu_token(path, seq), NULL, size);
	if (err != -EMSGSIZE)
		return;
	/* Not even the first link does. */
	spin_lock(&path->lock);
	laya_path_mtu_refused(path, size);
	spin_unlock(&path->lock);
}

/*
 * The far side may have forgotten the path, and does not take its id for a new one:
 * a packet of before could be replayed against a fresh window. Boot time, because
 * it also forgets while this node is suspended.
 */
static void tend_stale(struct laya_path *path)
{
	struct laya_peer *peer = path->peer;

	if (path->answered || ktime_get_coarse_boottime_ns() - path->heard <
			      LAYA_PATH_STALE_MS * (u64)NSEC_PER_MSEC)
		return;
	spin_lock(&peer->lock);
	if (!path->removed)
		laya_path_take_id(peer, path);
	spin_unlock(&peer->lock);
}

/**
 * laya_path_tend - do what a path needs now
 * @path: Published; under rcu_read_lock with BH off, from its peer's work.
 * @sendable: There is a session to seal under.
 * @now: jiffies.
 * @gone: Set when the path is to be removed.
 *
 * Return: Jiffies until it wants to be looked at again.
 */
unsigned long laya_path_tend(struct laya_path *path, bool sendable,
			     unsigned long now, bool *gone)
{
	struct tend tend = { .next = MAX_JIFFY_OFFSET };
	struct laya_endpoint to;
	u32 seq, challenge_seq, mtu_seq;
	struct laya_endpoint silent;
	unsigned long since = 0;
	bool challenge = false;
	u16 mtu_size = 0;

	spin_lock(&path->lock);
	if (!sendable) {
		/* No session, no probes: unanswered ones say nothing. */
		if (path->state == LAYA_PATH_STATE_DEAD)
			tend_dead(path, now, &tend);
		tend.send = false;
		*gone = tend.gone;
		spin_unlock(&path->lock);
		return tend.gone ? tend.next : MAX_JIFFY_OFFSET;
	}
	switch (path->state) {
	case LAYA_PATH_STATE_PROBING:
		tend_probing(path, now, &tend);
		break;
	case LAYA_PATH_STATE_USABLE:
		tend_usable(path, now, &tend);
		break;
	case LAYA_PATH_STATE_SUSPECT:
		tend_suspect(path, now, &tend);
		break;
	case LAYA_PATH_STATE_DEAD:
		tend_dead(path, now, &tend);
		break;
	}
	challenge = tend_challenge(path, now, &tend);
	if (challenge) {
		to = path->challenge.endpoint;
		challenge_seq = path->challenge.seq;
		/* The old address is asked as well (RFC 9000, 9.3.3). */
		tend.send = true;
	}
	*gone = tend.gone;
	if (!path->returnable && !challenge)
		tend.send = false;
	if (tend.send)
		seq = probe_sending(path, now);
	if (path->state == LAYA_PATH_STATE_USABLE && path->returnable) {
		mtu_size = laya_path_mtu_due(path, now, &tend.next);
		mtu_seq = path->search.seq;
	}
	if (tend.failed) {
		silent = path->endpoint;
		since = path->probe.first;
	}
	spin_unlock(&path->lock);

	if (tend.failed) {
		laya_path_doubt(path->peer, &silent, since, now);
		/* Those that had their turn before are asked, too. */
		tend.next = 1;
	}

	if (challenge)
		laya_send_probe(path, &to, LAYA_PROBE_REQUEST, challenge_seq,
				probe_token(path, challenge_seq, true), NULL, 0);
	if (tend.send) {
		tend_stale(path);
		laya_send_probe(path, NULL, LAYA_PROBE_REQUEST, seq,
				probe_token(path, seq, false), NULL, 0);
	}
	if (mtu_size)
		tend_mtu(path, mtu_seq, mtu_size);
	return max(tend.next, 1UL);
}

/* Packets wait somewhere on the way: no sample of an empty path is that long. */
static bool path_queued(const struct laya_path *path, u32 sample_us)
{
	return path->min_rtt_us &&
	       sample_us > path->min_rtt_us + max_t(u32, path->min_rtt_us / 2,
						    PROBE_QUEUE_US);
}

/*
 * Our packets that arrived there, into loss and goodput; under path->lock. The answer
 * took @sample_us.
 */
static void path_measure(struct laya_path *path,
			 const struct laya_session *session,
			 const struct laya_inner_probe *probe, u32 seq,
			 u32 sample_us)
{
	struct laya_path_delivery *last = &path->delivery;
	struct laya_path_delivery told = {
		.generation	= session->generation,
		.tx_packets	= path->probe.tx_packets[seq % LAYA_PROBE_RING],
		.rx_packets	= be64_to_cpu(probe->rx_packets),
		.rx_bytes	= be64_to_cpu(probe->rx_bytes),
		.at		= ktime_get(),
	};
	u64 bytes, ms;

	/* The far side counts by session; and an old answer tells nothing new. */
	if (last->generation != told.generation) {
		*last = told;
		return;
	}
	if (told.tx_packets <= last->tx_packets ||
	    told.rx_packets < last->rx_packets || told.rx_bytes < last->rx_bytes)
		return;
	path->loss_permille = laya_path_loss_sample(path->loss_permille,
						    told.tx_packets - last->tx_packets,
						    told.rx_packets - last->rx_packets);
	path->loss_packets = laya_path_loss_packets(path->loss_packets,
						    told.tx_packets - last->tx_packets);
	bytes = told.rx_bytes - last->rx_bytes;
	ms = ktime_ms_delta(told.at, last->at);
	if (bytes >= PROBE_GOODPUT_BYTES && ms)
		laya_path_goodput_sample(&path->goodput, &path->limited,
					 div64_u64(bytes * MSEC_PER_SEC, ms),
					 path_queued(path, sample_us));
	*last = told;
}

/* The base of the round trip: queues that our own traffic fills are no delay. */
static void path_min_rtt(struct laya_path *path, u32 sample_us)
{
	if (!path->min_rtt_us || sample_us <= path->min_rtt_us) {
		path->min_rtt_us = sample_us;
	} else {
		if (time_before(jiffies, ms_after(path->min_rtt_at,
						  PROBE_MIN_RTT_MS)))
			return;
		path->min_rtt_us += (sample_us - path->min_rtt_us) / 4;
	}
	path->min_rtt_at = jiffies;
}

/* An answer to a request of ours. True when the path's state changed. */
static bool probe_answered(struct laya_path *path,
			   const struct laya_session *session,
			   const struct laya_inner_probe *probe)
{
	u32 seq = be32_to_cpu(probe->seq), behind = path->probe.seq - seq;
	bool changed;
	s64 us;

	if (behind >= LAYA_PROBE_RING || behind >= path->probe.seq ||
	    probe->token != probe_token(path, seq, false))
		return false;
	/* What was lost in an outage says nothing of what the path is now. */
	if (path->state != LAYA_PATH_STATE_USABLE)
		path->delivery.generation = 0;
	/* Answers that were overtaken, and second ones, are no sample. */
	if ((s32)(seq - path->probe.answered) > 0) {
		us = ktime_us_delta(ktime_get(),
				    path->probe.sent_at[seq % LAYA_PROBE_RING]);
		us = clamp_t(s64, us, 1, 60 * USEC_PER_SEC);
		laya_path_rtt_sample(&path->srtt_us, &path->rttvar_us, us);
		path_min_rtt(path, us);
		path_measure(path, session, probe, seq, us);
		path->probe.answered = seq;
	}
	path->probe.tries = 0;
	path->probe.outstanding = false;
	path->probe.backoff_ms = 0;
	changed = path->state != LAYA_PATH_STATE_USABLE || !path->validated;
	path->validated = true;
	WRITE_ONCE(path->state, LAYA_PATH_STATE_USABLE);
	return changed;
}

/* An answer from a changed address: from now on it is the path's. */
static bool challenge_answered(struct laya_path *path,
			       const struct laya_inner_probe *probe)
{
	u32 seq = be32_to_cpu(probe->seq);

	if (!path->challenge.pending || !path->challenge.tries ||
	    path->challenge.seq - seq >= path->challenge.tries ||
	    probe->token != probe_token(path, seq, true))
		return false;
	write_seqcount_begin(&path->route);
	path->endpoint = path->challenge.endpoint;
	memcpy(path->labels, path->challenge.labels, sizeof(path->labels));
	path->n_labels = path->challenge.n_labels;
	path->returnable = true;
	write_seqcount_end(&path->route);
	path->challenge.pending = false;
	path->validated = true;
	path->probe.tries = 0;
	path->probe.outstanding = false;
	WRITE_ONCE(path->state, LAYA_PATH_STATE_USABLE);
	laya_path_mtu_restart(path);
	dst_cache_reset(&path->cache);
	return true;
}

static void probe_observed(struct laya_probe_observed *observed,
			   const struct laya_endpoint *from)
{
	memset(observed, 0, sizeof(*observed));
	/* Where a stream comes from is nowhere to send datagrams to */
	if (from->carrier)
		return;
	if (from->remote.sa.sa_family == AF_INET) {
		observed->family = 4;
		observed->port = from->remote.in.sin_port;
		memcpy(observed->addr, &from->remote.in.sin_addr, 4);
	} else {
		observed->family = 6;
		observed->port = from->remote.in6.sin6_port;
		memcpy(observed->addr, &from->remote.in6.sin6_addr, 16);
	}
}

static void probe_reply(struct laya_path *path,
			const struct laya_inner_probe *probe,
			const struct laya_endpoint *from)
{
	struct laya_probe_observed observed;
	struct laya_endpoint to;
	bool elsewhere = false;

	probe_observed(&observed, from);
	spin_lock_bh(&path->lock);
	if (path->answered && probe->path_kind >= LAYA_PATH_KIND_LAN &&
	    probe->path_kind <= LAYA_PATH_KIND_RELAY)
		path->kind = probe->path_kind;
	/* To where it came from, whether we will go on sending there or not. */
	if (path->challenge.pending &&
	    laya_path_same_remote(&path->challenge.endpoint, from) &&
	    !laya_path_same_remote(&path->endpoint, from) &&
	    path->challenge.allowance >= PROBE_REPLY_BYTES) {
		path->challenge.allowance -= PROBE_REPLY_BYTES;
		to = path->challenge.endpoint;
		elsewhere = true;
	}
	spin_unlock_bh(&path->lock);
	laya_send_probe(path, elsewhere ? &to : NULL, LAYA_PROBE_REPLY,
			be32_to_cpu(probe->seq), probe->token, &observed, 0);
}

/**
 * laya_path_probe - a probe came in
 * @path: On which.
 * @session: Under which.
 * @probe: It, linear.
 * @len: Its length and that of what follows it.
 * @from: Where it came from.
 *
 * Under rcu_read_lock, in softirq.
 */
void laya_path_probe(struct laya_path *path, struct laya_session *session,
		     const struct laya_inner_probe *probe, unsigned int len,
		     const struct laya_endpoint *from)
{
	const struct laya_probe_observed *observed;
	bool changed;

	if (len < sizeof(*probe) || probe->flags)
		return;
	switch (probe->type) {
	case LAYA_PROBE_REQUEST:
		probe_reply(path, probe, from);
		return;
	case LAYA_PROBE_REPLY:
		break;
	default:
		return;
	}
	if (len < sizeof(*probe) + sizeof(*observed))
		return;
	observed = (const struct laya_probe_observed *)(probe + 1);

	spin_lock_bh(&path->lock);
	changed = laya_path_mtu_answered(path, be32_to_cpu(probe->seq),
					 probe->token) ||
		  challenge_answered(path, probe) ||
		  probe_answered(path, session, probe);
	/*
	 * Through a forwarder, what is seen there is the forwarder: of interest
	 * where that is a gateway of ours, which it shows to be reached.
	 */
	if ((path->answered ? path->kind == LAYA_PATH_KIND_GATEWAY :
			      !path->n_labels) &&
	    (observed->family == 4 || observed->family == 6)) {
		path->observed = *observed;
		path->observed_valid = true;
	}
	spin_unlock_bh(&path->lock);

	laya_path_budget_answered(from);
	if (changed)
		laya_peer_kick(path->peer, 0);
}
