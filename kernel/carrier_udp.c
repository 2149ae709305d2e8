// SPDX-License-Identifier: GPL-2.0
/*
 * UDP carriers: one socket for IPv4 and one for IPv6, on one port, in the network
 * namespace where the device was created.
 *
 * Not udp_tunnel's encap_rcv for what comes in: such sockets are handed segments
 * one by one. An ordinary socket with UDP_GRO gets a whole run as one skb; its
 * sk_data_ready only schedules a NAPI context of ours (it may be called with
 * locks of the receive queue held), and that drains the socket.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/ipv6_stubs.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "carrier.h"
#include "device.h"
#include "forward.h"
#include "path.h"
#include "peer.h"
#include "receive.h"
#include "untrack.h"

/* One receive buffer must hold what comes while NAPI is busy elsewhere. */
#define LAYA_CARRIER_RCVBUF	(8 << 20)

/* With port 0, how often to try for one that is free in both families. */
#define LAYA_CARRIER_PORT_TRIES	32

/* Headers in front of a UDP payload. */
#define LAYA_CARRIER_HEADERS4	(sizeof(struct iphdr) + sizeof(struct udphdr))
#define LAYA_CARRIER_HEADERS6	(sizeof(struct ipv6hdr) + sizeof(struct udphdr))

static void laya_carrier_data_ready(struct sock *sk)
{
	struct laya_carrier_udp *udp;

	rcu_read_lock();
	udp = rcu_dereference_sk_user_data(sk);
	if (udp)
		napi_schedule(&udp->carrier.napi);
	rcu_read_unlock();
}

/* Where a received packet came from; false when it is of no family that we know. */
static bool laya_carrier_from(struct laya_endpoint *from, u8 *ttl, u8 *tos,
			      const struct sk_buff *skb)
{
	memset(from, 0, sizeof(*from));
	from->oif = skb->skb_iif;
	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *ip = ip_hdr(skb);

		from->remote.in.sin_family = AF_INET;
		from->remote.in.sin_port = udp_hdr(skb)->source;
		from->remote.in.sin_addr.s_addr = ip->saddr;
		from->local4.s_addr = ip->daddr;
		*ttl = ip->ttl;
		*tos = ip->tos;
		return true;
	}
	if (skb->protocol == htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip6 = ipv6_hdr(skb);

		from->remote.in6.sin6_family = AF_INET6;
		from->remote.in6.sin6_port = udp_hdr(skb)->source;
		from->remote.in6.sin6_addr = ip6->saddr;
		from->remote.in6.sin6_scope_id =
			ipv6_iface_scope_id(&ip6->saddr, skb->skb_iif);
		from->local6 = ip6->daddr;
		*ttl = ip6->hop_limit;
		*tos = ipv6_get_dsfield(ip6);
		return true;
	}
	return false;
}

/* Asking a socket that has nothing costs as much as to be given something. */
static bool laya_carrier_pending(const struct sock *sk)
{
	return !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue) ||
	       !skb_queue_empty_lockless(&sk->sk_receive_queue);
}

/* Drain one socket; returns the packets received, more than @budget at most by
 * the rest of the last run.
 */
static int laya_carrier_drain(struct laya_carrier *carrier, struct socket *sock,
			      int budget)
{
	struct laya_endpoint from;
	struct sk_buff *skb;
	unsigned int bytes;
	int off, err;
	int n = 0;
	u8 ttl, tos;
	int packets;

	/* An error without a packet waits for the next packet */
	while (n < budget && laya_carrier_pending(sock->sk)) {
		off = 0;
		err = -EAGAIN;
		skb = __skb_recv_udp(sock->sk, MSG_DONTWAIT, &off, &err);
		if (!skb) {
			/* An ICMP error told by the socket: paths judge by probes */
			if (err != -EAGAIN) {
				n++;
				continue;
			}
			break;
		}
		/* It lay in the socket's queue with other things there */
		skb->dev = carrier->device->dev;

		packets = skb_is_gso(skb) ?
			  DIV_ROUND_UP(skb->len, skb_shinfo(skb)->gso_size) : 1;
		bytes = skb->len;
		n += packets;
		if (udp_lib_checksum_complete(skb) ||
		    !laya_carrier_from(&from, &ttl, &tos, skb)) {
			laya_device_drop(carrier->device, LAYA_DROP_MALFORMED);
			kfree_skb(skb);
			continue;
		}
		laya_counts_rx(carrier->counts, packets, bytes);
		laya_receive(carrier, skb, &from, ttl, tos);
	}
	return n;
}

