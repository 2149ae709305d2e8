// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "websocket.h"

#define FIN		0x80
#define RESERVED	0x70
#define MASKED		0x80
#define CONTROL		0x08

/* RFC 6455, 1.3 */
#define ACCEPT_GUID	"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/* How long the head is, as far as its first two bytes say */
static size_t head_size(const struct laya_websocket_reader *reader)
{
	size_t size = 2;

	if (reader->head_len < 2)
		return size;
	if ((reader->head[1] & 0x7f) == 126)
		size += 2;
	else if ((reader->head[1] & 0x7f) == 127)
		size += 8;
	return size + (reader->masked ? 4 : 0);
}

/* What can be refused by the first two bytes is, before more is waited for. */
static int check_start(const struct laya_websocket_reader *reader)
{
	uint8_t opcode = reader->head[0] & 0x0f;
	bool fin = reader->head[0] & FIN;

	if (reader->head[0] & RESERVED)
		return -EBADMSG;
	if (!!(reader->head[1] & MASKED) != reader->masked)
		return -EBADMSG;
	switch (opcode) {
	case LAYA_WEBSOCKET_CONTINUATION:
		return reader->in_message ? 0 : -EBADMSG;
	case LAYA_WEBSOCKET_BINARY:
		return reader->in_message ? -EBADMSG : 0;
	case LAYA_WEBSOCKET_CLOSE:
	case LAYA_WEBSOCKET_PING:
	case LAYA_WEBSOCKET_PONG:
		if (!fin || (reader->head[1] & 0x7f) >
			    LAYA_WEBSOCKET_CONTROL_MAX)
			return -EBADMSG;
		return 0;
	default:
		return -EBADMSG;
	}
}

static int begin_frame(struct laya_websocket_reader *reader)
{
	uint8_t opcode = reader->head[0] & 0x0f;
	uint8_t small = reader->head[1] & 0x7f;
	size_t extra = small == 126 ? 2 : small == 127 ? 8 : 0;
	uint64_t len = extra ? 0 : small;
	size_t i;

	for (i = 0; i < extra; i++)
		len = len << 8 | reader->head[2 + i];
	/* RFC 6455, 5.2: the shortest form, and no sign */
	if ((extra == 2 && len < 126) ||
	    (extra == 8 && (len <= UINT16_MAX || len >> 63)))
		return -EBADMSG;
	memset(reader->mask, 0, sizeof(reader->mask));
	if (reader->masked)
		memcpy(reader->mask, reader->head + 2 + extra, 4);
	reader->opcode = opcode;
	reader->at = 0;
	reader->left = len;
	reader->in_frame = true;
	if (!(opcode & CONTROL))
		reader->in_message = !(reader->head[0] & FIN);
	return 0;
}

static ssize_t read_payload(struct laya_websocket_reader *reader,
			    uint8_t *bytes, size_t len,
			    struct laya_websocket_piece *piece)
{
	if (len > reader->left)
		len = reader->left;
	laya_websocket_mask(bytes, len, reader->mask, reader->at);
	if (reader->opcode & CONTROL) {
		memcpy(reader->control + reader->at, bytes, len);
		piece->data = reader->control;
		piece->len = reader->at + len;
		if (len == reader->left)
			piece->opcode = reader->opcode;
	} else {
		piece->opcode = LAYA_WEBSOCKET_BINARY;
		piece->data = bytes;
		piece->len = len;
	}
	reader->at += len;
	reader->left -= len;
	if (reader->left == 0) {
		reader->in_frame = false;
		reader->head_len = 0;
	}
	return len;
}

/**
 * laya_websocket_read() - read the next piece of what came in
 * @reader: the state
 * @bytes: what came in; unmasked in place
 * @len: how much; not 0
 * @piece: what it is; valid as long as @bytes, and until the next call
 *
 * Return: how many bytes were used, not 0; -EBADMSG if it is no WebSocket, or
 * text.
 */
ssize_t laya_websocket_read(struct laya_websocket_reader *reader,
			    uint8_t *bytes, size_t len,
			    struct laya_websocket_piece *piece)
{
	ssize_t used = 0;
	int ret;

