// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "packet.h"

/**
 * laya_get16() - read a number
 * @data: two bytes, the high one first
 *
 * Return: the number.
 */
uint16_t laya_get16(const uint8_t *data)
{
	return data[0] << 8 | data[1];
}

/**
 * laya_get32() - read a number
 * @data: four bytes
 *
 * Return: the number.
 */
uint32_t laya_get32(const uint8_t *data)
{
	return (uint32_t)laya_get16(data) << 16 | laya_get16(data + 2);
}

/**
 * laya_get48() - read a number: a label
 * @data: six bytes
 *
 * Return: the number.
 */
uint64_t laya_get48(const uint8_t *data)
{
	return (uint64_t)laya_get16(data) << 32 | laya_get32(data + 2);
}

/**
 * laya_get64() - read a number
 * @data: eight bytes
 *
 * Return: the number.
 */
uint64_t laya_get64(const uint8_t *data)
{
	return (uint64_t)laya_get32(data) << 32 | laya_get32(data + 4);
}

/**
 * laya_put16() - write a number
 * @data: where its two bytes go
 * @value: the number
 */
void laya_put16(uint8_t *data, uint16_t value)
{
	data[0] = value >> 8;
	data[1] = value;
}

/**
 * laya_put32() - write a number
 * @data: where its four bytes go
 * @value: the number
 */
void laya_put32(uint8_t *data, uint32_t value)
{
	laya_put16(data, value >> 16);
	laya_put16(data + 2, value);
}

/**
 * laya_put48() - write a number: a label
 * @data: where its six bytes go
 * @value: the number
 */
void laya_put48(uint8_t *data, uint64_t value)
{
	laya_put16(data, value >> 32);
	laya_put32(data + 2, value);
}

/**
 * laya_put64() - write a number
 * @data: where its eight bytes go
 * @value: the number
 */
void laya_put64(uint8_t *data, uint64_t value)
{
	laya_put32(data, value >> 32);
	laya_put32(data + 4, value);
}

/**
 * laya_shims_parse() - read what stands before a sealed packet
 * @shims: where to put it
 * @data: the packet
 * @len: its length
 *
 * Return: 0; -EBADMSG when shims are in the wrong order, have flags or are too
 * many, or when what follows is no sealed packet, or too short for one.
 */
int laya_shims_parse(struct laya_shims *shims, const uint8_t *data, size_t len)
{
	size_t at = 0;

	shims->n_labels = 0;
	shims->n_returns = 0;
	for (;;) {
		if (len - at < LAYA_SEALED_MIN)
			return -EBADMSG;
		/* In shims as in the data header, the second byte is flags. */
		if (data[at + 1] != 0)
			return -EBADMSG;
		switch (data[at]) {
		case LAYA_PACKET_DATA:
			shims->len = at;
			return 0;
		case LAYA_PACKET_LABEL:
			if (shims->n_returns > 0 ||
			    shims->n_labels == LAYA_CANDIDATE_MAX_LABELS)
				return -EBADMSG;
			shims->labels[shims->n_labels++] =
				laya_get48(data + at + 2);
			break;
		case LAYA_PACKET_RETURN:
			/* A slot without a label could be filled by no one. */
			if (shims->n_labels == 0 ||
			    shims->n_returns == LAYA_CANDIDATE_MAX_LABELS)
				return -EBADMSG;
			shims->returns[shims->n_returns++] =
				laya_get48(data + at + 2);
			break;
		default:
			return -EBADMSG;
		}
		at += LAYA_SHIM_SIZE;
	}
}

/**
 * laya_shims_run() - how many packets of a run have the shims of the first
 * @data: packets of @segment bytes, one behind the other; the first is one
 *	that laya_shims_parse() accepts
 * @len: bytes of all; the last packet may be shorter
 * @segment: bytes of a packet
 *
 * Return: bytes of those packets at the beginning that have the same shims
 * before a sealed packet: these go the same way, in one piece.
 */
size_t laya_shims_run(const uint8_t *data, size_t len, size_t segment)
{
	size_t head = 0;
	size_t at;

	while (data[head] != LAYA_PACKET_DATA)
		head += LAYA_SHIM_SIZE;
	/* Type and flags of the data header too: shims must end there. */
	for (at = segment; at < len; at += segment) {
		if (len - at < head + LAYA_SEALED_MIN ||
		    memcmp(data + at, data, head + 2) != 0)
			break;
	}
	return at < len ? at : len;
}

/**
 * laya_shims_fill() - write a label
 * @data: the packet
 * @shim: which of its shims
 * @label: what to write
 */
void laya_shims_fill(uint8_t *data, unsigned int shim, uint64_t label)
{
	laya_put48(data + shim * LAYA_SHIM_SIZE + 2, label);
}

/**
 * laya_data_header_read() - read the header of a sealed packet
 * @header: where to put it
 * @data: the sealed packet, of which type and flags were looked at
 */
void laya_data_header_read(struct laya_data_header *header,
			   const uint8_t *data)
{
	header->path_id = laya_get16(data + 2);
	header->receiver = laya_get32(data + 4);
	header->counter = laya_get64(data + 8);
}

/**
 * laya_data_header_write() - write the header of a sealed packet
 * @data: where it goes
 * @header: the header
 */
void laya_data_header_write(uint8_t *data,
			    const struct laya_data_header *header)
{
	data[0] = LAYA_PACKET_DATA;
	data[1] = 0;
	laya_put16(data + 2, header->path_id);
	laya_put32(data + 4, header->receiver);
	laya_put64(data + 8, header->counter);
}

/**
 * laya_probe_read() - read a probe
 * @probe: where to put it
 * @data: the plaintext
 * @len: its length
 *
 * Return: 0, or -EBADMSG.
 */
int laya_probe_read(struct laya_probe *probe, const uint8_t *data, size_t len)
{
	if (len < LAYA_PROBE_SIZE || data[0] != LAYA_INNER_PROBE || data[3])
		return -EBADMSG;
	probe->type = data[1];
	probe->path_kind = data[2];
	probe->seq = laya_get32(data + 4);
	probe->token = laya_get64(data + 8);
	probe->rx_packets = laya_get64(data + 16);
	probe->rx_bytes = laya_get64(data + 24);
	return 0;
}

/**
 * laya_probe_write() - write a probe
 * @data: where it goes, LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED bytes are enough
 * @probe: the probe
 * @observed: of a reply, where the request came from; else NULL
 *
 * Return: its length.
 */
size_t laya_probe_write(uint8_t *data, const struct laya_probe *probe,
			const struct laya_address *observed)
{
	data[0] = LAYA_INNER_PROBE;
	data[1] = probe->type;
	data[2] = probe->path_kind;
	data[3] = 0;
	laya_put32(data + 4, probe->seq);
	laya_put64(data + 8, probe->token);
	laya_put64(data + 16, probe->rx_packets);
	laya_put64(data + 24, probe->rx_bytes);
	if (!observed)
		return LAYA_PROBE_SIZE;
	data += LAYA_PROBE_SIZE;
	data[0] = observed->family == AF_INET ? 4 : 6;
	data[1] = 0;
	laya_put16(data + 2, observed->port);
	memcpy(data + 4, observed->addr, sizeof(observed->addr));
	return LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED;
}
