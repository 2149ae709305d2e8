// SPDX-License-Identifier: GPL-2.0
/*
 * Acting on all TCP connections between two nodes, whoever opened them.
 *
 * ICMPv6 errors are only advice to an established TCP, so a peer that is lost
 * for good has its connections aborted; and a TCP whose path was gone for some
 * seconds has backed off, so it is told when a path is back. The sockets are
 * found where TCP keeps them: that finds those of unmodified programs too.
 *
 * A socket's lock may be held for as long as its owner pleases (a page fault
 * that userspace serves, in the middle of sendmsg), so locking one is left to
 * work of this file's own, of which each item can stand still without harm to
 * others.
 */

#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "device.h"
#include "stream.h"
#include "stream_walk.h"

#define LAYA_STREAM_BATCH	16

static struct workqueue_struct *laya_stream_wq;

/**
 * struct laya_stream_job - something to be done to connections
 * @work: Does it.
 * @net: Their network namespace; a reference.
 * @local: Their own address.
 * @remote: Address of the other side.
 * @any_remote: Whatever the other side.
 * @ifindex: Listeners on that device are aborted too; 0 is none.
 * @error: Positive errno to abort with; 0 is to retransmit.
 */
struct laya_stream_job {
	struct work_struct	work;
	struct net		*net;
	struct in6_addr		local;
	struct in6_addr		remote;
	bool			any_remote;
	int			ifindex;
	int			error;
};

static bool laya_stream_matches(const struct sock *sk, const struct net *net,
				const struct in6_addr *local,
				const struct in6_addr *remote)
{
	/* What is in TIME_WAIT has nobody who waits for it */
	return sk->sk_family == AF_INET6 && sk->sk_state != TCP_TIME_WAIT &&
	       net_eq(sock_net(sk), net) &&
	       ipv6_addr_equal(&sk->sk_v6_rcv_saddr, local) &&
	       (!remote || ipv6_addr_equal(&sk->sk_v6_daddr, remote));
}

/* Up to a batch of the sockets in one chain, each with a reference. */
static unsigned int laya_stream_gather(struct inet_hashinfo *table,
				       unsigned int slot, struct net *net,
				       const struct in6_addr *local,
				       const struct in6_addr *remote,
				       unsigned int skip, struct sock **found)
{
	struct inet_ehash_bucket *head = &table->ehash[slot];
	spinlock_t *lock = inet_ehash_lockp(table, slot);
	struct hlist_nulls_node *node;
	unsigned int n = 0;
	struct sock *sk;

	if (hlist_nulls_empty(&head->chain))
		return 0;

	spin_lock_bh(lock);
	sk_nulls_for_each(sk, node, &head->chain) {
		if (!laya_stream_matches(sk, net, local, remote))
			continue;
		if (skip) {
			skip--;
			continue;
		}
		if (!refcount_inc_not_zero(&sk->sk_refcnt))
			continue;
		found[n++] = sk;
		if (n == LAYA_STREAM_BATCH)
			break;
	}
	spin_unlock_bh(lock);
	return n;
}

/**
 * laya_stream_walk() - visit the TCP sockets between two addresses
 * @net: Their network namespace.
 * @local: Their own address.
 * @remote: Address of the other side; NULL is any.
 * @visit: Called for each, without a lock; true ends the walk. May get a request
 *	for a connection that was not answered yet.
 * @data: For @visit.
 *
 * May sleep. Sockets that come and go meanwhile may be missed.
 */
void laya_stream_walk(struct net *net, const struct in6_addr *local,
		      const struct in6_addr *remote,
		      bool (*visit)(struct sock *sk, void *data), void *data)
{
	struct inet_hashinfo *table = net->ipv4.tcp_death_row.hashinfo;
	struct sock *found[LAYA_STREAM_BATCH];
	unsigned int slot, skip, n, i;
	bool stop = false;

	for (slot = 0; slot <= table->ehash_mask && !stop; slot++) {
		skip = 0;
		do {
			n = laya_stream_gather(table, slot, net, local, remote,
					       skip, found);
			for (i = 0; i < n; i++) {
				stop = stop || visit(found[i], data);
				/* Those that left the chain are not counted */
				if (!sk_unhashed(found[i]))
					skip++;
				sock_gen_put(found[i]);
			}
		} while (n == LAYA_STREAM_BATCH && !stop);
		if (!(slot & 1023))
			cond_resched();
	}
}

