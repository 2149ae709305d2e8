// SPDX-License-Identifier: GPL-2.0
/*
 * Packets as they come in at a relay: two bytes say how long each of a run is.
 * Whatever parses is split into runs that cover it, each packet of which parses to
 * the same shims.
 */
#include <stdlib.h>
#include <string.h>

#include "packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good)
{
	if (!good)
		abort();
}

static void check_run(const uint8_t *data, size_t len, size_t segment,
		      const struct laya_shims *first)
{
	struct laya_shims shims;
	size_t part;
	size_t at;

	for (at = 0; at < len; at += segment) {
		part = len - at < segment ? len - at : segment;
		memset(&shims, 0, sizeof(shims));
		expect(!laya_shims_parse(&shims, data + at, part));
		expect(shims.n_labels == first->n_labels &&
		       shims.n_returns == first->n_returns &&
		       shims.len == first->len &&
		       memcmp(shims.labels, first->labels,
			      sizeof(shims.labels)) == 0 &&
		       memcmp(shims.returns, first->returns,
			      sizeof(shims.returns)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct laya_shims shims;
	struct laya_probe probe;
	size_t segment;
	size_t part;
	size_t run;
	size_t at;

	laya_probe_read(&probe, data, size);
	if (size < 3)
		return 0;
	segment = laya_get16(data) + 1;
	data += 2;
	size -= 2;
	for (at = 0; at < size; at += run) {
		part = size - at < segment ? size - at : segment;
		run = part;
		memset(&shims, 0, sizeof(shims));
		if (laya_shims_parse(&shims, data + at, part))
			continue;
		run = laya_shims_run(data + at, size - at, segment);
		expect(run >= part && run <= size - at);
		check_run(data + at, run, segment, &shims);
	}
	return 0;
}