	*piece = (struct laya_websocket_piece){ 0 };
	while (!reader->in_frame) {
		if (len == 0)
			return used;
		reader->head[reader->head_len++] = *bytes++;
		used++;
		len--;
		if (reader->head_len == 2) {
			ret = check_start(reader);
			if (ret)
				return ret;
		}
		if (reader->head_len < 2 ||
		    reader->head_len < head_size(reader))
			continue;
		ret = begin_frame(reader);
		if (ret)
			return ret;
	}
	/* An empty frame is whole without another byte. */
	if (len == 0 && reader->left != 0)
		return used;
	return used + read_payload(reader, bytes, len, piece);
}

/**
 * laya_websocket_head() - make the head of a frame
 * @head: where to put it
 * @opcode: what the frame is
 * @len: length of its payload
 * @mask: its mask, or NULL if this is the server
 *
 * Return: length of the head.
 */
size_t laya_websocket_head(uint8_t head[LAYA_WEBSOCKET_HEAD_SIZE],
			   enum laya_websocket_opcode opcode, size_t len,
			   const uint8_t mask[4])
{
	size_t extra = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;
	uint64_t value = len;
	size_t i;

	head[0] = FIN | opcode;
	head[1] = (mask ? MASKED : 0) |
		  (extra == 0 ? len : extra == 2 ? 126 : 127);
	for (i = extra; i > 0; i--) {
		head[1 + i] = value;
		value >>= 8;
	}
	if (!mask)
		return 2 + extra;
	memcpy(head + 2 + extra, mask, 4);
	return 2 + extra + 4;
}

/**
 * laya_websocket_mask() - mask or unmask in place
 * @bytes: what
 * @len: how much
 * @mask: the mask
 * @at: where in the frame @bytes stand
 */
void laya_websocket_mask(uint8_t *bytes, size_t len, const uint8_t mask[4],
			 uint64_t at)
{
	uint8_t turned[8];
	uint64_t word;
	uint64_t many;
	size_t i;

	for (i = 0; i < sizeof(turned); i++)
		turned[i] = mask[(at + i) & 3];
	memcpy(&many, turned, sizeof(many));
	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		word ^= many;
		memcpy(bytes + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		bytes[i] ^= turned[i & 7];
}

/**
 * laya_websocket_key() - make the Sec-WebSocket-Key of a request
 * @key: where to put it
 */
void laya_websocket_key(char key[LAYA_WEBSOCKET_KEY_SIZE])
{
	uint8_t nonce[16];

	randombytes_buf(nonce, sizeof(nonce));
	sodium_bin2base64(key, LAYA_WEBSOCKET_KEY_SIZE, nonce, sizeof(nonce),
			  sodium_base64_VARIANT_ORIGINAL);
}

/**
 * laya_websocket_accept() - make the Sec-WebSocket-Accept of a response
 * @accept: where to put it
 * @key: the Sec-WebSocket-Key of the request
 *
 * Return: 0; -EBADMSG if @key is none; -EIO without SHA-1.
 */
int laya_websocket_accept(char accept[LAYA_WEBSOCKET_ACCEPT_SIZE],
			  const char *key)
{
	char text[LAYA_WEBSOCKET_KEY_SIZE + sizeof(ACCEPT_GUID)];
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int size;
	uint8_t nonce[16];
	size_t len;

	if (sodium_base642bin(nonce, sizeof(nonce), key, strlen(key), NULL,
			      &len, NULL, sodium_base64_VARIANT_ORIGINAL) ||
	    len != sizeof(nonce))
		return -EBADMSG;
	memcpy(text, key, LAYA_WEBSOCKET_KEY_SIZE - 1);
	strcpy(text + LAYA_WEBSOCKET_KEY_SIZE - 1, ACCEPT_GUID);
	if (!EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL))
		return -EIO;
	sodium_bin2base64(accept, LAYA_WEBSOCKET_ACCEPT_SIZE, digest, size,
			  sodium_base64_VARIANT_ORIGINAL);
	return 0;
}
