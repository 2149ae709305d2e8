// SPDX-License-Identifier: GPL-2.0
/*
 * The network device: `ip link add laya0 type laya`. One device is one identity.
 */
#include <linux/if_arp.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/rtnetlink.h>

#include "addr.h"
#include "carrier.h"
#include "carrier_stream.h"
#include "device.h"
#include "dgram.h"
#include "forward.h"
#include "netlink.h"
#include "peer.h"
#include "send.h"

/* All devices; see struct laya_device. */
static LIST_HEAD(laya_devices);

/* Below it, IPv6 does not run on a device (RFC 8200, section 5). */
#define LAYA_DEVICE_MTU_MIN	IPV6_MIN_MTU

/* Sealed, and with two labels before each segment, it stays below 64 KiB. */
#define LAYA_DEVICE_TSO_MAX	60000

/* A stream fails after so long without a path, unless the owner says otherwise. */
#define LAYA_DEVICE_USER_TIMEOUT_MS	60000

static int laya_device_open(struct net_device *dev)
{
	struct inet6_dev *in6 = __in6_dev_get(dev);

	/* The one address is the ORCHID: no link-local address is made up */
	if (in6)
		in6->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	return 0;
}

static int laya_device_stop(struct net_device *dev)
{
	/*
	 * Carriers live on, as does what layad says to other nodes; the receive
	 * side hands nothing to a device that is down.
	 */
	return 0;
}

static int laya_device_ndo_init(struct net_device *dev)
{
	return laya_compat_alloc_tstats(dev);
}

/*
 * Under rtnl, after the device is off the list of its namespace and a grace
 * period has passed: nothing new comes from the stack.
 */
static void laya_device_ndo_uninit(struct net_device *dev)
{
	struct laya_device *laya = laya_device(dev);

	/* Not in the list when registering it failed */
	if (!list_empty(&laya->list))
		list_del_rcu(&laya->list);

	mutex_lock(&laya->lock);
	laya->dead = true;
	mutex_unlock(&laya->lock);
	synchronize_net();

	laya_dgram_device_gone(laya);
	laya_carrier_stream_destroy(laya);
	mutex_lock(&laya->lock);
	laya_carrier_close(laya);
	laya_peer_remove_all(laya);
	mutex_unlock(&laya->lock);
	WRITE_ONCE(laya->owner_portid, 0);
}

/* The last reference is gone. */
static void laya_device_destruct(struct net_device *dev)
{
	struct laya_device *laya = laya_device(dev);

	laya_forward_destroy(laya->forward);
	laya_peer_tables_destroy(laya);
	free_percpu(laya->drops);
	mutex_destroy(&laya->lock);
	laya_compat_free_tstats(dev);
}

static const struct net_device_ops laya_device_ops = {
	.ndo_init		= laya_device_ndo_init,
	.ndo_uninit		= laya_device_ndo_uninit,
	.ndo_open		= laya_device_open,
	.ndo_stop		= laya_device_stop,
	.ndo_start_xmit		= laya_send_xmit,
	.ndo_get_stats64	= dev_get_tstats64,
};

static const struct device_type laya_device_type = { .name = "laya" };

static void laya_device_setup(struct net_device *dev)
{
	struct laya_device *laya = laya_device(dev);
	const netdev_features_t features = NETIF_F_SG | NETIF_F_FRAGLIST |
					   NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
					   NETIF_F_HIGHDMA | NETIF_F_ALL_TSO |
					   NETIF_F_GSO_UDP_L4;

	dev->netdev_ops = &laya_device_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->needs_free_netdev = true;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->mtu = LAYA_DEVICE_MTU;
	dev->min_mtu = LAYA_DEVICE_MTU_MIN;
	dev->max_mtu = LAYA_DEVICE_MTU;
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	laya_compat_set_lltx(dev);
	laya_compat_set_tstats(dev);
	netif_set_tso_max_size(dev, LAYA_DEVICE_TSO_MAX);
	SET_NETDEV_DEVTYPE(dev, &laya_device_type);
	/* ICMPv6 errors for what is not sent need the route */
	netif_keep_dst(dev);

	memset(laya, 0, sizeof(*laya));
	laya->dev = dev;
	INIT_LIST_HEAD(&laya->list);
}