static bool laya_stream_is_any(struct sock *sk, void *data)
{
	/* One that nobody holds goes away by itself */
	*(bool *)data = !sk_fullsock(sk) || !sock_flag(sk, SOCK_DEAD);
	return *(bool *)data;
}

/**
 * laya_stream_any() - is there a connection to a node?
 * @laya: Our device.
 * @orchid: The node.
 *
 * Return: true when some program still has a TCP socket for it.
 */
bool laya_stream_any(struct laya_device *laya, const struct in6_addr *orchid)
{
	bool any = false;

	laya_stream_walk(dev_net(laya->dev), &laya->orchid, orchid,
			 laya_stream_is_any, &any);
	return any;
}

static bool laya_stream_do_abort(struct sock *sk, void *data)
{
	tcp_abort(sk, *(int *)data);
	return false;
}

/*
 * A TCP that has retransmitted in vain waits twice as long each time. Take back
 * what it has added, and let the timer run out now.
 */
static bool laya_stream_do_retransmit(struct sock *sk, void *data)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!sk_fullsock(sk))
		return false;

	lock_sock(sk);
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		goto out;
	if (icsk->icsk_pending != ICSK_TIME_RETRANS &&
	    icsk->icsk_pending != ICSK_TIME_PROBE0)
		goto out;
	if (!icsk->icsk_backoff && !icsk->icsk_retransmits)
		goto out;
	icsk->icsk_backoff = 0;
	icsk->icsk_rto = tp->srtt_us ? __tcp_set_rto(tp) : TCP_TIMEOUT_INIT;
	inet_csk_reset_xmit_timer(sk, icsk->icsk_pending, 1, TCP_RTO_MAX);
out:
	release_sock(sk);
	return false;
}

static void laya_stream_job_run(struct work_struct *work)
{
	struct laya_stream_job *job =
		container_of(work, struct laya_stream_job, work);
	const struct in6_addr *remote = job->any_remote ? NULL : &job->remote;

	if (job->ifindex)
		laya_stream_abort_listeners(job->net, job->ifindex, job->error);
	laya_stream_walk(job->net, &job->local, remote,
			 job->error ? laya_stream_do_abort :
				      laya_stream_do_retransmit, &job->error);
	put_net(job->net);
	kfree(job);
}

static void laya_stream_job_queue(struct laya_device *laya,
				  const struct in6_addr *remote, int ifindex,
				  int error)
{
	struct net *net = dev_net(laya->dev);
	struct laya_stream_job *job;

	/* A namespace that goes has no sockets of programs left */
	net = maybe_get_net(net);
	if (!net)
		return;
	job = kzalloc(sizeof(*job), GFP_ATOMIC);
	if (!job) {
		put_net(net);
		return;
	}
	INIT_WORK(&job->work, laya_stream_job_run);
	job->net = net;
	job->local = laya->orchid;
	if (remote)
		job->remote = *remote;
	else
		job->any_remote = true;
	job->ifindex = ifindex;
	job->error = error;
	queue_work(laya_stream_wq, &job->work);
}

/**
 * laya_stream_abort() - end the connections to a node
 * @laya: Our device.
 * @orchid: The node.
 * @error: Positive errno that their programs get.
 */
void laya_stream_abort(struct laya_device *laya, const struct in6_addr *orchid,
		       int error)
{
	laya_stream_job_queue(laya, orchid, 0, error);
}

/**
 * laya_stream_path_back() - let the connections to a node retransmit now
 * @laya: Our device.
 * @orchid: The node.
 */
void laya_stream_path_back(struct laya_device *laya,
			   const struct in6_addr *orchid)
{
	laya_stream_job_queue(laya, orchid, 0, 0);
}

/**
 * laya_stream_device_gone() - end all connections of a device, and its listeners
 * @laya: The device, which is being deleted or moved to another namespace.
 */
void laya_stream_device_gone(struct laya_device *laya)
{
	laya_stream_job_queue(laya, NULL, laya->dev->ifindex, ENODEV);
}

/**
 * laya_stream_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int laya_stream_init(void)
{
	laya_stream_wq = alloc_workqueue("laya-stream", WQ_UNBOUND, 0);
	return laya_stream_wq ? 0 : -ENOMEM;
}

/**
 * laya_stream_exit() - finish what was begun; after the devices are gone
 */
void laya_stream_exit(void)
{
	destroy_workqueue(laya_stream_wq);
}