static int laya_carrier_poll(struct napi_struct *napi, int budget)
{
	struct laya_carrier_udp *udp =
		container_of(napi, struct laya_carrier_udp, carrier.napi);
	struct socket *sock;
	int n = 0;

	rcu_read_lock();
	sock = rcu_dereference(udp->sock4);
	if (sock)
		n = laya_carrier_drain(&udp->carrier, sock, budget);
	sock = rcu_dereference(udp->sock6);
	if (sock && n < budget)
		n += laya_carrier_drain(&udp->carrier, sock, budget - n);
	rcu_read_unlock();

	if (n >= budget)
		return budget;
	/* Told of more meanwhile, it schedules itself again */
	napi_complete_done(napi, n);
	return n;
}

static void laya_carrier_attach(struct laya_carrier_udp *udp,
				struct socket *sock)
{
	struct sock *sk = sock->sk;

	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_sndbuf = INT_MAX;
	sk->sk_rcvbuf = LAYA_CARRIER_RCVBUF;
	sk->sk_userlocks |= SOCK_RCVBUF_LOCK | SOCK_SNDBUF_LOCK;
#ifdef CONFIG_NET_RX_BUSY_POLL
	/* Else net.core.busy_read would have one NAPI context run another */
	WRITE_ONCE(sk->sk_ll_usec, 0);
#endif
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = laya_carrier_data_ready;
	rcu_assign_sk_user_data(sk, udp);
	write_unlock_bh(&sk->sk_callback_lock);
}

