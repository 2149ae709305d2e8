// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../relay_label.h"

struct fixture {
	struct relay_table table;
	struct relay_holder holder;
	struct relay_holder other;
	uint8_t keys[8][LAYA_KEY_SIZE];
};

static int setup(void **state)
{
	static const struct relay_table_limits limits = {
		.labels = 5,
		.holder_labels = 4,
		.flows = 6,
		.label_flows = 4,
		.rate = { .per_second = 1000, .burst = 2000 },
	};
	static struct fixture f;
	unsigned int i;

	assert_true(sodium_init() >= 0);
	memset(&f, 0, sizeof(f));
	assert_int_equal(relay_table_init(&f.table, &limits), 0);
	relay_holder_init(&f.holder);
	relay_holder_init(&f.other);
	for (i = 0; i < 8; i++)
		memset(f.keys[i], i + 1, LAYA_KEY_SIZE);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	relay_table_free(&f->table);
	assert_int_equal(f->table.n_labels, 0);
	assert_int_equal(f->table.n_flows, 0);
	assert_int_equal(f->holder.n_labels, 0);
	return 0;
}

static struct relay_endpoint from(uint16_t port)
{
	struct relay_endpoint endpoint;

	memset(&endpoint, 0, sizeof(endpoint));
	endpoint.remote.in.sin_family = AF_INET;
	endpoint.remote.in.sin_port = htons(port);
	return endpoint;
}

static struct relay_label *label(struct fixture *f, unsigned int n)
{
	return relay_label_set(&f->table, &f->holder, f->keys[n], 0);
}

static struct relay_flow *bind_at(struct fixture *f, struct relay_label *l,
				  uint16_t port, uint64_t now)
{
	struct relay_endpoint endpoint = from(port);

	return relay_flow_bind(&f->table, l, 0, &endpoint, now);
}

static void validate(struct fixture *f, struct relay_flow *flow)
{
	relay_flow_prove(&f->table, flow, flow->proof);
}

static void label_set__renews(void **state)
{
	struct fixture *f = *state;
	struct relay_label *l = label(f, 0);
	uint64_t value = l->issued.value;

	assert_true(value != 0 && value >> 48 == 0);
	assert_ptr_equal(relay_label_set(&f->table, &f->holder, f->keys[0],
					 1000), l);
	assert_true(l->issued.value == value);
	assert_int_equal(l->expires, 1000 + RELAY_LABEL_LIFE_MS);
	assert_int_equal(f->table.n_labels, 1);
	/* The same peer, of another holder */
	assert_ptr_not_equal(relay_label_set(&f->table, &f->other, f->keys[0],
					     0), l);
}

static void label_set__limits(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < 4; i++)
		assert_non_null(label(f, i));
	assert_null(label(f, 4));
	assert_non_null(label(f, 3));
	assert_non_null(relay_label_set(&f->table, &f->other, f->keys[0], 0));
	assert_null(relay_label_set(&f->table, &f->other, f->keys[1], 0));
	relay_holder_clear(&f->table, &f->holder);
	assert_int_equal(f->holder.n_labels, 0);
	assert_int_equal(f->table.n_labels, 1);
	assert_non_null(relay_label_set(&f->table, &f->other, f->keys[1], 0));
}

static void label_release__only_by_its_holder(void **state)
{
	struct fixture *f = *state;
	uint64_t value = label(f, 0)->issued.value;
	uint64_t flow = bind_at(f, label(f, 0), 1, 0)->issued.value;

	relay_label_release(&f->table, &f->other, value);
	relay_label_release(&f->table, &f->holder, flow);
	relay_label_release(&f->table, &f->holder, value ^ 1);
	assert_non_null(relay_table_find(&f->table, value, 0));
	assert_non_null(relay_table_find(&f->table, flow, 0));
	relay_label_release(&f->table, &f->holder, value);
	assert_null(relay_table_find(&f->table, value, 0));
	assert_null(relay_table_find(&f->table, flow, 0));
}

