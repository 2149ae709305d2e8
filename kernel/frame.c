// SPDX-License-Identifier: GPL-2.0
/* Packets in a stream. Pure. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "frame.h"

/* The packet's length as @header says; -EBADMSG when no packet has it. */
static int frame_length(const u8 *header)
{
	unsigned int length = get_unaligned_be16(header);

	return length && length <= LAYA_FRAME_MAX ? (int)length : -EBADMSG;
}

/* Gather up to @want bytes of the frame; false while they are not there. */
static bool frame_gather(struct laya_frame *frame, unsigned int want,
			 const u8 **data, unsigned int *len)
{
	unsigned int n = min(want - min(want, frame->have), *len);

	memcpy(frame->data + frame->have, *data, n);
	frame->have += n;
	*data += n;
	*len -= n;
	return frame->have >= want;
}

/**
 * laya_frame_next - the next packet of a stream
 * @frame: What is left of what was read before; all zero at first.
 * @data: What was read; moved on.
 * @len: Its length; made less.
 * @packet: Set to the packet, which is in @data or in @frame and stays there until
 *	the next call.
 *
 * Return: Length of the packet; 0 when there is no whole one, and all of @data is
 * used up; -EBADMSG when this is no stream of packets: nothing that follows can be
 * found in it.
 */
int laya_frame_next(struct laya_frame *frame, const u8 **data,
		    unsigned int *len, const u8 **packet)
{
	int length;

	/* Whole in what was read: as it lies there */
	if (!frame->have && *len >= LAYA_FRAME_HEADER) {
		length = frame_length(*data);
		if (length < 0)
			return length;
		if (*len - LAYA_FRAME_HEADER >= length) {
			*packet = *data + LAYA_FRAME_HEADER;
			*data += LAYA_FRAME_HEADER + length;
			*len -= LAYA_FRAME_HEADER + length;
			return length;
		}
	}
	if (!frame_gather(frame, LAYA_FRAME_HEADER, data, len))
		return 0;
	length = frame_length(frame->data);
	if (length < 0)
		return length;
	if (!frame_gather(frame, LAYA_FRAME_HEADER + length, data, len))
		return 0;
	frame->have = 0;
	*packet = frame->data + LAYA_FRAME_HEADER;
	return length;
}
