// SPDX-License-Identifier: GPL-2.0
/*
 * Frames from anybody: the first byte tells which side we are and where the
 * rest is cut in two, which must make no difference.
 */
#include <stdlib.h>
#include <string.h>

#include "../websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	uint64_t sum;		/* of the payload, in order */
	size_t n;
	unsigned int controls;
	bool refused;
};

static void check(int condition)
{
	if (!condition)
		abort();
}

static void feed(struct laya_websocket_reader *reader, struct result *result,
		 const uint8_t *data, size_t size)
{
	struct laya_websocket_piece piece;
	uint8_t *bytes = malloc(size + 1);
	size_t at = 0;
	size_t i;
	ssize_t n;

	check(bytes != NULL);
	if (size)
		memcpy(bytes, data, size);
	while (at < size && !result->refused) {
		n = laya_websocket_read(reader, bytes + at, size - at, &piece);
		if (n < 0) {
			result->refused = true;
			break;
		}
		check(n > 0 && (size_t)n <= size - at);
		at += n;
		if (piece.opcode == LAYA_WEBSOCKET_BINARY) {
			for (i = 0; i < piece.len; i++)
				result->sum = result->sum * 31 + piece.data[i];
			result->n += piece.len;
		} else if (piece.opcode != LAYA_WEBSOCKET_CONTINUATION) {
			check(piece.len <= LAYA_WEBSOCKET_CONTROL_MAX);
			result->controls++;
		}
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct laya_websocket_reader whole = { 0 };
	struct laya_websocket_reader cut = { 0 };
	struct result a = { 0 };
	struct result b = { 0 };
	size_t at;

	if (size < 1)
		return 0;
	whole.masked = data[0] & 1;
	cut.masked = whole.masked;
	at = (data[0] >> 1) % size;
	data++;
	size--;
	if (at > size)
		at = size;
	feed(&whole, &a, data, size);
	feed(&cut, &b, data, at);
	feed(&cut, &b, data + at, size - at);
	check(a.sum == b.sum && a.n == b.n && a.controls == b.controls &&
	      a.refused == b.refused);
	return 0;
}
