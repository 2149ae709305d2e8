// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../http.h"
#include "../websocket.h"

static struct laya_websocket_reader reader;
static struct laya_websocket_piece piece;

static ssize_t read_bytes(bool masked, const void *bytes, size_t len)
{
	static uint8_t copy[1024];

	memset(&reader, 0, sizeof(reader));
	reader.masked = masked;
	memcpy(copy, bytes, len);
	return laya_websocket_read(&reader, copy, len, &piece);
}

#define READ(masked, text)	read_bytes(masked, text, sizeof(text) - 1)

/* RFC 6455, 5.7, but for text, which is not taken */
static void read__examples(void **state)
{
	(void)state;
	assert_int_equal(READ(false, "\x82\5Hello"), 7);
	assert_int_equal(piece.opcode, LAYA_WEBSOCKET_BINARY);
	assert_int_equal(piece.len, 5);
	assert_memory_equal(piece.data, "Hello", 5);
	assert_int_equal(READ(true, "\x82\x85\x37\xfa\x21\x3d"
				    "\x7f\x9f\x4d\x51\x58"), 11);
	assert_memory_equal(piece.data, "Hello", 5);
	assert_int_equal(READ(false, "\x89\5Hello"), 7);
	assert_int_equal(piece.opcode, LAYA_WEBSOCKET_PING);
	assert_memory_equal(piece.data, "Hello", 5);
	assert_int_equal(READ(true, "\x88\x80\0\0\0\0"), 6);
	assert_int_equal(piece.opcode, LAYA_WEBSOCKET_CLOSE);
	assert_int_equal(piece.len, 0);
}

static void read__fragments(void **state)
{
	uint8_t bytes[] = "\2\3abc\x89\1p\0\2de\x80\0\x82\1f";
	size_t at = 0;
	char data[16] = { 0 };
	unsigned int pings = 0;
	ssize_t n;

	(void)state;
	memset(&reader, 0, sizeof(reader));
	while (at < sizeof(bytes) - 1) {
		n = laya_websocket_read(&reader, bytes + at,
					sizeof(bytes) - 1 - at, &piece);
		assert_true(n > 0);
		at += n;
		if (piece.opcode == LAYA_WEBSOCKET_BINARY)
			strncat(data, (char *)piece.data, piece.len);
		pings += piece.opcode == LAYA_WEBSOCKET_PING;
	}
	assert_string_equal(data, "abcdef");
	assert_int_equal(pings, 1);
	assert_false(reader.in_message);
}

static void read__lies(void **state)
{
	(void)state;
	assert_int_equal(READ(false, "\x81\1a"), -EBADMSG);	/* text */
	assert_int_equal(READ(false, "\x83\1a"), -EBADMSG);	/* reserved */
	assert_int_equal(READ(false, "\xc2\1a"), -EBADMSG);	/* extension */
	assert_int_equal(READ(false, "\x82\x81\0\0\0\0a"), -EBADMSG);
	assert_int_equal(READ(true, "\x82\1a"), -EBADMSG);	/* not masked */
	assert_int_equal(READ(false, "\x80\1a"), -EBADMSG);	/* of nothing */
	assert_int_equal(READ(false, "\x09\0"), -EBADMSG);	/* in pieces */
	assert_int_equal(READ(false, "\x89\x7e\0\x7e"), -EBADMSG);
	/* lengths in more bytes than they need, and too many */
	assert_int_equal(READ(false, "\x82\x7e\0\x7d"), -EBADMSG);
	assert_int_equal(READ(false, "\x82\x7f\0\0\0\0\0\0\xff\xff"),
			 -EBADMSG);
	assert_int_equal(READ(false, "\x82\x7f\x80\0\0\0\0\0\0\0"), -EBADMSG);
	/* refused before the rest is there */
	assert_int_equal(READ(false, "\x81\x7f"), -EBADMSG);
	/* a message within a message */
	assert_int_equal(READ(false, "\2\1a"), 3);
	assert_int_equal(laya_websocket_read(&reader, (uint8_t *)"\x82\1b", 3,
					     &piece), -EBADMSG);
}

static void round_trip(size_t len, const uint8_t mask[4], size_t step)
{
	uint8_t head[LAYA_WEBSOCKET_HEAD_SIZE];
	size_t size = laya_websocket_head(head, LAYA_WEBSOCKET_BINARY, len,
					  mask);
	uint8_t *bytes = malloc(size + len + 1);
	size_t seen = 0;
	size_t at = 0;
	size_t i;
	ssize_t n;

	assert_non_null(bytes);
	memcpy(bytes, head, size);
	for (i = 0; i < len; i++)
		bytes[size + i] = i * 7;
	if (mask)
		laya_websocket_mask(bytes + size, len, mask, 0);
	memset(&reader, 0, sizeof(reader));
	reader.masked = mask;
	while (at < size + len) {
		n = size + len - at < step ? size + len - at : step;
		n = laya_websocket_read(&reader, bytes + at, n, &piece);
		assert_true(n > 0);
		at += n;
		if (piece.opcode != LAYA_WEBSOCKET_BINARY)
			continue;
		for (i = 0; i < piece.len; i++)
			assert_int_equal(piece.data[i],
					 (uint8_t)((seen + i) * 7));
		seen += piece.len;
	}
	assert_int_equal(seen, len);
	free(bytes);
}

static void head__round_trips(void **state)
{
	static const size_t lengths[] = {
		0, 1, 125, 126, 127, 65535, 65536, 131072,
	};
	static const uint8_t mask[4] = { 1, 0xfe, 3, 0x80 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		round_trip(lengths[i], NULL, SIZE_MAX);
		round_trip(lengths[i], mask, SIZE_MAX);
		round_trip(lengths[i], mask, 1);
		round_trip(lengths[i], mask, 13);
	}
}