LAYA_COMPAT_NEWLINK(laya_device_newlink)
{
	struct laya_device *laya = laya_device(dev);
	int err = -ENOMEM;

	laya->creating_net = laya_compat_newlink_net();
	laya->seq = 1;
	laya->user_timeout_ms = LAYA_DEVICE_USER_TIMEOUT_MS;
	mutex_init(&laya->lock);
	spin_lock_init(&laya->ports.lock);
	laya_carrier_stream_init(laya);

	laya->drops = alloc_percpu(struct laya_drop_stats);
	if (!laya->drops) {
		NL_SET_ERR_MSG(extack, "No memory for the device's counters");
		return -ENOMEM;
	}
	err = laya_peer_tables_init(laya);
	if (err) {
		NL_SET_ERR_MSG(extack, "No memory for the device's tables of peers");
		goto err_drops;
	}
	laya->forward = laya_forward_create(laya);
	if (IS_ERR_OR_NULL(laya->forward)) {
		NL_SET_ERR_MSG(extack, "No memory for the device's table of labels");
		err = -ENOMEM;
		goto err_peers;
	}

	err = register_netdevice(dev);
	if (err)
		goto err_forward;

	/* Set this late, since register_netdevice() calls it when it fails */
	dev->priv_destructor = laya_device_destruct;
	list_add_rcu(&laya->list, &laya_devices);
	return 0;

err_forward:
	laya_compat_free_tstats(dev);
	laya_forward_destroy(laya->forward);
err_peers:
	laya_peer_tables_destroy(laya);
err_drops:
	free_percpu(laya->drops);
	return err;
}

struct rtnl_link_ops laya_link_ops __read_mostly = {
	.kind		= "laya",
	.priv_size	= sizeof(struct laya_device),
	.setup		= laya_device_setup,
	.newlink	= laya_device_newlink,
};

/*
 * The namespace where a device was created goes, and the sockets of its carriers
 * with it. The device itself may live on elsewhere: it carries no more.
 */
static void __net_exit laya_device_net_pre_exit(struct net *net)
{
	struct laya_device *laya;

	rtnl_lock();
	list_for_each_entry(laya, &laya_devices, list) {
		if (laya->creating_net != net)
			continue;
		netif_carrier_off(laya->dev);
		mutex_lock(&laya->lock);
		WRITE_ONCE(laya->creating_net, NULL);
		laya_carrier_stream_close_all(laya, ENONET);
		laya_carrier_close(laya);
		mutex_unlock(&laya->lock);
	}
	rtnl_unlock();
}

static struct pernet_operations laya_device_net_ops = {
	.pre_exit = laya_device_net_pre_exit,
};

/**
 * laya_device_lookup_ifindex - find a device by its index
 * @net: Network namespace.
 * @ifindex: Index.
 *
 * Return: The device, valid under RCU or rtnl; NULL when there is none.
 */
struct laya_device *laya_device_lookup_ifindex(struct net *net, int ifindex)
{
	struct net_device *dev = dev_get_by_index_rcu(net, ifindex);

	if (!dev || !laya_device_is(dev))
		return NULL;
	return laya_device(dev);
}

/**
 * laya_device_lookup_key - find the device that has a public key
 * @net: Network namespace.
 * @key: Public key.
 *
 * Return: The device, valid under RCU or rtnl; NULL when there is none.
 */
struct laya_device *laya_device_lookup_key(struct net *net, const u8 *key)
{
	struct laya_device *laya;

	list_for_each_entry_rcu(laya, &laya_devices, list, lockdep_rtnl_is_held())
		if (net_eq(dev_net(laya->dev), net) &&
		    !memcmp(laya->public_key, key, LAYA_KEY_SIZE))
			return laya;
	return NULL;
}

/**
 * laya_device_lookup_scope - find the device for a socket
 * @net: Network namespace.
 * @scope_id: Index of the device, or 0.
 * @peer_key: Key of the other side.
 *
 * Return: The device, valid under RCU: that with the index, or the only one, or
 * the one that knows the key. ERR_PTR(-ENODEV) when there is no device,
 * ERR_PTR(-ENETUNREACH) when there are several that do not know the key.
 */
struct laya_device *laya_device_lookup_scope(struct net *net, u32 scope_id,
					     const u8 *peer_key)
{
	struct laya_device *laya, *only = NULL;
	unsigned int n = 0;

	if (scope_id) {
		laya = laya_device_lookup_ifindex(net, scope_id);
		return laya ?: ERR_PTR(-ENODEV);
	}
	list_for_each_entry_rcu(laya, &laya_devices, list) {
		if (!net_eq(dev_net(laya->dev), net))
			continue;
		if (peer_key && (!memcmp(laya->public_key, peer_key, LAYA_KEY_SIZE) ||
				 laya_peer_lookup_key(laya, peer_key)))
			return laya;
		only = laya;
		n++;
	}
	if (n == 1)
		return only;
	return ERR_PTR(n ? -ENETUNREACH : -ENODEV);
}

