// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/slab.h>

#include "label.h"
#include "peer.h"

#define NOW	1000UL

struct label_fixture {
	struct laya_label_table	table;
	struct laya_peer	*peers[2];
};

static struct label_fixture *fixture(struct kunit *test)
{
	return test->priv;
}

static int label_init(struct kunit *test)
{
	struct label_fixture *f;
	int i;

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	for (i = 0; i < ARRAY_SIZE(f->peers); i++) {
		f->peers[i] = kunit_kzalloc(test, sizeof(*f->peers[i]),
					    GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, f->peers[i]);
		kref_init(&f->peers[i]->ref);
		f->peers[i]->key[0] = i + 1;
	}
	KUNIT_ASSERT_EQ(test, 0, laya_label_table_init(&f->table));
	test->priv = f;
	return 0;
}

/* After every case: nothing is left, and no reference to a peer either. */
static void label_exit(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	int i;

	if (!f)
		return;
	laya_label_table_exit(&f->table);
	KUNIT_EXPECT_EQ(test, 0, f->table.n_labels);
	KUNIT_EXPECT_EQ(test, 0, f->table.n_flows);
	KUNIT_EXPECT_TRUE(test, list_empty(&f->table.unvalidated));
	for (i = 0; i < ARRAY_SIZE(f->peers); i++)
		KUNIT_EXPECT_EQ(test, 1, kref_read(&f->peers[i]->ref));
	rcu_barrier();
}

static int set(struct kunit *test, int peer, u64 value, u8 for_key)
{
	struct label_fixture *f = fixture(test);
	struct laya_label_params params = {
		.for_key = { for_key },
		.rate = 1000,
		.burst = 100,
		.expires_ms = 10000,
	};

	laya_label_bytes(params.label, value);
	return laya_label_set(&f->table, f->peers[peer], NULL, &params, NOW,
			      NULL);
}

static struct laya_issued *find_at(struct kunit *test, u64 value,
				   unsigned long now)
{
	struct laya_issued *issued;

	rcu_read_lock();
	issued = laya_label_find(&fixture(test)->table, value, now);
	rcu_read_unlock();
	return issued;
}

static struct laya_issued *find(struct kunit *test, u64 value)
{
	return find_at(test, value, NOW);
}

static struct laya_label *label_of(struct kunit *test, u64 value)
{
	struct laya_issued *issued = find(test, value);

	KUNIT_ASSERT_NOT_NULL(test, issued);
	KUNIT_ASSERT_FALSE(test, issued->is_flow);
	return laya_label_of(issued);
}

static struct laya_endpoint *from(struct kunit *test, u32 address, u16 port)
{
	struct laya_endpoint *end = kunit_kzalloc(test, sizeof(*end),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, end);
	end->remote.in.sin_family = AF_INET;
	end->remote.in.sin_addr.s_addr = htonl(address);
	end->remote.in.sin_port = htons(port);
	end->local4.s_addr = htonl(0xc0000201);
	return end;
}

static struct laya_flow *bind(struct kunit *test, struct laya_label *label,
			      u64 previous, const struct laya_endpoint *end)
{
	struct laya_flow *flow;

	rcu_read_lock();
	flow = laya_label_bind(&fixture(test)->table, label, previous, end,
			       NOW);
	rcu_read_unlock();
	return flow;
}

static void validate(struct kunit *test, struct laya_flow *flow)
{
	local_bh_disable();
	laya_label_prove(&fixture(test)->table, flow, flow->proof);
	local_bh_enable();
}

static void laya_label_value__there_and_back(struct kunit *test)
{
	static const u8 label[] = { 0x81, 2, 3, 4, 5, 0xf6 };
	u8 bytes[LAYA_LABEL_SIZE];

	KUNIT_EXPECT_EQ(test, 0x8102030405f6ULL, laya_label_value(label));
	laya_label_bytes(bytes, 0x8102030405f6ULL);
	KUNIT_EXPECT_MEMEQ(test, label, bytes, sizeof(bytes));
}