static void accept__of_a_key(void **state)
{
	char accept[LAYA_WEBSOCKET_ACCEPT_SIZE];
	char key[LAYA_WEBSOCKET_KEY_SIZE];

	(void)state;
	/* RFC 6455, 1.3 */
	assert_int_equal(laya_websocket_accept(accept,
					       "dGhlIHNhbXBsZSBub25jZQ=="), 0);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	laya_websocket_key(key);
	assert_int_equal(laya_websocket_accept(accept, key), 0);
	assert_int_equal(laya_websocket_accept(accept, ""), -EBADMSG);
	assert_int_equal(laya_websocket_accept(accept, "dGhlIHNh"), -EBADMSG);
	assert_int_equal(laya_websocket_accept(accept,
					       "dGhlIHNhbXBsZSBub25jZQ="),
			 -EBADMSG);
	assert_int_equal(laya_websocket_accept(accept,
					       "!!hlIHNhbXBsZSBub25jZQ=="),
			 -EBADMSG);
}

static struct laya_http_head head;

static ssize_t request(const char *text)
{
	return laya_http_read_request(&head, text, strlen(text));
}

static ssize_t response(const char *text)
{
	return laya_http_read_response(&head, text, strlen(text));
}

static void http__request(void **state)
{
	static const char text[] =
		"GET /laya?x=1 HTTP/1.1\r\nHost: a\r\n"
		"Upgrade: h2c, WebSocket\r\nConnection:keep-alive , Upgrade \r\n"
		"sec-websocket-key: \t dGhlIHNhbXBsZSBub25jZQ==\t\r\n"
		"Sec-WebSocket-Version: 13\r\n\r\nmore";
	size_t i;

	(void)state;
	assert_int_equal(request(text), strlen(text) - 4);
	assert_false(head.post);
	assert_string_equal(head.path, "/laya?x=1");
	assert_true(head.upgrade);
	assert_true(head.version_13);
	assert_false(head.close);
	assert_string_equal(head.key, "dGhlIHNhbXBsZSBub25jZQ==");
	/* nothing is decided before it is whole */
	for (i = 0; i < strlen(text) - 4; i++)
		assert_int_equal(laya_http_read_request(&head, text, i),
				 -EAGAIN);

	assert_true(request("POST / HTTP/1.0\r\nContent-Length: 12\r\n\r\n") >
		    0);
	assert_true(head.post);
	assert_true(head.close);
	assert_true(head.have_length);
	assert_int_equal(head.length, 12);
}

static void http__bad_requests(void **state)
{
	static const char *const bad[] = {
		"\r\n", "GET\r\n\r\n", "GET / \r\n\r\n", "GET /\r\n\r\n",
		"get / HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\n\r\n",
		"GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
		"GET / HTTP/1.1 \r\n\r\n", "GET / HTTP/1.1\n\n",
		"GET /\x01 HTTP/1.1\r\n\r\n", "GET /\xc3\xa4 HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\n: x\r\n\r\n",
		"GET / HTTP/1.1\r\nA : x\r\n\r\n",
		"GET / HTTP/1.1\r\nA: x\r\n y\r\n\r\n",
		"GET / HTTP/1.1\r\nA: x\ry\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 1\r\n"
		"Content-Length: 2\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 9999999999999999\r\n\r\n",
	};
	char *text = malloc(20000);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (request(bad[i]) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(laya_http_read_request(&head, "GET /\0", 6),
			 -EBADMSG);

	/* too long a line, too many of them, too long a path */
	memset(text, 'a', 20000);
	memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
	text[19999] = '\0';
	assert_int_equal(request(text), -EMSGSIZE);
	strcpy(text, "GET / HTTP/1.1\r\n");
	for (i = 0; i < 70; i++)
		strcat(text, "A: b\r\n");
	strcat(text, "\r\n");
	assert_int_equal(request(text), -EMSGSIZE);
	memset(text, '/', 20000);
	memcpy(text, "GET ", 4);
	strcpy(text + 300, " HTTP/1.1\r\n\r\n");
	assert_int_equal(request(text), -EBADMSG);
	free(text);
}

static void http__response(void **state)
{
	(void)state;
	assert_true(response("HTTP/1.1 101 Switching\r\n"
			     "Connection: upgrade\r\nUpgrade: websocket\r\n"
			     "Sec-WebSocket-Accept: abc\r\n\r\n") > 0);
	assert_int_equal(head.code, 101);
	assert_true(head.upgrade);
	assert_string_equal(head.accept, "abc");
	assert_true(response("HTTP/1.0 403\r\n\r\n") > 0);
	assert_int_equal(head.code, 403);
	assert_true(head.close);
	assert_int_equal(response("HTTP/1.1 1o1 x\r\n\r\n"), -EBADMSG);
	assert_int_equal(response("HTTP/1.1 1011 x\r\n\r\n"), -EBADMSG);
	assert_int_equal(response("HTTP/1.1 099 x\r\n\r\n"), -EBADMSG);
	assert_int_equal(response("ICY 200 OK\r\n\r\n"), -EBADMSG);
	assert_int_equal(response("SSH-2.0-x\r\n"), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read__examples),
		cmocka_unit_test(read__fragments),
		cmocka_unit_test(read__lies),
		cmocka_unit_test(head__round_trips),
		cmocka_unit_test(accept__of_a_key),
		cmocka_unit_test(http__request),
		cmocka_unit_test(http__bad_requests),
		cmocka_unit_test(http__response),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
