/* SPDX-License-Identifier: GPL-2.0 */
/* A device that is registered nowhere, with a peer, for tests. */
#ifndef _LAYA_FIXTURE_TEST_H
#define _LAYA_FIXTURE_TEST_H

#include <kunit/test.h>
#include <linux/if_arp.h>
#include <linux/netdevice.h>

#include "device.h"
#include "forward.h"
#include "path.h"
#include "peer.h"
#include "session.h"

static void fixture_key(u8 *key, u8 number)
{
	memset(key, 0, LAYA_KEY_SIZE);
	key[0] = 9 + number;
	key[LAYA_KEY_SIZE - 1] = 0x10;
}

static void fixture_setup(struct net_device *dev)
{
	dev->type = ARPHRD_NONE;
}

/* The device; its key is number 100. */
static struct laya_device *fixture_device(struct kunit *test)
{
	struct laya_device *laya;
	struct net_device *dev;

	dev = alloc_netdev(sizeof(*laya), "laya-kunit%d", NET_NAME_UNKNOWN,
			   fixture_setup);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	laya = netdev_priv(dev);
	laya->dev = dev;
	laya->creating_net = &init_net;
	mutex_init(&laya->lock);
	spin_lock_init(&laya->ports.lock);
	laya_carrier_stream_init(laya);
	fixture_key(laya->public_key, 100);
	laya->drops = alloc_percpu(struct laya_drop_stats);
	KUNIT_ASSERT_TRUE(test, !!laya->drops);
	KUNIT_ASSERT_EQ(test, 0, laya_peer_tables_init(laya));
	laya->forward = laya_forward_create(laya);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(laya->forward));
	return laya;
}

static void fixture_free(struct laya_device *laya)
{
	mutex_lock(&laya->lock);
	laya->dead = true;
	laya_peer_remove_all(laya);
	mutex_unlock(&laya->lock);
	laya_forward_destroy(laya->forward);
	laya_peer_tables_destroy(laya);
	free_percpu(laya->drops);
	/* Peers, paths and sessions that wait for their grace period. */
	rcu_barrier();
	flush_workqueue(laya_wq);
	free_netdev(laya->dev);
}

static inline struct laya_peer *fixture_peer(struct kunit *test,
					     struct laya_device *laya,
					     u8 number)
{
	u8 key[LAYA_KEY_SIZE];
	struct laya_peer *peer;

	fixture_key(key, number);
	mutex_lock(&laya->lock);
	peer = laya_peer_create(laya, key, NULL, LAYA_PEER_FLAGS_ALLOW, NULL);
	mutex_unlock(&laya->lock);
	KUNIT_ASSERT_FALSE(test, IS_ERR(peer));
	return peer;
}

/* Sessions of tests have indices of their own, and keys made of them. */
static inline int fixture_session(struct laya_peer *peer, u32 index,
				  bool initiator)
{
	u8 rx_key[LAYA_AEAD_KEY_SIZE] = { 1 }, tx_key[LAYA_AEAD_KEY_SIZE] = { 2 };
	int err;

	memcpy(rx_key + 8, &index, sizeof(index));
	memcpy(tx_key + 8, &index, sizeof(index));
	mutex_lock(&peer->device->lock);
	err = laya_session_create(peer, LAYA_CIPHER_CHACHA20_POLY1305, index,
				  index + 1, rx_key, tx_key, initiator, false,
				  NULL);
	mutex_unlock(&peer->device->lock);
	return err;
}

static inline struct laya_session *fixture_slot(struct laya_peer *peer,
						unsigned int slot)
{
	struct laya_session *session;

	rcu_read_lock();
	session = rcu_dereference(peer->slots[slot - 1]);
	rcu_read_unlock();
	return session;
}

#endif /* _LAYA_FIXTURE_TEST_H */
