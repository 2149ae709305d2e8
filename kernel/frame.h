/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets in a stream: each behind its length, 16 bits, big endian (RFC 4571).
 */
#ifndef _LAYA_FRAME_H
#define _LAYA_FRAME_H

#include <linux/types.h>

#define LAYA_FRAME_HEADER	2
/* Longest packet; what paths carry is less (LAYA_PATH_MAX_MTU). */
#define LAYA_FRAME_MAX		2048

/**
 * struct laya_frame - a frame that has not come whole yet
 * @have: Bytes of @data that are there.
 * @data: Length and packet.
 */
struct laya_frame {
	unsigned int	have;
	u8		data[LAYA_FRAME_HEADER + LAYA_FRAME_MAX];
};

int laya_frame_next(struct laya_frame *frame, const u8 **data,
		    unsigned int *len, const u8 **packet);

#endif /* _LAYA_FRAME_H */