static void laya_label_set__found(struct kunit *test)
{
	struct laya_label_info info;
	struct laya_label *label;

	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 7, 1));
	KUNIT_EXPECT_NULL(test, find(test, 8));
	label = label_of(test, 7);
	laya_label_info(label, NOW + msecs_to_jiffies(4000), &info);
	KUNIT_EXPECT_EQ(test, 7, laya_label_value(info.params.label));
	KUNIT_EXPECT_EQ(test, 1, info.params.for_key[0]);
	KUNIT_EXPECT_EQ(test, 1, info.key[0]);
	KUNIT_EXPECT_EQ(test, 1000, info.params.rate);
	KUNIT_EXPECT_EQ(test, 100, info.params.burst);
	KUNIT_EXPECT_EQ(test, 6000, info.params.expires_ms);
}

static void laya_label_set__zero(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EINVAL, set(test, 0, 0, 1));
}

static void laya_label_set__renews(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	struct laya_label_params params = {
		.label = { [5] = 7 }, .for_key = { 1 }, .expires_ms = 20000,
	};
	struct laya_label *label;

	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 7, 1));
	label = label_of(test, 7);
	KUNIT_EXPECT_EQ(test, 0, laya_label_set(&f->table, f->peers[0], NULL,
						&params, NOW, NULL));
	KUNIT_EXPECT_PTR_EQ(test, label, label_of(test, 7));
	KUNIT_EXPECT_EQ(test, 0, label->bucket.rate);
	KUNIT_EXPECT_EQ(test, NOW + msecs_to_jiffies(20000), label->expires);
	KUNIT_EXPECT_EQ(test, 1, f->table.n_labels);
}

static void laya_label_set__other_pair(struct kunit *test)
{
	struct laya_flow *flow;

	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 7, 1));
	KUNIT_EXPECT_EQ(test, -EEXIST, set(test, 0, 7, 2));
	KUNIT_EXPECT_EQ(test, -EEXIST, set(test, 1, 7, 1));

	/* Nor one that is a return label already */
	flow = bind(test, label_of(test, 7), 0, from(test, 1, 1));
	KUNIT_ASSERT_NOT_NULL(test, flow);
	KUNIT_EXPECT_EQ(test, -EEXIST, set(test, 0, flow->issued.value, 1));
	KUNIT_EXPECT_EQ(test, 1, fixture(test)->table.n_labels);
}

static void laya_label_set__bound(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	struct laya_label_params params = { .label = { [5] = 7 } };
	struct laya_label_info info;

	KUNIT_EXPECT_EQ(test, 0, laya_label_set(&f->table, f->peers[0],
						f->peers[1], &params, NOW,
						NULL));
	KUNIT_EXPECT_EQ(test, 2, kref_read(&f->peers[1]->ref));
	laya_label_info(label_of(test, 7), NOW, &info);
	KUNIT_EXPECT_TRUE(test, info.params.bound);

	/* Renewed for the same user, and for nobody else */
	KUNIT_EXPECT_EQ(test, 0, laya_label_set(&f->table, f->peers[0],
						f->peers[1], &params, NOW,
						NULL));
	KUNIT_EXPECT_EQ(test, -EEXIST,
			laya_label_set(&f->table, f->peers[0], NULL, &params,
				       NOW, NULL));
	KUNIT_EXPECT_EQ(test, 2, kref_read(&f->peers[1]->ref));

	KUNIT_EXPECT_EQ(test, 0, laya_label_del(&f->table, 7));
	KUNIT_EXPECT_EQ(test, 1, kref_read(&f->peers[1]->ref));
}

static void laya_label_set__limits(struct kunit *test)
{
	struct laya_label_table *table = &fixture(test)->table;

	table->limits.labels = 3;
	table->limits.labels_attachment = 2;
	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 1, 1));
	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 2, 2));
	KUNIT_EXPECT_EQ(test, -ENOSPC, set(test, 0, 3, 3));
	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 2, 2));
	KUNIT_EXPECT_EQ(test, 0, set(test, 1, 4, 1));
	KUNIT_EXPECT_EQ(test, -ENOSPC, set(test, 1, 5, 2));
	KUNIT_EXPECT_EQ(test, 0, laya_label_del(table, 1));
	KUNIT_EXPECT_EQ(test, 0, set(test, 1, 5, 2));
}