static void table_expire__labels(void **state)
{
	struct fixture *f = *state;
	uint64_t first = label(f, 0)->issued.value;
	uint64_t second = label(f, 1)->issued.value;
	uint64_t flow = bind_at(f, label(f, 0), 1, 0)->issued.value;

	relay_label_set(&f->table, &f->holder, f->keys[1], 500);
	/* Over is over, even before it is removed */
	assert_null(relay_table_find(&f->table, first, RELAY_LABEL_LIFE_MS));
	assert_null(relay_table_find(&f->table, flow, RELAY_LABEL_LIFE_MS));
	relay_table_expire(&f->table, RELAY_LABEL_LIFE_MS);
	assert_int_equal(f->table.n_labels, 1);
	assert_int_equal(f->table.n_flows, 0);
	assert_non_null(relay_table_find(&f->table, second,
					 RELAY_LABEL_LIFE_MS));
}

static void table_expire__idle_flows(void **state)
{
	struct fixture *f = *state;
	struct relay_label *l = label(f, 0);
	struct relay_flow *busy = bind_at(f, l, 1, 0);
	unsigned int i;

	bind_at(f, l, 2, 0);
	validate(f, bind_at(f, l, 3, 0));
	relay_flow_credit(busy, 1, 1);
	relay_label_set(&f->table, &f->holder, f->keys[0], 10);
	for (i = 0; i < 8; i++)
		relay_table_expire(&f->table, RELAY_FLOW_IDLE_MS);
	assert_int_equal(f->table.n_flows, 1);
	assert_int_equal(l->n_flows, 1);
	assert_non_null(relay_table_find(&f->table, busy->issued.value, 1));
}

static void flow_bind__same_flow_same_label(void **state)
{
	struct fixture *f = *state;
	struct relay_label *l = label(f, 0);
	struct relay_endpoint endpoint = from(1);
	struct relay_flow *flow = bind_at(f, l, 1, 0);

	assert_ptr_equal(bind_at(f, l, 1, 5), flow);
	assert_ptr_not_equal(bind_at(f, l, 2, 0), flow);
	assert_ptr_not_equal(relay_flow_bind(&f->table, l, 7, &endpoint, 0),
			     flow);
	assert_ptr_not_equal(bind_at(f, label(f, 1), 1, 0), flow);
	assert_true(relay_table_find(&f->table, flow->issued.value,
				     0)->is_flow);
}

static void flow_bind__unvalidated_make_room(void **state)
{
	struct fixture *f = *state;
	struct relay_label *l = label(f, 0);
	struct relay_label *m = label(f, 1);
	uint64_t oldest = bind_at(f, l, 1, 0)->issued.value;
	unsigned int i;

	for (i = 2; i <= 5; i++)
		assert_non_null(bind_at(f, l, i, 0));
	assert_int_equal(l->n_flows, 4);
	assert_null(relay_table_find(&f->table, oldest, 0));

	/* Confirmed ones stay, and who has only such gets no more */
	for (i = 2; i <= 5; i++)
		validate(f, bind_at(f, l, i, 0));
	assert_null(bind_at(f, l, 6, 0));
	assert_non_null(bind_at(f, m, 1, 0));
	assert_non_null(bind_at(f, m, 2, 0));
	assert_int_equal(f->table.n_flows, 6);
	/* The table is full: of the unvalidated ones of all labels, the oldest */
	assert_non_null(bind_at(f, m, 3, 0));
	assert_int_equal(f->table.n_flows, 6);
	assert_int_equal(l->n_flows, 4);
}

static void flow_debit__three_times(void **state)
{
	struct fixture *f = *state;
	struct relay_flow *flow = bind_at(f, label(f, 0), 1, 0);

	assert_false(relay_flow_debit(flow, 1, 0));
	relay_flow_credit(flow, 100, 0);
	assert_true(relay_flow_debit(flow, 200, 0));
	assert_true(relay_flow_debit(flow, 100, 0));
	assert_false(relay_flow_debit(flow, 1, 0));
	/* What the holder knows as well proves nothing. */
	relay_flow_prove(&f->table, flow, flow->issued.value);
	relay_flow_prove(&f->table, flow, 0);
	assert_true(flow->proof != flow->issued.value);
	assert_null(relay_table_find(&f->table, flow->proof, 0));
	assert_false(relay_flow_debit(flow, 1, 0));
	validate(f, flow);
	validate(f, flow);
	assert_true(relay_flow_debit(flow, 1000000, 0));
}

