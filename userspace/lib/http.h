/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heads of HTTP/1.1 requests and responses (RFC 9112), read strictly: what two
 * readers might understand in two ways is refused.  Pure functions.
 */
#ifndef LAYA_HTTP_H
#define LAYA_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "websocket.h"

#define LAYA_HTTP_HEAD_MAX	8192
#define LAYA_HTTP_PATH_SIZE	256

/**
 * struct laya_http_head - what a head says that matters here
 * @post: it is a POST; otherwise a GET or a response
 * @path: of a request
 * @code: of a response
 * @close: the connection ends after this
 * @upgrade: "Connection: upgrade" and "Upgrade: websocket" are there
 * @version_13: "Sec-WebSocket-Version: 13" is
 * @key: Sec-WebSocket-Key, or empty
 * @accept: Sec-WebSocket-Accept, or empty
 * @have_length: there is a Content-Length
 * @length: which
 * @chunked: there is a Transfer-Encoding
 */
struct laya_http_head {
	bool post;
	char path[LAYA_HTTP_PATH_SIZE];
	int code;
	bool close;
	bool upgrade;
	bool version_13;
	char key[LAYA_WEBSOCKET_KEY_SIZE];
	char accept[LAYA_WEBSOCKET_ACCEPT_SIZE];
	bool have_length;
	uint64_t length;
	bool chunked;
};

ssize_t laya_http_read_request(struct laya_http_head *head, const char *bytes,
			       size_t len);
ssize_t laya_http_read_response(struct laya_http_head *head,
				const char *bytes, size_t len);

#endif /* LAYA_HTTP_H */