static void laya_label_del__flows_too(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	u64 value;

	KUNIT_EXPECT_EQ(test, -ENOENT, laya_label_del(&f->table, 7));
	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 7, 1));
	KUNIT_EXPECT_EQ(test, 2, kref_read(&f->peers[0]->ref));
	value = bind(test, label_of(test, 7), 0, from(test, 1, 1))->issued.value;
	KUNIT_EXPECT_NOT_NULL(test, find(test, value));

	/* A return label is not deleted by name */
	KUNIT_EXPECT_EQ(test, -ENOENT, laya_label_del(&f->table, value));
	KUNIT_EXPECT_EQ(test, 0, laya_label_del(&f->table, 7));
	KUNIT_EXPECT_NULL(test, find(test, 7));
	KUNIT_EXPECT_NULL(test, find(test, value));
	KUNIT_EXPECT_EQ(test, 0, f->table.n_flows);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&f->peers[0]->ref));
}

static void laya_label_del_peer__only_its_own(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	u64 value;

	laya_label_del_peer(&f->table, f->peers[0]);
	for (value = 1; value <= 20; value++)
		KUNIT_EXPECT_EQ(test, 0, set(test, value % 2, value, value));
	laya_label_del_peer(&f->table, f->peers[0]);
	KUNIT_EXPECT_EQ(test, 10, f->table.n_labels);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&f->peers[0]->ref));
	KUNIT_EXPECT_EQ(test, 2, kref_read(&f->peers[1]->ref));
	KUNIT_EXPECT_NULL(test, find(test, 2));
	KUNIT_EXPECT_NOT_NULL(test, find(test, 3));
}

static void laya_label_expire__labels(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	unsigned long end = NOW + msecs_to_jiffies(10000);

	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 7, 1));
	laya_label_expire(&f->table, end - 1);
	KUNIT_EXPECT_EQ(test, 1, f->table.n_labels);
	KUNIT_EXPECT_NOT_NULL(test, find_at(test, 7, end - 1));

	/* Gone on time, even when the sweep is late */
	KUNIT_EXPECT_NULL(test, find_at(test, 7, end));
	laya_label_expire(&f->table, end);
	KUNIT_EXPECT_EQ(test, 0, f->table.n_labels);
	KUNIT_EXPECT_EQ(test, 1, kref_read(&f->peers[0]->ref));
}

static void laya_label_expire__many(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	u64 value;

	/* More than one batch */
	for (value = 1; value <= 700; value++)
		KUNIT_ASSERT_EQ(test, 0, set(test, 0, value, 1));
	laya_label_expire(&f->table, NOW + msecs_to_jiffies(10000));
	KUNIT_EXPECT_EQ(test, 0, f->table.n_labels);
}

static void laya_label_expire__idle_flows(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	struct laya_label_params params = {
		.label = { [5] = 7 }, .expires_ms = 3600000,
	};
	struct laya_flow *idle, *busy;
	u64 idle_value;

	KUNIT_EXPECT_EQ(test, 0, laya_label_set(&f->table, f->peers[0], NULL,
						&params, NOW, NULL));
	idle = bind(test, label_of(test, 7), 0, from(test, 1, 1));
	busy = bind(test, label_of(test, 7), 0, from(test, 1, 2));
	validate(test, idle);
	idle_value = idle->issued.value;
	busy->last = NOW + 1;
	laya_label_expire(&f->table, NOW + LAYA_LABEL_FLOW_IDLE - 1);
	KUNIT_EXPECT_EQ(test, 2, f->table.n_flows);
	laya_label_expire(&f->table, NOW + LAYA_LABEL_FLOW_IDLE);
	KUNIT_EXPECT_EQ(test, 1, f->table.n_flows);
	KUNIT_EXPECT_NULL(test, find(test, idle_value));
	KUNIT_EXPECT_NOT_NULL(test, find(test, busy->issued.value));
}

static void laya_label_next__each_once(struct kunit *test)
{
	struct label_fixture *f = fixture(test);
	struct laya_label *label;
	unsigned long pos;
	u64 sum = 0;

	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 1, 1));
	KUNIT_EXPECT_EQ(test, 0, set(test, 0, 20, 1));
	KUNIT_EXPECT_EQ(test, 0, set(test, 1, 300, 1));
	KUNIT_EXPECT_EQ(test, 0, laya_label_del(&f->table, 20));
	rcu_read_lock();
	for (pos = 0; (label = laya_label_next(&f->table, &pos, NOW)); pos++)
		sum += label->issued.value;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, 301, sum);
}