static void label_pay__rate(void **state)
{
	struct fixture *f = *state;
	struct relay_label *l = label(f, 0);

	assert_true(relay_label_pay(&f->table, l, 2000, 0));
	assert_false(relay_label_pay(&f->table, l, 100, 50));
	assert_true(relay_label_pay(&f->table, l, 100, 100));
	/* Another's is another's */
	assert_true(relay_label_pay(&f->table, label(f, 1), 2000, 0));
	f->table.limits.rate.per_second = 0;
	assert_true(relay_label_pay(&f->table, l, 1000000, 100));
}

static int slot(struct fixture *f, struct relay_label *l, unsigned int at,
		unsigned int n_labels, unsigned int n_returns, uint64_t first,
		uint64_t second, uint64_t *previous, struct relay_flow **flow)
{
	const struct laya_shims shims = {
		.n_labels = n_labels,
		.n_returns = n_returns,
		.returns = { first, second },
	};
	struct relay_endpoint endpoint = from(1);

	return relay_label_slot(&f->table, l, &shims, at, &endpoint, 0,
				previous, flow);
}

static void label_slot__places(void **state)
{
	struct fixture *f = *state;
	struct relay_label *l = label(f, 0);
	struct relay_flow *mine = bind_at(f, l, 1, 0);
	struct relay_flow *elsewhere = bind_at(f, l, 2, 0);
	uint64_t own = mine->issued.value;
	struct relay_flow *flow;
	uint64_t previous;

	assert_int_equal(slot(f, l, 0, 1, 0, 0, 0, &previous, &flow), -1);
	assert_null(flow);
	assert_int_equal(slot(f, l, 0, 1, 1, 0, 0, &previous, &flow), 0);
	/* Of the dialler that it is bound to */
	assert_int_equal(slot(f, l, 0, 1, 1, own, 0, &previous, &flow), -1);
	assert_ptr_equal(flow, mine);
	/* What it alone has seen: the holder is to have the return label */
	assert_int_equal(slot(f, l, 0, 1, 1, mine->proof, 0, &previous, &flow),
			 0);
	assert_null(flow);
	/* Of another address of the dialler, or unknown: written anew */
	assert_int_equal(slot(f, l, 0, 1, 1, elsewhere->issued.value, 0,
			      &previous, &flow), 0);
	assert_null(flow);
	assert_int_equal(slot(f, l, 0, 1, 1, own ^ 1, 0, &previous, &flow), 0);
	/* A label's value is no return label */
	assert_int_equal(slot(f, l, 0, 1, 1, l->issued.value, 0, &previous,
			      &flow), 0);
	/* Ours is the second label: so is our slot */
	assert_int_equal(slot(f, l, 1, 2, 2, 99, 0, &previous, &flow), 1);
	assert_true(previous == 99);
	/* One slot for two labels: the first that is empty */
	assert_int_equal(slot(f, l, 1, 2, 1, 0, 0, &previous, &flow), 0);
	assert_int_equal(slot(f, l, 1, 2, 1, 99, 0, &previous, &flow), -1);
	assert_null(flow);
	assert_int_equal(slot(f, l, 1, 2, 1, mine->proof, 0, &previous, &flow),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(table_expire__labels, setup,
						teardown),
		cmocka_unit_test_setup_teardown(table_expire__idle_flows,
						setup, teardown),
		cmocka_unit_test_setup_teardown(label_set__renews, setup,
						teardown),
		cmocka_unit_test_setup_teardown(label_set__limits, setup,
						teardown),
		cmocka_unit_test_setup_teardown(label_release__only_by_its_holder,
						setup, teardown),
		cmocka_unit_test_setup_teardown(label_pay__rate, setup,
						teardown),
		cmocka_unit_test_setup_teardown(label_slot__places, setup,
						teardown),
		cmocka_unit_test_setup_teardown(flow_bind__same_flow_same_label,
						setup, teardown),
		cmocka_unit_test_setup_teardown(flow_bind__unvalidated_make_room,
						setup, teardown),
		cmocka_unit_test_setup_teardown(flow_debit__three_times, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
