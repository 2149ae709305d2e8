// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <cbor.h>

#include "codec.h"

enum item_type {
	ITEM_NONE,
	ITEM_UINT,
	ITEM_NEGATIVE,
	ITEM_BYTES,
	ITEM_TEXT,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_TAG,
	ITEM_OTHER,		/* floats and simple values */
	ITEM_FORBIDDEN,		/* indefinite lengths */
};

/* The head of a data item, and the content of a string */
struct item {
	enum item_type type;
	uint64_t value;		/* or the length */
	const uint8_t *bytes;
};

static void set_item(void *context, enum item_type type, uint64_t value)
{
	struct item *item = context;

	item->type = type;
	item->value = value;
}

static void on_uint8(void *context, uint8_t value)
{
	set_item(context, ITEM_UINT, value);
}

static void on_uint16(void *context, uint16_t value)
{
	set_item(context, ITEM_UINT, value);
}

static void on_uint32(void *context, uint32_t value)
{
	set_item(context, ITEM_UINT, value);
}

static void on_uint64(void *context, uint64_t value)
{
	set_item(context, ITEM_UINT, value);
}

static void on_negative8(void *context, uint8_t value)
{
	set_item(context, ITEM_NEGATIVE, value);
}

static void on_negative16(void *context, uint16_t value)
{
	set_item(context, ITEM_NEGATIVE, value);
}

static void on_negative32(void *context, uint32_t value)
{
	set_item(context, ITEM_NEGATIVE, value);
}

static void on_negative64(void *context, uint64_t value)
{
	set_item(context, ITEM_NEGATIVE, value);
}

static void on_bytes(void *context, cbor_data bytes, size_t len)
{
	((struct item *)context)->bytes = bytes;
	set_item(context, ITEM_BYTES, len);
}

static void on_text(void *context, cbor_data bytes, size_t len)
{
	((struct item *)context)->bytes = bytes;
	set_item(context, ITEM_TEXT, len);
}

static void on_array(void *context, size_t items)
{
	set_item(context, ITEM_ARRAY, items);
}

static void on_map(void *context, size_t pairs)
{
	set_item(context, ITEM_MAP, pairs);
}

static void on_tag(void *context, uint64_t value)
{
	set_item(context, ITEM_TAG, value);
}

static void on_float(void *context, float value)
{
	(void)value;
	set_item(context, ITEM_OTHER, 0);
}

static void on_double(void *context, double value)
{
	(void)value;
	set_item(context, ITEM_OTHER, 0);
}

static void on_boolean(void *context, bool value)
{
	(void)value;
	set_item(context, ITEM_OTHER, 0);
}

static void on_simple(void *context)
{
	set_item(context, ITEM_OTHER, 0);
}

static void on_forbidden(void *context)
{
	set_item(context, ITEM_FORBIDDEN, 0);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negative8,
	.negint16 = on_negative16,
	.negint32 = on_negative32,
	.negint64 = on_negative64,
	.byte_string_start = on_forbidden,
	.byte_string = on_bytes,
	.string = on_text,
	.string_start = on_forbidden,
	.indef_array_start = on_forbidden,
	.array_start = on_array,
	.indef_map_start = on_forbidden,
	.map_start = on_map,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_simple,
	.null = on_simple,
	.boolean = on_boolean,
	.indef_break = on_forbidden,
};

/**
 * laya_writer_init() - start writing
 * @writer: the writer
 * @out: buffer
 * @cap: its size
 */
void laya_writer_init(struct laya_writer *writer, uint8_t *out, size_t cap)
{
	writer->out = out;
	writer->cap = cap;
	writer->len = 0;
	writer->error = 0;
}

/* libcbor's encoders return 0 when there is no room. */
static void wrote(struct laya_writer *writer, size_t len)
{
	if (len == 0)
		writer->error = -EMSGSIZE;
	writer->len += len;
}

/**
 * laya_write_uint() - write an unsigned integer
 * @writer: the writer
 * @value: the integer
 */
