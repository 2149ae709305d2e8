// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "candidate.h"

/**
 * laya_candidate_is_dialable() - may packets be sent to a candidate
 * @candidate: the candidate
 *
 * Own addresses are for the caller to find.
 *
 * Return: whether they may.
 */
bool laya_candidate_is_dialable(const struct laya_candidate *candidate)
{
	return laya_address_is_dialable(&candidate->address);
}

/**
 * laya_candidate_equal() - do two candidates name the same path
 * @a: one
 * @b: the other
 *
 * Return: whether they do.
 */
bool laya_candidate_equal(const struct laya_candidate *a,
			  const struct laya_candidate *b)
{
	return laya_address_equal(&a->address, &b->address) &&
	       a->n_labels == b->n_labels &&
	       memcmp(a->labels, b->labels, a->n_labels * LAYA_LABEL_SIZE) == 0;
}

/**
 * laya_candidates_add() - append a candidate, once
 * @candidates: to these
 * @candidate: the candidate
 *
 * Return: 0, -EEXIST, or -ENOSPC.
 */
int laya_candidates_add(struct laya_candidates *candidates,
			const struct laya_candidate *candidate)
{
	unsigned int i;

	for (i = 0; i < candidates->n; i++) {
		if (laya_candidate_equal(&candidates->list[i], candidate))
			return -EEXIST;
	}
	if (candidates->n == LAYA_MAX_CANDIDATES)
		return -ENOSPC;
	candidates->list[candidates->n++] = *candidate;
	return 0;
}

/**
 * laya_candidate_type_name() - name of a type, for people
 * @type: the type
 *
 * Return: a constant string.
 */
const char *laya_candidate_type_name(enum laya_candidate_type type)
{
	switch (type) {
	case LAYA_CANDIDATE_HOST:
		return "host";
	case LAYA_CANDIDATE_MAPPED:
		return "mapped";
	case LAYA_CANDIDATE_GATEWAY:
		return "gateway";
	case LAYA_CANDIDATE_PEER_RELAY:
		return "peer-relay";
	case LAYA_CANDIDATE_RELAY:
		return "relay";
	}
	return "unknown";
}

/**
 * laya_address_write() - write an address: [bytes, port]
 * @writer: the writer
 * @address: the address
 */
void laya_address_write(struct laya_writer *writer,
			const struct laya_address *address)
{
	size_t size = laya_address_size(address);

	if (size == 0)
		writer->error = -EINVAL;
	laya_write_array(writer, 2);
	laya_write_bytes(writer, address->addr, size);
	laya_write_uint(writer, address->port);
}

static void read_endpoint(struct laya_reader *reader,
			  struct laya_address *address)
{
	const uint8_t *bytes;
	size_t len;

	memset(address, 0, sizeof(*address));
	bytes = laya_read_bytes(reader, 4, 16, &len);
	address->port = laya_read_uint(reader, UINT16_MAX);
	if (len != 4 && len != 16)
		laya_reader_fail(reader);
	if (reader->error != 0)
		return;
	address->family = len == 4 ? AF_INET : AF_INET6;
	memcpy(address->addr, bytes, len);
}

/**
 * laya_address_read() - read what laya_address_write() writes
 * @reader: the reader
 * @address: where to put it
 */
void laya_address_read(struct laya_reader *reader,
		       struct laya_address *address)
{
	if (laya_read_array(reader, 2) != 2)
		laya_reader_fail(reader);
	read_endpoint(reader, address);
}

static void write_candidate(struct laya_writer *writer,
			    const struct laya_candidate *candidate)
{
	size_t size = laya_address_size(&candidate->address);
	unsigned int i;

	if (candidate->type < LAYA_CANDIDATE_HOST ||
	    candidate->type > LAYA_CANDIDATE_RELAY || size == 0 ||
	    candidate->n_labels > LAYA_CANDIDATE_MAX_LABELS) {
		writer->error = -EINVAL;
		return;
	}
	laya_write_array(writer, 5);
	laya_write_uint(writer, candidate->type);
	laya_write_bytes(writer, candidate->address.addr, size);
	laya_write_uint(writer, candidate->address.port);
	laya_write_array(writer, candidate->n_labels);
	for (i = 0; i < candidate->n_labels; i++)
		laya_write_bytes(writer, candidate->labels[i],
				 LAYA_LABEL_SIZE);
	laya_write_bytes(writer, candidate->forwarder,
			 candidate->have_forwarder ? LAYA_KEY_SIZE : 0);
}

/**
 * laya_candidates_write() - write a list of candidates
 * @writer: the writer
 * @candidates: the candidates
 */
void laya_candidates_write(struct laya_writer *writer,
			   const struct laya_candidates *candidates)
{
	unsigned int i;

	if (candidates->n > LAYA_MAX_CANDIDATES) {
		writer->error = -EINVAL;
		return;
	}
	laya_write_array(writer, candidates->n);
	for (i = 0; i < candidates->n; i++)
		write_candidate(writer, &candidates->list[i]);
}

/* Return: whether its type is one that we know. */
static bool read_candidate(struct laya_reader *reader,
			   struct laya_candidate *candidate)
{
	const uint8_t *bytes;
	uint64_t type;
	unsigned int i;
	size_t len;

	memset(candidate, 0, sizeof(*candidate));
	if (laya_read_array(reader, 5) != 5)
		laya_reader_fail(reader);
	type = laya_read_uint(reader, UINT32_MAX);
	if (type == 0)
		laya_reader_fail(reader);
	read_endpoint(reader, &candidate->address);
	candidate->n_labels = laya_read_array(reader,
					      LAYA_CANDIDATE_MAX_LABELS);
	for (i = 0; i < candidate->n_labels; i++) {
		bytes = laya_read_bytes(reader, LAYA_LABEL_SIZE,
					LAYA_LABEL_SIZE, NULL);
		if (bytes)
			memcpy(candidate->labels[i], bytes, LAYA_LABEL_SIZE);
	}
	bytes = laya_read_bytes(reader, 0, LAYA_KEY_SIZE, &len);
	if (len != 0 && (len != LAYA_KEY_SIZE || !laya_key_valid(bytes)))
		laya_reader_fail(reader);
	if (reader->error != 0)
		return false;
	if (len != 0) {
		candidate->have_forwarder = true;
		memcpy(candidate->forwarder, bytes, LAYA_KEY_SIZE);
	}
	candidate->type = type;
	return type <= LAYA_CANDIDATE_RELAY;
}

/**
 * laya_candidates_read() - read a list of candidates
 * @reader: the reader
 * @candidates: where to put the first LAYA_MAX_CANDIDATES whose type is known
 */
void laya_candidates_read(struct laya_reader *reader,
			  struct laya_candidates *candidates)
{
	struct laya_candidate candidate;
	size_t left;

	candidates->n = 0;
	for (left = laya_read_array(reader, SIZE_MAX);
	     left > 0 && reader->error == 0; left--) {
		if (read_candidate(reader, &candidate) &&
		    candidates->n < LAYA_MAX_CANDIDATES)
			candidates->list[candidates->n++] = candidate;
	}
}