static void laya_carrier_detach(struct socket *sock)
{
	struct sock *sk = sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

static void laya_carrier_release(struct socket *sock)
{
	if (!sock)
		return;
	kernel_sock_shutdown(sock, SHUT_RDWR);
	sock_release(sock);
}

static int laya_carrier_gro(struct socket *sock)
{
	int one = 1;

	return sock->ops->setsockopt(sock, SOL_UDP, UDP_GRO,
				     KERNEL_SOCKPTR(&one), sizeof(one));
}

static int laya_carrier_socket(struct net *net, int family, u16 port,
			       struct socket **sock)
{
	struct udp_port_cfg cfg = {
		.family			= family,
		.local_udp_port		= htons(port),
		.use_udp_checksums	= true,
	};
	int err;

	if (family == AF_INET6) {
		cfg.use_udp6_tx_checksums = true;
		cfg.use_udp6_rx_checksums = true;
		cfg.ipv6_v6only = true;
	}
	*sock = NULL;
	err = udp_sock_create(net, &cfg, sock);
	if (err)
		return err;
	err = laya_carrier_gro(*sock);
	if (err) {
		laya_carrier_release(*sock);
		*sock = NULL;
	}
	return err;
}

static u16 laya_carrier_port(const struct socket *sock)
{
	return ntohs(inet_sk(sock->sk)->inet_sport);
}

/* A family that this kernel or namespace does not have, as opposed to a failure. */
static bool laya_carrier_absent(int err)
{
	return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL ||
	       err == -EPROTONOSUPPORT;
}

static int laya_carrier_sockets(struct net *net, u16 port, struct socket **sock4,
				struct socket **sock6)
{
	unsigned int tries = port ? 1 : LAYA_CARRIER_PORT_TRIES;
	u16 port6;
	int err;

	do {
		*sock6 = NULL;
		err = laya_carrier_socket(net, AF_INET, port, sock4);
		if (err && !laya_carrier_absent(err))
			return err;
		port6 = *sock4 ? laya_carrier_port(*sock4) : port;

		if (!IS_ENABLED(CONFIG_IPV6) || !ipv6_mod_enabled())
			break;
		err = laya_carrier_socket(net, AF_INET6, port6, sock6);
		if (!err || laya_carrier_absent(err))
			break;
		laya_carrier_release(*sock4);
		*sock4 = NULL;
	} while (err == -EADDRINUSE && --tries);

	if (!*sock4 && !*sock6)
		return err ?: -EAFNOSUPPORT;
	return 0;
}

/**
 * laya_carrier_open - open the UDP sockets of a device
 * @laya: The device.
 * @port: Port for both families, host byte order; 0 is any.
 * @extack: Says what is wrong.
 *
 * Under rtnl and device->lock.
 *
 * Return: 0; -EEXIST while there are some; -ENONET when the namespace where the
 * device was created is gone; or what the sockets say, as -EADDRINUSE.
 */
int laya_carrier_open(struct laya_device *laya, u16 port,
		      struct netlink_ext_ack *extack)
{
	struct socket *sock4 = NULL, *sock6 = NULL;
	struct laya_carrier_udp *udp;
	struct net *net;
	int err;

	ASSERT_RTNL();
	lockdep_assert_held(&laya->lock);

	if (rcu_access_pointer(laya->carrier)) {
		NL_SET_ERR_MSG(extack, "The device has its UDP sockets already");
		return -EEXIST;
	}
	net = laya->creating_net ? maybe_get_net(laya->creating_net) : NULL;
	if (!net) {
		NL_SET_ERR_MSG(extack,
			       "The network namespace of the device's carriers is gone");
		return -ENONET;
	}

	udp = kzalloc(sizeof(*udp), GFP_KERNEL);
	if (!udp) {
		err = -ENOMEM;
		goto err_net;
	}
	udp->carrier.counts = laya_counts_alloc(GFP_KERNEL);
	if (!udp->carrier.counts) {
		err = -ENOMEM;
		goto err_free;
	}
	err = laya_carrier_sockets(net, port, &sock4, &sock6);
	if (err) {
		if (err == -EADDRINUSE)
			NL_SET_ERR_MSG(extack, "The UDP port is in use");
		else
			NL_SET_ERR_MSG(extack,
				       "The UDP sockets could not be opened");
		goto err_free;
	}

	udp->carrier.device = laya;
	udp->port = laya_carrier_port(sock4 ?: sock6);
	rcu_assign_pointer(udp->sock4, sock4);
	rcu_assign_pointer(udp->sock6, sock6);
	netif_napi_add(laya->dev, &udp->carrier.napi, laya_carrier_poll);
	napi_enable(&udp->carrier.napi);
	rcu_assign_pointer(laya->carrier, udp);
	if (sock4)
		laya_carrier_attach(udp, sock4);
	if (sock6)
		laya_carrier_attach(udp, sock6);
	/* For what came before the callbacks were ours */
	local_bh_disable();
	napi_schedule(&udp->carrier.napi);
	local_bh_enable();
	err = laya_untrack_update(laya, extack);
	if (err)
		laya_carrier_close(laya);
	put_net(net);
	return err;

err_free:
	free_percpu(udp->carrier.counts);
	kfree(udp);
err_net:
	put_net(net);
	return err;
}

static void laya_carrier_each_route(struct laya_device *laya,
				    void (*fn)(struct dst_cache *cache))
{
	struct rhashtable_iter iter;
	struct laya_peer *peer;
	struct laya_path *path;

	lockdep_assert_held(&laya->lock);
	rhashtable_walk_enter(&laya->peers_by_key, &iter);
	rhashtable_walk_start(&iter);
	while ((peer = rhashtable_walk_next(&iter))) {
		if (IS_ERR(peer))
			continue;
		spin_lock_bh(&peer->lock);
		list_for_each_entry(path, &peer->paths, list)
			fn(&path->cache);
		spin_unlock_bh(&peer->lock);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	laya_forward_each_route(laya->forward, fn);
}

/* Each CPU drops its route when it looks the next time. */
static void laya_carrier_reset(struct dst_cache *cache)
{
	dst_cache_reset(cache);
}

/**
 * laya_carrier_reroute - look routes up anew
 * @laya: The device; its lock is held.
 */
void laya_carrier_reroute(struct laya_device *laya)
{
	laya_carrier_each_route(laya, laya_carrier_reset);
}

/**
 * laya_carrier_close - close the UDP sockets of a device
 * @laya: The device; one without is left alone.
 *
 * Under rtnl and device->lock.
 */
void laya_carrier_close(struct laya_device *laya)
{
	struct laya_carrier_udp *udp;
	struct socket *sock4, *sock6;

	lockdep_assert_held(&laya->lock);
	udp = rcu_dereference_protected(laya->carrier,
					lockdep_is_held(&laya->lock));
	if (!udp)
		return;
	sock4 = rcu_dereference_protected(udp->sock4,
					  lockdep_is_held(&laya->lock));
	sock6 = rcu_dereference_protected(udp->sock6,
					  lockdep_is_held(&laya->lock));

	laya_untrack_stop(udp);
	RCU_INIT_POINTER(laya->carrier, NULL);
	RCU_INIT_POINTER(udp->sock4, NULL);
	RCU_INIT_POINTER(udp->sock6, NULL);
	if (sock4)
		laya_carrier_detach(sock4);
	if (sock6)
		laya_carrier_detach(sock6);
	/* Senders, and callbacks that have seen the carrier */
	synchronize_net();

	napi_disable(&udp->carrier.napi);
	netif_napi_del(&udp->carrier.napi);
	laya_carrier_release(sock4);
	laya_carrier_release(sock6);
	/* Nobody sends, so nobody else looks at the caches now */
	laya_carrier_each_route(laya, dst_cache_reset_now);
	free_percpu(udp->carrier.counts);
	kfree(udp);
}

/*
 * Does a route to @to lead through the interface that it is tied to? Else
 * ip_route_output_key() would take the far end for a neighbour there.
 */
static bool laya_carrier_routed4(struct net *net, struct flowi4 *fl)
{
	struct fib_result res;

	return !fib_lookup(net, fl, &res, 0);
}

static struct rtable *laya_carrier_route4(struct laya_device *laya,
					  struct sock *sk, struct flowi4 *fl)
{
	struct net *net = sock_net(sk);
	struct rtable *rt;

	security_sk_classify_flow(sk, flowi4_to_flowi_common(fl));
	if (fl->flowi4_oif && !laya_carrier_routed4(net, fl))
		fl->flowi4_oif = 0;
	rt = ip_route_output_flow(net, fl, sk);
	if (IS_ERR(rt) && (fl->saddr || fl->flowi4_oif)) {
		/* The address or interface is gone: as if never asked for */
		fl->saddr = 0;
		fl->flowi4_oif = 0;
		rt = ip_route_output_flow(net, fl, sk);
	}
	if (IS_ERR(rt))
		return rt;
	if (laya_device_is(rt->dst.dev)) {
		ip_rt_put(rt);
		return ERR_PTR(-ELOOP);
	}
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return ERR_PTR(-ENETUNREACH);
	}
	return rt;
}

/*
 * How a payload of @size bytes goes through @mtu: 0 whole and never to be
 * fragmented (so that paths learn their MTU), 1 in IP fragments, since no path is
 * asked to make it smaller; negative: it should have been smaller.
 */
static int laya_carrier_fits(unsigned int size, unsigned int headers,
			     unsigned int mtu)
{
	if (size + headers <= mtu)
		return 0;
	return size <= LAYA_PATH_BASE_MTU ? 1 : -EMSGSIZE;
}

/*
 * Whatever the skb was before, received or ours, it is a fresh UDP payload now.
 * Of one that was received, the headers have room where those were with which it
 * came, if @dst needs no more.
 */
static int laya_carrier_prepare(struct laya_device *laya, struct sk_buff *skb,
				const struct dst_entry *dst,
				unsigned int headers)
{
	unsigned int size = skb_shinfo(skb)->gso_size;

	/* The headers are written in a head of our own; the payload is not touched */
	if (skb_cow_head(skb, LL_RESERVED_SPACE(dst->dev) + dst->header_len +
			      headers))
		return -ENOMEM;
	laya_carrier_scrub(skb);
	skb->encapsulation = 0;
	skb_reset_inner_headers(skb);
	skb->mark = laya->fwmark;

	if (size && skb->len > size) {
		/* udp_set_csum() leaves these to the caller for super-packets */
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, size);
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) - sizeof(struct udphdr);
		skb->csum_offset = offsetof(struct udphdr, check);
		return 0;
	}
	skb_shinfo(skb)->gso_size = 0;
	skb_shinfo(skb)->gso_segs = 0;
	skb_shinfo(skb)->gso_type = 0;
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