/**
 * laya_device_lookup_hold - find a device for a netlink request
 * @net: Network namespace of the sender.
 * @ifindex: Index, or 0.
 * @name: Name; used when @ifindex is 0.
 *
 * A device that was moved away is found by those in the namespace where it was
 * created too: its daemon stayed there.
 *
 * Return: The device, with a reference on its net_device; NULL when there is none.
 */
struct laya_device *laya_device_lookup_hold(struct net *net, int ifindex,
					    const char *name)
{
	struct laya_device *laya, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(laya, &laya_devices, list) {
		if (ifindex ? laya->dev->ifindex != ifindex :
			      strcmp(laya->dev->name, name))
			continue;
		if (net_eq(dev_net(laya->dev), net)) {
			found = laya;
			break;
		}
		if (READ_ONCE(laya->creating_net) == net)
			found = laya;
	}
	if (found)
		dev_hold(found->dev);
	rcu_read_unlock();
	return found;
}

/**
 * laya_device_next - walk the devices that a namespace may see
 * @net: Network namespace.
 * @laya: The last one, or NULL to begin.
 *
 * Return: The next one, valid under RCU; NULL at the end.
 */
struct laya_device *laya_device_next(struct net *net, struct laya_device *laya)
{
	struct list_head *at = laya ? &laya->list : &laya_devices;

	for (at = rcu_dereference(list_next_rcu(at)); at != &laya_devices;
	     at = rcu_dereference(list_next_rcu(at))) {
		laya = list_entry(at, struct laya_device, list);
		if (net_eq(dev_net(laya->dev), net) ||
		    READ_ONCE(laya->creating_net) == net)
			return laya;
	}
	return NULL;
}

/**
 * laya_device_release_owner - a netlink socket was closed
 * @net: Its network namespace.
 * @portid: Its port.
 *
 * Whoever claimed a device with it owns that no more.
 */
void laya_device_release_owner(struct net *net, u32 portid)
{
	struct laya_device *laya;

	rcu_read_lock();
	list_for_each_entry_rcu(laya, &laya_devices, list)
		if (READ_ONCE(laya->owner_net) == net &&
		    cmpxchg(&laya->owner_portid, portid, 0) == portid)
			laya_carrier_stream_orphan(laya);
	rcu_read_unlock();
}

/**
 * laya_device_set_key - give a device its identity
 * @laya: The device.
 * @key: Public key.
 * @extack: Says what is wrong.
 *
 * Under device->lock and rtnl. The ORCHID is noted here; layad puts it on the
 * device as an address.
 *
 * Return: 0; -EINVAL for a key that is none; -EBUSY while there are peers;
 * -EEXIST when another device of the namespace has the key.
 */
int laya_device_set_key(struct laya_device *laya, const u8 *key,
			struct netlink_ext_ack *extack)
{
	struct laya_device *other;

	ASSERT_RTNL();
	lockdep_assert_held(&laya->lock);

	if (!memcmp(laya->public_key, key, LAYA_KEY_SIZE))
		return 0;
	if (!laya_addr_key_valid(key)) {
		NL_SET_ERR_MSG(extack,
			       "Public key is not canonical, or of low order");
		return -EINVAL;
	}
	if (laya->n_peers) {
		NL_SET_ERR_MSG(extack,
			       "Public key cannot change while the device has peers");
		return -EBUSY;
	}
	other = laya_device_lookup_key(dev_net(laya->dev), key);
	if (other) {
		NL_SET_ERR_MSG(extack, "Another device has this public key");
		return -EEXIST;
	}
	memcpy(laya->public_key, key, LAYA_KEY_SIZE);
	laya_addr_orchid(&laya->orchid, key);
	return 0;
}

/**
 * laya_device_init - register the link type
 *
 * Return: 0 or a negative errno.
 */
int laya_device_init(void)
{
	int err;

	err = register_pernet_device(&laya_device_net_ops);
	if (err)
		return err;
	err = rtnl_link_register(&laya_link_ops);
	if (err)
		goto err_pernet;
	return 0;

err_pernet:
	unregister_pernet_device(&laya_device_net_ops);
	return err;
}

/**
 * laya_device_exit - delete all devices and forget the link type
 */
void laya_device_exit(void)
{
	rtnl_link_unregister(&laya_link_ops);
	unregister_pernet_device(&laya_device_net_ops);
}
