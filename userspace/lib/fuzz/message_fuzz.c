// SPDX-License-Identifier: GPL-2.0
/* What decodes must encode to the same bytes, optional keys apart. */
#include <stdlib.h>
#include <string.h>

#include "../message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

static void try_message(const uint8_t *data, size_t size)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_message message;
	struct laya_message again;
	size_t len;

	if (laya_message_decode(&message, data, size))
		return;
	check(laya_message_encode(&message, out, sizeof(out), &len) == 0);
	check(len <= size);
	if (len == size && message.type != LAYA_MESSAGE_CANDIDATES)
		check(memcmp(out, data, len) == 0);
	check(laya_message_decode(&again, out, len) == 0);
	check(again.type == message.type && again.id == message.id);
}

static void try_payload(enum laya_payload_kind kind, const uint8_t *data,
			size_t size)
{
	uint8_t out[LAYA_MESSAGE_MAX];
	struct laya_payload payload;
	struct laya_payload again;
	size_t len;

	if (laya_payload_decode(&payload, kind, data, size))
		return;
	check(laya_payload_encode(&payload, kind, out, sizeof(out), &len) ==
	      0);
	check(len <= size);
	check(laya_payload_decode(&again, kind, out, len) == 0);
	check(memcmp(&payload, &again, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int kind;

	try_message(data, size);
	for (kind = 0; kind <= LAYA_PAYLOAD_FOLLOWUP; kind++)
		try_payload(kind, data, size);
	return 0;
}
