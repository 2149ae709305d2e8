// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../peer.h"
#include "../peer_table.h"

#define MANY	5000

static struct peer peers[MANY];

static void number(uint8_t key[LAYA_KEY_SIZE], unsigned int i)
{
	memset(key, 0, LAYA_KEY_SIZE);
	memcpy(key, &i, sizeof(i));
}

static void fill(struct peer_table *table, unsigned int n)
{
	unsigned int i;

	memset(peers, 0, sizeof(peers));
	for (i = 0; i < n; i++) {
		number(peers[i].handshake.key, i);
		assert_int_equal(peer_table_add(table, &peers[i]), 0);
	}
}

static void peer_table_find__empty(void **state)
{
	struct peer_table table = { 0 };
	uint8_t key[LAYA_KEY_SIZE];

	(void)state;
	number(key, 1);
	assert_null(peer_table_find(&table, key));
}

static void peer_table_find__each_of_many(void **state)
{
	struct peer_table table = { 0 };
	uint8_t key[LAYA_KEY_SIZE];
	unsigned int i;

	(void)state;
	fill(&table, MANY);
	for (i = 0; i < MANY; i++) {
		number(key, i);
		assert_ptr_equal(peer_table_find(&table, key), &peers[i]);
	}
	number(key, MANY);
	assert_null(peer_table_find(&table, key));
	for (i = 0; i < MANY; i++)
		peer_table_remove(&table, &peers[i]);
}

static void peer_table_add__grows(void **state)
{
	struct peer_table table = { 0 };
	unsigned int longest = 0;
	unsigned int n;
	struct peer *peer;
	size_t i;

	(void)state;
	fill(&table, MANY);
	for (i = 0; i <= table.mask; i++) {
		n = 0;
		LIST_FOREACH(peer, &table.chains[i], chain)
			n++;
		if (n > longest)
			longest = n;
	}
	/* One more than 16 in a chain has a chance of less than 10^-10. */
	assert_in_range(longest, 1, 16);
	for (i = 0; i < MANY; i++)
		peer_table_remove(&table, &peers[i]);
}

static void peer_table_remove__one(void **state)
{
	struct peer_table table = { 0 };
	unsigned int i;

	(void)state;
	fill(&table, 100);
	peer_table_remove(&table, &peers[40]);
	for (i = 0; i < 100; i++)
		assert_ptr_equal(peer_table_find(&table,
						 peers[i].handshake.key),
				 i == 40 ? NULL : &peers[i]);
	for (i = 0; i < 100; i++)
		if (i != 40)
			peer_table_remove(&table, &peers[i]);
}

static void peer_table_remove__last_leaves_nothing(void **state)
{
	struct peer_table table = { 0 };

	(void)state;
	fill(&table, 1);
	peer_table_remove(&table, &peers[0]);
	assert_null(table.chains);
	fill(&table, 1);
	assert_ptr_equal(peer_table_find(&table, peers[0].handshake.key),
			 &peers[0]);
	peer_table_remove(&table, &peers[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_table_find__empty),
		cmocka_unit_test(peer_table_find__each_of_many),
		cmocka_unit_test(peer_table_add__grows),
		cmocka_unit_test(peer_table_remove__one),
		cmocka_unit_test(peer_table_remove__last_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