static void laya_label_bind__same_flow(struct kunit *test)
{
	struct laya_label *label;
	struct laya_flow *flow;

	set(test, 0, 7, 1);
	label = label_of(test, 7);
	flow = bind(test, label, 0, from(test, 1, 1));
	KUNIT_ASSERT_NOT_NULL(test, flow);
	KUNIT_EXPECT_NE(test, 0, flow->issued.value);
	KUNIT_EXPECT_EQ(test, 0, flow->issued.value >> 48);
	KUNIT_EXPECT_PTR_EQ(test, &flow->issued, find(test, flow->issued.value));
	KUNIT_EXPECT_PTR_EQ(test, flow, bind(test, label, 0, from(test, 1, 1)));
	KUNIT_EXPECT_EQ(test, 1, label->n_flows);
}

static void laya_label_bind__other_flows(struct kunit *test)
{
	struct laya_endpoint *end = from(test, 1, 1);
	struct laya_endpoint end6 = {
		.remote.in6 = { .sin6_family = AF_INET6, .sin6_port = htons(1) },
	};
	struct laya_label *label;
	struct laya_flow *flow;

	set(test, 0, 7, 1);
	set(test, 0, 8, 2);
	label = label_of(test, 7);
	flow = bind(test, label, 0, end);
	KUNIT_EXPECT_PTR_NE(test, flow, bind(test, label, 0, from(test, 1, 2)));
	KUNIT_EXPECT_PTR_NE(test, flow, bind(test, label, 0, from(test, 2, 1)));
	KUNIT_EXPECT_PTR_NE(test, flow, bind(test, label, 9, end));
	KUNIT_EXPECT_PTR_NE(test, flow, bind(test, label_of(test, 8), 0, end));
	end->local4.s_addr ^= 1;
	KUNIT_EXPECT_PTR_NE(test, flow, bind(test, label, 0, end));
	end6.remote.in6.sin6_addr.s6_addr32[0] = htonl(1);
	KUNIT_EXPECT_PTR_NE(test, flow, bind(test, label, 0, &end6));
	KUNIT_EXPECT_EQ(test, 6, label->n_flows);
	KUNIT_EXPECT_EQ(test, 7, fixture(test)->table.n_flows);
}

static void laya_label_bind__streams(struct kunit *test)
{
	struct laya_endpoint *udp = from(test, 1, 1);
	struct laya_endpoint stream = *udp, other = *udp, unnamed = {};
	struct laya_flow *flow, *second;
	struct laya_label *label;

	set(test, 0, 7, 1);
	label = label_of(test, 7);
	stream.carrier = 5;
	other.carrier = 6;
	unnamed.carrier = 5;
	flow = bind(test, label, 0, &stream);
	KUNIT_ASSERT_NOT_NULL(test, flow);
	/* The stream counts, whatever is said of its far end, and nothing else */
	KUNIT_EXPECT_PTR_EQ(test, flow, bind(test, label, 0, &unnamed));
	KUNIT_EXPECT_PTR_NE(test, flow, bind(test, label, 0, udp));
	second = bind(test, label, 0, &other);
	KUNIT_EXPECT_PTR_NE(test, flow, second);
	laya_label_prove(&fixture(test)->table, second, second->proof);
	KUNIT_EXPECT_EQ(test, 3, label->n_flows);

	laya_label_carrier_lost(&fixture(test)->table, 5, NOW);
	KUNIT_EXPECT_EQ(test, 2, label->n_flows);
	laya_label_carrier_lost(&fixture(test)->table, 6, NOW);
	KUNIT_EXPECT_EQ(test, 1, label->n_flows);
	laya_label_carrier_lost(&fixture(test)->table, 7, NOW);
	KUNIT_EXPECT_EQ(test, 1, label->n_flows);
}

static void laya_label_bind__not_on_a_dead_label(struct kunit *test)
{
	struct laya_endpoint *end = from(test, 1, 1);
	struct laya_label *label;

	set(test, 0, 7, 1);
	rcu_read_lock();
	label = laya_label_of(find(test, 7));
	laya_label_del(&fixture(test)->table, 7);
	KUNIT_EXPECT_NULL(test, bind(test, label, 0, end));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, 0, fixture(test)->table.n_flows);
}