static int laya_carrier_send4(struct laya_device *laya, struct sock *sk,
			      struct sk_buff *skb, const struct laya_endpoint *to,
			      struct dst_cache *cache, unsigned int size, u8 tos,
			      u8 ttl)
{
	struct flowi4 fl = {
		.saddr		= to->local4.s_addr,
		.daddr		= to->remote.in.sin_addr.s_addr,
		.fl4_sport	= inet_sk(sk)->inet_sport,
		.fl4_dport	= to->remote.in.sin_port,
		.flowi4_oif	= to->oif,
		.flowi4_mark	= laya->fwmark,
		.flowi4_proto	= IPPROTO_UDP,
	};
	struct rtable *rt = NULL;
	int fits, err;

	if (cache)
		rt = dst_cache_get_ip4(cache, &fl.saddr);
	if (!rt) {
		rt = laya_carrier_route4(laya, sk, &fl);
		if (IS_ERR(rt))
			return PTR_ERR(rt);
		if (cache)
			dst_cache_set_ip4(cache, &rt->dst, fl.saddr);
	}
	fits = laya_carrier_fits(size, LAYA_CARRIER_HEADERS4,
				 dst_mtu(&rt->dst));
	err = fits < 0 ? fits : laya_carrier_prepare(laya, skb, &rt->dst,
						     LAYA_CARRIER_HEADERS4);
	if (err) {
		ip_rt_put(rt);
		return err;
	}
	laya_compat_udp_tunnel_xmit(rt, sk, skb, fl.saddr, fl.daddr, tos,
				    ttl ?: ip4_dst_hoplimit(&rt->dst),
				    fits ? 0 : htons(IP_DF), fl.fl4_sport,
				    fl.fl4_dport);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *laya_carrier_route6(struct laya_device *laya,
					     struct sock *sk, struct flowi6 *fl)
{
	struct net *net = sock_net(sk);
	struct dst_entry *dst;

	security_sk_classify_flow(sk, flowi6_to_flowi_common(fl));
	if (!ipv6_addr_any(&fl->saddr) &&
	    !ipv6_chk_addr(net, &fl->saddr, NULL, 0))
		fl->saddr = in6addr_any;
	dst = ipv6_stub->ipv6_dst_lookup_flow(net, sk, fl, NULL);
	if (IS_ERR(dst) && fl->flowi6_oif &&
	    !(ipv6_addr_type(&fl->daddr) & IPV6_ADDR_LINKLOCAL)) {
		fl->flowi6_oif = 0;
		fl->saddr = in6addr_any;
		dst = ipv6_stub->ipv6_dst_lookup_flow(net, sk, fl, NULL);
	}
	if (IS_ERR(dst))
		return dst;
	if (laya_device_is(dst->dev)) {
		dst_release(dst);
		return ERR_PTR(-ELOOP);
	}
	return dst;
}

static int laya_carrier_send6(struct laya_device *laya, struct sock *sk,
			      struct sk_buff *skb, const struct laya_endpoint *to,
			      struct dst_cache *cache, unsigned int size, u8 tos,
			      u8 ttl)
{
	struct flowi6 fl = {
		.saddr		= to->local6,
		.daddr		= to->remote.in6.sin6_addr,
		.fl6_sport	= inet_sk(sk)->inet_sport,
		.fl6_dport	= to->remote.in6.sin6_port,
		.flowi6_oif	= to->remote.in6.sin6_scope_id ?: to->oif,
		.flowi6_mark	= laya->fwmark,
		.flowi6_proto	= IPPROTO_UDP,
	};
	struct dst_entry *dst = NULL;
	int fits, err;

	if (ipv6_addr_is_multicast(&fl.daddr))
		return -ENETUNREACH;
	if (cache)
		dst = dst_cache_get_ip6(cache, &fl.saddr);
	if (!dst) {
		dst = laya_carrier_route6(laya, sk, &fl);
		if (IS_ERR(dst))
			return PTR_ERR(dst);
		if (cache)
			dst_cache_set_ip6(cache, dst, &fl.saddr);
	}
	fits = laya_carrier_fits(size, LAYA_CARRIER_HEADERS6, dst_mtu(dst));
	err = fits < 0 ? fits : laya_carrier_prepare(laya, skb, dst,
						     LAYA_CARRIER_HEADERS6);
	if (err) {
		dst_release(dst);
		return err;
	}
	skb->ignore_df = fits;
	laya_compat_udp_tunnel6_xmit(dst, sk, skb, &fl.saddr, &fl.daddr, tos,
				     ttl ?: ip6_dst_hoplimit(dst), fl.fl6_sport,
				     fl.fl6_dport);
	return 0;
}
#else
static int laya_carrier_send6(struct laya_device *laya, struct sock *sk,
			      struct sk_buff *skb, const struct laya_endpoint *to,
			      struct dst_cache *cache, unsigned int size, u8 tos,
			      u8 ttl)
{
	return -EAFNOSUPPORT;
}
#endif

/**
 * laya_carrier_udp_send - send a UDP payload, or a run of equal ones
 * @laya: The device.
 * @skb: At the payload; consumed. With gso_size set, its payloads are of that
 *	size, save the last, which may be shorter.
 * @to: Where to.
 * @cache: Route to @to, or NULL.
 * @tos: Traffic class.
 * @ttl: TTL or hop limit, 0 for the default.
 *
 * Under rcu_read_lock, BH off.
 *
 * Return: 0; -ENETUNREACH and the like from routing; -ENONET without carriers;
 * -ELOOP when the route leads to a Laya device; -EMSGSIZE; -ENOMEM.
 */
int laya_carrier_udp_send(struct laya_device *laya, struct sk_buff *skb,
			  const struct laya_endpoint *to,
			  struct dst_cache *cache, u8 tos, u8 ttl)
{
	struct laya_carrier_udp *udp = rcu_dereference_bh(laya->carrier);
	unsigned int size = skb_shinfo(skb)->gso_size;
	unsigned int bytes = skb->len;
	struct socket *sock = NULL;
	unsigned int packets;
	int err;

	if (udp && to->remote.sa.sa_family == AF_INET)
		sock = rcu_dereference_bh(udp->sock4);
	else if (udp && to->remote.sa.sa_family == AF_INET6)
		sock = rcu_dereference_bh(udp->sock6);
	if (!sock) {
		err = udp ? -EAFNOSUPPORT : -ENONET;
		goto err_drop;
	}

	/* Of the largest datagram */
	if (!size || size > bytes)
		size = bytes;
	packets = size < bytes ? DIV_ROUND_UP(bytes, size) : 1;
	if (to->remote.sa.sa_family == AF_INET)
		err = laya_carrier_send4(laya, sock->sk, skb, to, cache, size,
					 tos, ttl);
	else
		err = laya_carrier_send6(laya, sock->sk, skb, to, cache, size,
					 tos, ttl);
	if (err)
		goto err_drop;
	laya_counts_tx(udp->carrier.counts, packets, bytes);
	return 0;

err_drop:
	laya_device_drop(laya, err == -ENOMEM ? LAYA_DROP_NO_MEMORY :
			       err == -ELOOP ? LAYA_DROP_LOOP :
			       err == -EMSGSIZE ? LAYA_DROP_TOO_BIG :
						  LAYA_DROP_NO_ROUTE);
	kfree_skb(skb);
	return err;
}
