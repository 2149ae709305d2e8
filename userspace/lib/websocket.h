/* SPDX-License-Identifier: GPL-2.0 */
/*
 * WebSocket (RFC 6455): frames and the keys of its handshake; no I/O.
 *
 * A stream of bytes is what goes over it: each piece is one binary message,
 * and where messages begin means nothing.  Close is the end of one direction;
 * the other one goes on until it is closed too.
 */
#ifndef LAYA_WEBSOCKET_H
#define LAYA_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAYA_WEBSOCKET_HEAD_SIZE	14
#define LAYA_WEBSOCKET_CONTROL_MAX	125
#define LAYA_WEBSOCKET_KEY_SIZE		25	/* base64 of 16 bytes, NUL */
#define LAYA_WEBSOCKET_ACCEPT_SIZE	29	/* base64 of SHA-1, NUL */

enum laya_websocket_opcode {
	LAYA_WEBSOCKET_CONTINUATION = 0,
	LAYA_WEBSOCKET_TEXT = 1,
	LAYA_WEBSOCKET_BINARY = 2,
	LAYA_WEBSOCKET_CLOSE = 8,
	LAYA_WEBSOCKET_PING = 9,
	LAYA_WEBSOCKET_PONG = 10,
};

/**
 * struct laya_websocket_reader - the state between two reads; begins as zero
 *	but for @masked
 * @masked: frames must be masked: this is the server
 * @in_message: a message goes on after this frame
 * @in_frame: the head of the frame has been read
 * @opcode: of the frame
 * @head: what of the head was read
 * @head_len: how much that is
 * @mask: of the frame
 * @at: bytes of the frame that were read
 * @left: bytes of the frame that were not
 * @control: payload of a control frame
 */
struct laya_websocket_reader {
	bool masked;
	bool in_message;
	bool in_frame;
	uint8_t opcode;
	uint8_t head[LAYA_WEBSOCKET_HEAD_SIZE];
	size_t head_len;
	uint8_t mask[4];
	uint64_t at;
	uint64_t left;
	uint8_t control[LAYA_WEBSOCKET_CONTROL_MAX];
};

/**
 * struct laya_websocket_piece - what was read
 * @opcode: LAYA_WEBSOCKET_BINARY: data, the next of it; _PING, _PONG or
 *	_CLOSE: a whole control frame; _CONTINUATION: nothing yet
 * @data: it, unmasked
 * @len: how much; may be 0
 */
struct laya_websocket_piece {
	enum laya_websocket_opcode opcode;
	uint8_t *data;
	size_t len;
};

ssize_t laya_websocket_read(struct laya_websocket_reader *reader,
			    uint8_t *bytes, size_t len,
			    struct laya_websocket_piece *piece);
size_t laya_websocket_head(uint8_t head[LAYA_WEBSOCKET_HEAD_SIZE],
			   enum laya_websocket_opcode opcode, size_t len,
			   const uint8_t mask[4]);
void laya_websocket_mask(uint8_t *bytes, size_t len, const uint8_t mask[4],
			 uint64_t at);

void laya_websocket_key(char key[LAYA_WEBSOCKET_KEY_SIZE]);
int laya_websocket_accept(char accept[LAYA_WEBSOCKET_ACCEPT_SIZE],
			  const char *key);

#endif /* LAYA_WEBSOCKET_H */
