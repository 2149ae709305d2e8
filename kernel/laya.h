/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the module includes, and the essay on locking.
 *
 * Locks, outermost first
 * ----------------------
 *
 *   rtnl_lock           a device is created, moved, brought up, deleted
 *   device->lock        (mutex) configuration of one device: peers, sessions,
 *                       paths, carriers and labels are added and removed under
 *                       it. Netlink requests hold it; packets never take it.
 *   socket lock         of an AF_LAYA socket. Nothing above is taken under it.
 *   device->ports.lock  (spinlock, BH) binds datagram sockets to ports
 *   forward->lock       (spinlock, BH) label and flow tables
 *   peer->lock          (spinlock, BH) session slots, list of paths, best path,
 *                       queue of waiting packets, reassembly
 *   path->lock          (spinlock, BH) probes, RTT, address of the far end,
 *                       replay windows
 *
 * Packets find devices, peers, sessions, paths and labels under RCU alone. What
 * comes in takes path->lock for a few instructions: a replay window is under it.
 * Data that goes out takes no lock: it reads the path's address by a seqcount,
 * path->route. Counters are per-CPU, or atomic and added to once for a run.
 *
 * Lifetimes
 * ---------
 *
 * A device holds its peers; a peer holds its sessions and paths. Each has a
 * reference count. Being published (found by lookup) is one reference, dropped
 * by the remover after it has unpublished; a packet that must outlive its RCU
 * section (in the waiting queue) holds another. Teardown, always in this order:
 * mark dead, unpublish, wait for a grace period where a reader could still add
 * work, cancel timers and work, purge queues, drop the reference; the memory
 * goes by call_rcu, and rcu_barrier runs before the module does.
 */
#ifndef _LAYA_H
#define _LAYA_H

#include <linux/types.h>
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <net/sock.h>

#include <uapi/linux/laya.h>
#include <uapi/linux/laya_netlink.h>

#include "compat/compat.h"
#include "wire.h"

struct laya_device;
struct laya_peer;
struct laya_session;
struct laya_path;
struct laya_carrier;
struct laya_carrier_stream;
struct laya_carrier_udp;
struct laya_forward;

/**
 * struct laya_endpoint - the two ends of a UDP flow, or a stream carrier
 * @remote: Address and port of the far end; of a stream for people, if at all.
 * @local4: Our IPv4 address; zero lets routing choose.
 * @local6: Our IPv6 address; zero lets routing choose.
 * @oif: Interface the flow is tied to; 0 is none. For a link-local remote the
 *	scope id is in @remote as well.
 * @carrier: Id of the stream carrier, which alone tells where it leads; 0 is UDP.
 * @type: enum laya_carrier_type of that, for people.
 */
struct laya_endpoint {
	union {
		struct sockaddr		sa;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
	} remote;
	union {
		struct in_addr		local4;
		struct in6_addr		local6;
	};
	int				oif;
	u32				carrier;
	u8				type;
};

/**
 * struct laya_shims - the shims in front of a packet, parsed
 * @labels: Labels, the outer one first.
 * @returns: Return slots, in their order on the wire.
 * @n_labels: How many there are.
 * @n_returns: How many there are, filled or not.
 * @len: Bytes of all shims; the data header follows.
 */
struct laya_shims {
	u8	labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8	returns[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8	n_labels;
	u8	n_returns;
	u8	len;
};

#endif /* _LAYA_H */
