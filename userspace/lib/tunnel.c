// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "tunnel.h"

static void write_number(uint8_t *bytes, size_t size, uint64_t value)
{
	while (size--) {
		bytes[size] = value;
		value >>= 8;
	}
}

static uint64_t read_number(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *bytes++;
	return value;
}

/**
 * laya_tunnel_head_write() - make the head of a body
 * @bytes: where to put it
 * @head: what it says
 */
void laya_tunnel_head_write(uint8_t bytes[LAYA_TUNNEL_HEAD_SIZE],
			    const struct laya_tunnel_head *head)
{
	bytes[0] = head->type;
	bytes[1] = head->flags;
	write_number(bytes + 2, 2, 0);
	write_number(bytes + 4, 4, head->len);
	write_number(bytes + 8, 8, head->offset);
}

/**
 * laya_tunnel_head_read() - read the head of a body
 * @head: what it says
 * @bytes: the body, but for a request's name
 * @len: how long it is
 *
 * Return: 0, or -EBADMSG if it is none or its length is not as it says.
 */
int laya_tunnel_head_read(struct laya_tunnel_head *head, const uint8_t *bytes,
			  size_t len)
{
	if (len < LAYA_TUNNEL_HEAD_SIZE)
		return -EBADMSG;
	head->type = bytes[0];
	head->flags = bytes[1];
	head->len = read_number(bytes + 4, 4);
	head->offset = read_number(bytes + 8, 8);
	if (head->type < LAYA_TUNNEL_OPEN || head->type > LAYA_TUNNEL_CLOSE ||
	    head->flags & ~LAYA_TUNNEL_END || bytes[2] || bytes[3] ||
	    head->len > LAYA_TUNNEL_DATA_MAX ||
	    head->len != len - LAYA_TUNNEL_HEAD_SIZE)
		return -EBADMSG;
	return 0;
}
