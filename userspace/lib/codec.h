/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CBOR (RFC 8949), as strict as Laya's messages are: over libcbor's streaming
 * functions, without allocation and without recursion.
 *
 * Only the core deterministic encoding (RFC 8949 4.2.1) is written and read:
 * definite lengths, shortest integers, map keys ascending and once each.  A
 * message has one encoding.
 *
 * Both sides remember their first failure and do nothing from then on, so
 * that callers check once, at the end.
 */
#ifndef LAYA_CODEC_H
#define LAYA_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How deep an item that is skipped may be nested */
#define LAYA_CODEC_MAX_DEPTH		8
/* Unknown map keys from here on are skipped, smaller ones are an error */
#define LAYA_CODEC_FIRST_OPTIONAL	128

/**
 * struct laya_writer - bytes being written
 * @out: buffer
 * @cap: its size
 * @len: bytes written
 * @error: 0, or -EMSGSIZE or -EINVAL from the first failure on
 */
struct laya_writer {
	uint8_t *out;
	size_t cap;
	size_t len;
	int error;
};

/**
 * struct laya_reader - bytes being read
 * @in: what is left
 * @len: its length
 * @error: 0, or -EBADMSG from the first failure on
 */
struct laya_reader {
	const uint8_t *in;
	size_t len;
	int error;
};

/**
 * struct laya_map - a map being read
 * @left: pairs that are left
 * @last: key of the last one
 * @started: there was one
 */
struct laya_map {
	size_t left;
	uint64_t last;
	bool started;
};

void laya_writer_init(struct laya_writer *writer, uint8_t *out, size_t cap);
void laya_write_uint(struct laya_writer *writer, uint64_t value);
void laya_write_bytes(struct laya_writer *writer, const void *bytes,
		      size_t len);
void laya_write_array(struct laya_writer *writer, size_t items);
void laya_write_map(struct laya_writer *writer, size_t pairs);
int laya_writer_finish(const struct laya_writer *writer, size_t *len);

void laya_reader_init(struct laya_reader *reader, const uint8_t *in,
		      size_t len);
void laya_reader_fail(struct laya_reader *reader);
uint64_t laya_read_uint(struct laya_reader *reader, uint64_t max);
const uint8_t *laya_read_bytes(struct laya_reader *reader, size_t min,
			       size_t max, size_t *len);
size_t laya_read_array(struct laya_reader *reader, size_t max);
void laya_read_map(struct laya_reader *reader, struct laya_map *map);
bool laya_map_next(struct laya_reader *reader, struct laya_map *map,
		   uint64_t *key);
void laya_read_skip(struct laya_reader *reader);
int laya_reader_finish(const struct laya_reader *reader);

#endif /* LAYA_CODEC_H */