static void laya_label_bind__oldest_unvalidated_goes(struct kunit *test)
{
	struct laya_label_table *table = &fixture(test)->table;
	struct laya_label *label;
	struct laya_flow *flow;
	u64 values[3];

	set(test, 0, 7, 1);
	label = label_of(test, 7);
	table->limits.flows_label = 3;
	flow = bind(test, label, 0, from(test, 1, 1));
	values[0] = flow->issued.value;
	validate(test, flow);
	values[1] = bind(test, label, 0, from(test, 1, 2))->issued.value;
	values[2] = bind(test, label, 0, from(test, 1, 3))->issued.value;
	KUNIT_EXPECT_NOT_NULL(test, bind(test, label, 0, from(test, 1, 4)));
	KUNIT_EXPECT_EQ(test, 3, label->n_flows);
	KUNIT_EXPECT_NOT_NULL(test, find(test, values[0]));
	KUNIT_EXPECT_NULL(test, find(test, values[1]));
	KUNIT_EXPECT_NOT_NULL(test, find(test, values[2]));

	/* Nothing unvalidated is left: no room, those in use stay */
	validate(test, laya_flow_of(find(test, values[2])));
	validate(test, bind(test, label, 0, from(test, 1, 4)));
	KUNIT_EXPECT_NULL(test, bind(test, label, 0, from(test, 1, 5)));
	KUNIT_EXPECT_EQ(test, 3, label->n_flows);
}

static void laya_label_bind__oldest_of_all_goes(struct kunit *test)
{
	struct laya_label_table *table = &fixture(test)->table;
	u64 first;

	set(test, 0, 7, 1);
	set(test, 1, 8, 1);
	table->limits.flows = 2;
	first = bind(test, label_of(test, 7), 0, from(test, 1, 1))->issued.value;
	bind(test, label_of(test, 7), 0, from(test, 1, 2));
	KUNIT_EXPECT_NOT_NULL(test, bind(test, label_of(test, 8), 0,
					 from(test, 1, 1)));
	KUNIT_EXPECT_EQ(test, 2, table->n_flows);
	KUNIT_EXPECT_EQ(test, 1, label_of(test, 7)->n_flows);
	KUNIT_EXPECT_NULL(test, find(test, first));
}

static int slot_of(struct kunit *test, u64 label, struct laya_shims *shims,
		   unsigned int at, const struct laya_endpoint *end,
		   u64 *previous, struct laya_flow **flow)
{
	int slot;

	rcu_read_lock();
	slot = laya_label_slot(&fixture(test)->table, label_of(test, label),
			       shims, at, end, NOW, previous, flow);
	rcu_read_unlock();
	return slot;
}

static void laya_label_slot__one_label(struct kunit *test)
{
	struct laya_shims shims = { .n_labels = 1 };
	struct laya_flow *flow, *found;
	u64 previous;

	set(test, 0, 7, 1);

	/* None */
	KUNIT_EXPECT_EQ(test, -1, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					  &previous, &found));
	KUNIT_EXPECT_NULL(test, found);

	/* Empty */
	shims.n_returns = 1;
	KUNIT_EXPECT_EQ(test, 0, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					 &previous, &found));
	KUNIT_EXPECT_EQ(test, 0, previous);

	/* Holds what the dialler was given */
	flow = bind(test, label_of(test, 7), 0, from(test, 1, 1));
	laya_label_bytes(shims.returns[0], flow->issued.value);
	KUNIT_EXPECT_EQ(test, -1, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					  &previous, &found));
	KUNIT_EXPECT_PTR_EQ(test, flow, found);

	/* What it alone has seen: the far end is to have the return label */
	laya_label_bytes(shims.returns[0], flow->proof);
	KUNIT_EXPECT_EQ(test, 0, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					 &previous, &found));
	KUNIT_EXPECT_NULL(test, found);
	laya_label_bytes(shims.returns[0], flow->issued.value);

	/* The dialler is elsewhere now */
	KUNIT_EXPECT_EQ(test, 0, slot_of(test, 7, &shims, 0, from(test, 1, 2),
					 &previous, &found));
	KUNIT_EXPECT_NULL(test, found);

	/* A flow that has been forgotten, or was of another label */
	laya_label_bytes(shims.returns[0], 0x123456);
	KUNIT_EXPECT_EQ(test, 0, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					 &previous, &found));
	set(test, 0, 8, 2);
	laya_label_bytes(shims.returns[0], flow->issued.value);
	KUNIT_EXPECT_EQ(test, 0, slot_of(test, 8, &shims, 0, from(test, 1, 1),
					 &previous, &found));
	KUNIT_EXPECT_NULL(test, found);
}

