// SPDX-License-Identifier: GPL-2.0
/*
 * Shims: labels and return slots in front of a sealed packet. Pure.
 */
#include <linux/string.h>

#include "carrier.h"

/* What follows the shims of every packet: a sealed inner header at the least. */
#define LAYA_SHIM_REST	(LAYA_OVERHEAD + LAYA_INNER_SIZE)

/**
 * laya_shims_parse - read the shims of a packet
 * @shims: Filled in.
 * @data: The packet: a UDP payload.
 * @len: Its length, or at least that of all possible shims and what must follow.
 *
 * Return: 0, or -EBADMSG when the shims are in the wrong order, have flags, are
 * too many, or what follows them is no data header.
 */
int laya_shims_parse(struct laya_shims *shims, const u8 *data, unsigned int len)
{
	const struct laya_shim *shim;
	unsigned int at = 0;

	shims->n_labels = 0;
	shims->n_returns = 0;
	for (;;) {
		if (len - at < LAYA_SHIM_REST)
			return -EBADMSG;
		shim = (const struct laya_shim *)(data + at);
		/* In shims as in the data header, the second byte is flags */
		if (shim->flags)
			return -EBADMSG;

		switch (shim->type) {
		case LAYA_PACKET_DATA:
			shims->len = at;
			return 0;
		case LAYA_PACKET_LABEL:
			if (shims->n_returns ||
			    shims->n_labels == LAYA_MAX_LABELS)
				return -EBADMSG;
			memcpy(shims->labels[shims->n_labels++], shim->label,
			       LAYA_LABEL_SIZE);
			break;
		case LAYA_PACKET_RETURN:
			/* A slot without a label could be filled by no one */
			if (!shims->n_labels ||
			    shims->n_returns == LAYA_MAX_LABELS)
				return -EBADMSG;
			memcpy(shims->returns[shims->n_returns++], shim->label,
			       LAYA_LABEL_SIZE);
			break;
		default:
			return -EBADMSG;
		}
		at += sizeof(*shim);
	}
}

static unsigned int laya_shim_write(u8 *to, u8 type, const u8 *label)
{
	struct laya_shim *shim = (struct laya_shim *)to;

	shim->type = type;
	shim->flags = 0;
	if (label)
		memcpy(shim->label, label, LAYA_LABEL_SIZE);
	else
		memset(shim->label, 0, LAYA_LABEL_SIZE);
	return sizeof(*shim);
}

/**
 * laya_shims_write - write the shims of a packet
 * @to: Has room for 8 bytes a label and slot.
 * @labels: The outer one first.
 * @n_labels: How many.
 * @returns: Return labels that are known.
 * @n_returns: How many; no more than @n_slots.
 * @n_slots: Return slots to write; those without a label are zero.
 *
 * Return: The bytes written.
 */
unsigned int laya_shims_write(u8 *to, const u8 labels[][LAYA_LABEL_SIZE],
			      unsigned int n_labels,
			      const u8 returns[][LAYA_LABEL_SIZE],
			      unsigned int n_returns, unsigned int n_slots)
{
	unsigned int at = 0;
	unsigned int i;

	for (i = 0; i < n_labels; i++)
		at += laya_shim_write(to + at, LAYA_PACKET_LABEL, labels[i]);
	for (i = 0; i < n_slots; i++)
		at += laya_shim_write(to + at, LAYA_PACKET_RETURN,
				      i < n_returns ? returns[i] : NULL);
	return at;
}