void laya_write_uint(struct laya_writer *writer, uint64_t value)
{
	if (writer->error == 0)
		wrote(writer, cbor_encode_uint(value, writer->out + writer->len,
					       writer->cap - writer->len));
}

/**
 * laya_write_bytes() - write a byte string
 * @writer: the writer
 * @bytes: its content
 * @len: length of @bytes
 */
void laya_write_bytes(struct laya_writer *writer, const void *bytes,
		      size_t len)
{
	if (writer->error != 0)
		return;
	wrote(writer, cbor_encode_bytestring_start(len,
						   writer->out + writer->len,
						   writer->cap - writer->len));
	if (writer->error != 0)
		return;
	if (len > writer->cap - writer->len) {
		writer->error = -EMSGSIZE;
		return;
	}
	if (len != 0)
		memcpy(writer->out + writer->len, bytes, len);
	writer->len += len;
}

/**
 * laya_write_array() - write the head of an array; the items follow
 * @writer: the writer
 * @items: how many
 */
void laya_write_array(struct laya_writer *writer, size_t items)
{
	if (writer->error == 0)
		wrote(writer,
		      cbor_encode_array_start(items, writer->out + writer->len,
					      writer->cap - writer->len));
}

/**
 * laya_write_map() - write the head of a map; keys and values follow
 * @writer: the writer
 * @pairs: how many
 */
void laya_write_map(struct laya_writer *writer, size_t pairs)
{
	if (writer->error == 0)
		wrote(writer,
		      cbor_encode_map_start(pairs, writer->out + writer->len,
					    writer->cap - writer->len));
}

/**
 * laya_writer_finish() - see whether all was written
 * @writer: the writer
 * @len: where to put the number of bytes; untouched on failure
 *
 * Return: 0; -EMSGSIZE if the buffer was too small; -EINVAL if a value cannot
 * be said.
 */
int laya_writer_finish(const struct laya_writer *writer, size_t *len)
{
	if (writer->error == 0)
		*len = writer->len;
	return writer->error;
}

/**
 * laya_reader_init() - start reading
 * @reader: the reader
 * @in: the bytes
 * @len: their number
 */
void laya_reader_init(struct laya_reader *reader, const uint8_t *in,
		      size_t len)
{
	reader->in = in;
	reader->len = len;
	reader->error = 0;
}

/**
 * laya_reader_fail() - refuse what was read
 * @reader: the reader
 */
void laya_reader_fail(struct laya_reader *reader)
{
	reader->error = -EBADMSG;
	reader->len = 0;
}

/* What a head takes in its shortest form */
static size_t head_size(uint64_t value)
{
	if (value < 24)
		return 1;
	if (value <= UINT8_MAX)
		return 2;
	if (value <= UINT16_MAX)
		return 3;
	if (value <= UINT32_MAX)
		return 5;
	return 9;
}

static struct item read_item(struct laya_reader *reader)
{
	static const struct item none;
	struct cbor_decoder_result result;
	struct item item = none;
	size_t head;

	if (reader->error != 0)
		return none;
	result = cbor_stream_decode(reader->in, reader->len, &callbacks, &item);
	if (result.status != CBOR_DECODER_FINISHED ||
	    item.type == ITEM_NONE || item.type == ITEM_FORBIDDEN ||
	    result.read == 0 || result.read > reader->len)
		goto bad;

	head = result.read;
	if (item.type == ITEM_BYTES || item.type == ITEM_TEXT)
		head -= item.value;
	if (item.type != ITEM_OTHER && head != head_size(item.value))
		goto bad;

	reader->in += result.read;
	reader->len -= result.read;
	return item;

bad:
	laya_reader_fail(reader);
	return none;
}

static struct item expect(struct laya_reader *reader, enum item_type type)
{
	struct item item = read_item(reader);

	if (item.type != type) {
		laya_reader_fail(reader);
		memset(&item, 0, sizeof(item));
	}
	return item;
}