static void laya_label_slot__two_labels(struct kunit *test)
{
	struct laya_shims shims = { .n_labels = 2, .n_returns = 2 };
	struct laya_flow *flow, *found;
	u64 previous;

	set(test, 0, 7, 1);

	/* The outer forwarder has the first slot */
	KUNIT_EXPECT_EQ(test, 0, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					 &previous, &found));
	KUNIT_EXPECT_EQ(test, 0, previous);

	/* The inner one the second, and tells diallers apart by the first */
	laya_label_bytes(shims.returns[0], 99);
	KUNIT_EXPECT_EQ(test, 1, slot_of(test, 7, &shims, 1, from(test, 1, 1),
					 &previous, &found));
	KUNIT_EXPECT_EQ(test, 99, previous);
	flow = bind(test, label_of(test, 7), previous, from(test, 1, 1));
	laya_label_bytes(shims.returns[1], flow->issued.value);
	KUNIT_EXPECT_EQ(test, -1, slot_of(test, 7, &shims, 1, from(test, 1, 1),
					  &previous, &found));
	KUNIT_EXPECT_PTR_EQ(test, flow, found);
	laya_label_bytes(shims.returns[0], 98);
	KUNIT_EXPECT_EQ(test, 1, slot_of(test, 7, &shims, 1, from(test, 1, 1),
					 &previous, &found));
	KUNIT_EXPECT_NULL(test, found);
	KUNIT_EXPECT_EQ(test, 98, previous);
}

static void laya_label_slot__unlike_numbers(struct kunit *test)
{
	struct laya_shims shims = { .n_labels = 1, .n_returns = 2 };
	struct laya_flow *flow, *found;
	u64 previous;

	set(test, 0, 7, 1);
	laya_label_bytes(shims.returns[0], 99);
	KUNIT_EXPECT_EQ(test, 1, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					 &previous, &found));
	KUNIT_EXPECT_EQ(test, 99, previous);
	flow = bind(test, label_of(test, 7), previous, from(test, 1, 1));
	laya_label_bytes(shims.returns[1], flow->proof);
	KUNIT_EXPECT_EQ(test, 1, slot_of(test, 7, &shims, 0, from(test, 1, 1),
					 &previous, &found));

	/* Somebody else's, and no room: left as it is */
	shims.n_labels = 2;
	shims.n_returns = 1;
	KUNIT_EXPECT_EQ(test, -1, slot_of(test, 7, &shims, 1, from(test, 1, 1),
					  &previous, &found));
	KUNIT_EXPECT_NULL(test, found);
}

static void laya_label_prove__leaves_the_queue(struct kunit *test)
{
	struct laya_flow *flow;

	set(test, 0, 7, 1);
	flow = bind(test, label_of(test, 7), 0, from(test, 1, 1));
	KUNIT_EXPECT_FALSE(test, flow->validated);
	KUNIT_EXPECT_FALSE(test, list_empty(&fixture(test)->table.unvalidated));

	/* What the attachment knows as well proves nothing */
	laya_label_prove(&fixture(test)->table, flow, flow->issued.value);
	laya_label_prove(&fixture(test)->table, flow, 0);
	KUNIT_EXPECT_FALSE(test, flow->validated);
	KUNIT_EXPECT_NE(test, flow->proof, flow->issued.value);
	KUNIT_EXPECT_NULL(test, find(test, flow->proof));
	validate(test, flow);
	validate(test, flow);
	KUNIT_EXPECT_TRUE(test, flow->validated);
	KUNIT_EXPECT_TRUE(test, list_empty(&fixture(test)->table.unvalidated));
}

static void laya_label_debit__three_times(struct kunit *test)
{
	struct laya_flow *flow;

	set(test, 0, 7, 1);
	flow = bind(test, label_of(test, 7), 0, from(test, 1, 1));
	KUNIT_EXPECT_FALSE(test, laya_label_debit(flow, 1));
	laya_label_credit(flow, 100);
	KUNIT_EXPECT_FALSE(test, laya_label_debit(flow, 301));
	KUNIT_EXPECT_TRUE(test, laya_label_debit(flow, 299));
	KUNIT_EXPECT_FALSE(test, laya_label_debit(flow, 2));
	KUNIT_EXPECT_TRUE(test, laya_label_debit(flow, 1));
	KUNIT_EXPECT_FALSE(test, laya_label_debit(flow, 1));
	laya_label_credit(flow, 2000000000);
	KUNIT_EXPECT_TRUE(test, laya_label_debit(flow, 4000000000U));
}