/**
 * laya_read_uint() - read an unsigned integer
 * @reader: the reader
 * @max: the largest that is allowed
 *
 * Return: the integer; 0 on failure.
 */
uint64_t laya_read_uint(struct laya_reader *reader, uint64_t max)
{
	struct item item = expect(reader, ITEM_UINT);

	if (item.value > max) {
		laya_reader_fail(reader);
		return 0;
	}
	return item.value;
}

/**
 * laya_read_bytes() - read a byte string
 * @reader: the reader
 * @min: least length
 * @max: greatest length
 * @len: where to put the length; 0 on failure; NULL if @min says it
 *
 * Return: its content, within the bytes that are read; NULL on failure.
 */
const uint8_t *laya_read_bytes(struct laya_reader *reader, size_t min,
			       size_t max, size_t *len)
{
	struct item item = expect(reader, ITEM_BYTES);

	if (len)
		*len = 0;
	if (reader->error != 0)
		return NULL;
	if (item.value < min || item.value > max) {
		laya_reader_fail(reader);
		return NULL;
	}
	if (len)
		*len = item.value;
	return item.bytes;
}

/**
 * laya_read_array() - read the head of an array; the items follow
 * @reader: the reader
 * @max: most items
 *
 * Return: number of items, not more than there are bytes left; 0 on failure.
 */
size_t laya_read_array(struct laya_reader *reader, size_t max)
{
	struct item item = expect(reader, ITEM_ARRAY);

	if (item.value > max || item.value > reader->len) {
		laya_reader_fail(reader);
		return 0;
	}
	return item.value;
}

/**
 * laya_read_map() - read the head of a map
 * @reader: the reader
 * @map: for laya_map_next()
 */
void laya_read_map(struct laya_reader *reader, struct laya_map *map)
{
	struct item item = expect(reader, ITEM_MAP);

	if (item.value > reader->len / 2) {
		laya_reader_fail(reader);
		item.value = 0;
	}
	map->left = item.value;
	map->last = 0;
	map->started = false;
}

/**
 * laya_map_next() - read the next key of a map; its value follows
 * @reader: the reader
 * @map: from laya_read_map()
 * @key: where to put the key
 *
 * Return: false at the end of the map and on failure.
 */
bool laya_map_next(struct laya_reader *reader, struct laya_map *map,
		   uint64_t *key)
{
	if (reader->error != 0 || map->left == 0)
		return false;
	*key = laya_read_uint(reader, UINT64_MAX);
	if (map->started && *key <= map->last)
		laya_reader_fail(reader);
	map->left--;
	map->last = *key;
	map->started = true;
	return reader->error == 0;
}

/**
 * laya_read_skip() - read one data item of any type over
 * @reader: the reader
 */
void laya_read_skip(struct laya_reader *reader)
{
	uint64_t left[LAYA_CODEC_MAX_DEPTH + 1];
	unsigned int depth = 0;
	struct item item;
	uint64_t inside;

	left[0] = 1;
	for (;;) {
		while (left[depth] == 0) {
			if (depth == 0)
				return;
			depth--;
		}
		item = read_item(reader);
		if (reader->error != 0)
			return;
		left[depth]--;

		switch (item.type) {
		case ITEM_ARRAY:
			inside = item.value;
			break;
		case ITEM_MAP:
			if (item.value > reader->len) {
				laya_reader_fail(reader);
				return;
			}
			inside = 2 * item.value;
			break;
		case ITEM_TAG:
			inside = 1;
			break;
		default:
			continue;
		}
		if (inside > reader->len || depth == LAYA_CODEC_MAX_DEPTH) {
			laya_reader_fail(reader);
			return;
		}
		left[++depth] = inside;
	}
}

/**
 * laya_reader_finish() - see whether all was read, and nothing is left
 * @reader: the reader
 *
 * Return: 0, or -EBADMSG.
 */
int laya_reader_finish(const struct laya_reader *reader)
{
	if (reader->error != 0)
		return reader->error;
	return reader->len == 0 ? 0 : -EBADMSG;
}