static void laya_label_bucket_take__no_limit(struct kunit *test)
{
	struct laya_bucket bucket = {};

	KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&bucket, ~0U, 0));
}

static void laya_label_bucket_take__burst_then_rate(struct kunit *test)
{
	struct laya_bucket bucket = { .rate = 1000, .burst = 500 };
	u64 now = 5 * NSEC_PER_SEC;
	int i;

	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&bucket, 100,
							       now));
	KUNIT_EXPECT_FALSE(test, laya_label_bucket_take(&bucket, 1, now));

	/* A tenth of a second refills one packet, and no more */
	now += NSEC_PER_SEC / 10;
	KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&bucket, 100, now));
	KUNIT_EXPECT_FALSE(test, laya_label_bucket_take(&bucket, 100, now));

	/* However long it rests, it holds no more than the burst */
	now += 1000 * NSEC_PER_SEC;
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&bucket, 100,
							       now));
	KUNIT_EXPECT_FALSE(test, laya_label_bucket_take(&bucket, 1, now));
}

static void laya_label_bucket_take__owes(struct kunit *test)
{
	struct laya_bucket bucket = { .rate = 1000, .burst = 100 };
	u64 now = NSEC_PER_SEC;

	/* A run of 10100 bytes through a bucket of 100: 10 s to pay */
	KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&bucket, 10100, now));
	now += 10 * NSEC_PER_SEC;
	KUNIT_EXPECT_FALSE(test, laya_label_bucket_take(&bucket, 1, now));
	KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&bucket, 1, now + 1));
}

static void laya_label_bucket_take__extremes(struct kunit *test)
{
	struct laya_bucket slow = { .rate = 1, .burst = ~0U };
	struct laya_bucket fast = { .rate = ~0ULL, .burst = ~0U };
	struct laya_bucket none = { .rate = 1000 };
	int i;

	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&slow, 65535, 0));
		KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&fast, 65535, 0));
	}
	KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&none, 1000, 0));
	KUNIT_EXPECT_FALSE(test, laya_label_bucket_take(&none, 1, 1));
	KUNIT_EXPECT_TRUE(test, laya_label_bucket_take(&none, 1, NSEC_PER_SEC));
}

static struct kunit_case laya_label_cases[] = {
	KUNIT_CASE(laya_label_value__there_and_back),
	KUNIT_CASE(laya_label_set__found),
	KUNIT_CASE(laya_label_set__zero),
	KUNIT_CASE(laya_label_set__renews),
	KUNIT_CASE(laya_label_set__other_pair),
	KUNIT_CASE(laya_label_set__bound),
	KUNIT_CASE(laya_label_set__limits),
	KUNIT_CASE(laya_label_del__flows_too),
	KUNIT_CASE(laya_label_del_peer__only_its_own),
	KUNIT_CASE(laya_label_expire__labels),
	KUNIT_CASE(laya_label_expire__many),
	KUNIT_CASE(laya_label_expire__idle_flows),
	KUNIT_CASE(laya_label_next__each_once),
	KUNIT_CASE(laya_label_slot__one_label),
	KUNIT_CASE(laya_label_slot__two_labels),
	KUNIT_CASE(laya_label_slot__unlike_numbers),
	KUNIT_CASE(laya_label_bind__same_flow),
	KUNIT_CASE(laya_label_bind__other_flows),
	KUNIT_CASE(laya_label_bind__streams),
	KUNIT_CASE(laya_label_bind__not_on_a_dead_label),
	KUNIT_CASE(laya_label_bind__oldest_unvalidated_goes),
	KUNIT_CASE(laya_label_bind__oldest_of_all_goes),
	KUNIT_CASE(laya_label_prove__leaves_the_queue),
	KUNIT_CASE(laya_label_debit__three_times),
	KUNIT_CASE(laya_label_bucket_take__no_limit),
	KUNIT_CASE(laya_label_bucket_take__burst_then_rate),
	KUNIT_CASE(laya_label_bucket_take__owes),
	KUNIT_CASE(laya_label_bucket_take__extremes),
	{}
};

static struct kunit_suite laya_label_suite = {
	.name = "laya_label",
	.init = label_init,
	.exit = label_exit,
	.test_cases = laya_label_cases,
};

kunit_test_suite(laya_label_suite);
