// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

#define FIELDS_MAX	64

/* Fields that may come once, bit by bit */
enum once {
	ONCE_LENGTH	= 1 << 0,
	ONCE_KEY	= 1 << 1,
	ONCE_ACCEPT	= 1 << 2,
	ONCE_VERSION	= 1 << 3,
	ONCE_HOST	= 1 << 4,
};

/* What is said by several fields together */
struct reader {
	struct laya_http_head *head;
	unsigned int seen;
	bool connection_upgrade;
	bool upgrade_websocket;
	bool keep_alive;
};

static bool is_token(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    (!text[i] || !strchr("!#$%&'*+-.^_`|~", text[i])))
			return false;
	return len > 0;
}

static bool is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !strncasecmp(text, word, len);
}

/* Is @word an element of the list (RFC 9110, 5.6.1)? */
static bool has(const char *list, size_t len, const char *word)
{
	const char *end = list + len;
	const char *comma;
	const char *last;

	while (list < end) {
		comma = memchr(list, ',', end - list);
		if (!comma)
			comma = end;
		for (last = comma; list < last && strchr(" \t", last[-1]);)
			last--;
		while (list < last && strchr(" \t", *list))
			list++;
		if (is(list, last - list, word))
			return true;
		list = comma + 1;
	}
	return false;
}

static int once(struct reader *reader, enum once which)
{
	if (reader->seen & which)
		return -EBADMSG;
	reader->seen |= which;
	return 0;
}

static int read_length(struct laya_http_head *head, const char *value,
		       size_t len)
{
	size_t i;

	/* 15 digits are more than anybody has, and no overflow. */
	if (len == 0 || len > 15)
		return -EBADMSG;
	head->have_length = true;
	head->length = 0;
	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)value[i]))
			return -EBADMSG;
		head->length = head->length * 10 + (value[i] - '0');
	}
	return 0;
}

static int copy(char *to, size_t size, const char *value, size_t len)
{
	if (len >= size)
		return -EBADMSG;
	memcpy(to, value, len);
	to[len] = '\0';
	return 0;
}

static int read_field(struct reader *reader, const char *name, size_t name_len,
		      const char *value, size_t len)
{
	struct laya_http_head *head = reader->head;

	if (is(name, name_len, "Content-Length"))
		return once(reader, ONCE_LENGTH) ?:
		       read_length(head, value, len);
	if (is(name, name_len, "Sec-WebSocket-Key"))
		return once(reader, ONCE_KEY) ?:
		       copy(head->key, sizeof(head->key), value, len);
	if (is(name, name_len, "Sec-WebSocket-Accept"))
		return once(reader, ONCE_ACCEPT) ?:
		       copy(head->accept, sizeof(head->accept), value, len);
	if (is(name, name_len, "Sec-WebSocket-Version")) {
		head->version_13 = is(value, len, "13");
		return once(reader, ONCE_VERSION);
	}
	if (is(name, name_len, "Host"))
		return once(reader, ONCE_HOST);
	if (is(name, name_len, "Transfer-Encoding"))
		head->chunked = true;
	if (is(name, name_len, "Connection")) {
		reader->connection_upgrade |= has(value, len, "upgrade");
		reader->keep_alive |= has(value, len, "keep-alive");
		head->close |= has(value, len, "close");
	}
	if (is(name, name_len, "Upgrade"))
		reader->upgrade_websocket |= has(value, len, "websocket");
	return 0;
}

static int read_field_line(struct reader *reader, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	const char *end = line + len;
	const char *value;
	const char *c;

	if (!colon || !is_token(line, colon - line))
		return -EBADMSG;
	for (value = colon + 1; value < end && strchr(" \t", *value);)
		value++;
	while (end > value && strchr(" \t", end[-1]))
		end--;
	for (c = value; c < end; c++)
		if ((unsigned char)*c < ' ' && *c != '\t')
			return -EBADMSG;
	return read_field(reader, line, colon - line, value, end - value);
}

/* "HTTP/1.0" or "HTTP/1.1" */
static int read_version(const char *text, size_t len, bool *old)
{
	if (len != 8 || memcmp(text, "HTTP/1.", 7) ||
	    (text[7] != '0' && text[7] != '1'))
		return -EBADMSG;
	*old = text[7] == '0';
	return 0;
}

static int read_request_line(struct laya_http_head *head, const char *line,
			     size_t len, bool *old)
{
	const char *end = line + len;
	const char *path;
	const char *c;

	if (len > 4 && !memcmp(line, "GET ", 4))
		path = line + 4;
	else if (len > 5 && !memcmp(line, "POST ", 5))
		path = line + 5;
	else
		return -EBADMSG;
	head->post = line[0] == 'P';
	c = memchr(path, ' ', end - path);
	if (!c || *path != '/')
		return -EBADMSG;
	if (read_version(c + 1, end - c - 1, old) ||
	    copy(head->path, sizeof(head->path), path, c - path))
		return -EBADMSG;
	for (c = head->path; *c; c++)
		if (*c <= ' ' || *c > '~')
			return -EBADMSG;
	return strlen(head->path) == strcspn(head->path, "#") ? 0 : -EBADMSG;
}

static int read_status_line(struct laya_http_head *head, const char *line,
			    size_t len, bool *old)
{
	size_t i;

	if (len < 12 || read_version(line, 8, old) || line[8] != ' ' ||
	    (len > 12 && line[12] != ' '))
		return -EBADMSG;
	for (i = 9; i < 12; i++) {
		if (!isdigit((unsigned char)line[i]))
			return -EBADMSG;
		head->code = head->code * 10 + (line[i] - '0');
	}
	return head->code < 100 ? -EBADMSG : 0;
}

static ssize_t read_head(struct laya_http_head *head, const char *bytes,
			 size_t len, bool request)
{
	struct reader reader = { .head = head };
	size_t at = 0;
	bool old = false;
	unsigned int i;
	int ret;

	memset(head, 0, sizeof(*head));
	for (i = 0; i <= FIELDS_MAX + 1; i++) {
		const char *line = bytes + at;
		const char *end = memchr(line, '\n', len - at);
		size_t n;

		if (!end) {
			/* what is wrong already need not be waited for */
			if (memchr(line, '\0', len - at))
				return -EBADMSG;
			return len >= LAYA_HTTP_HEAD_MAX ? -EMSGSIZE : -EAGAIN;
		}
		n = end - line;
		at += n + 1;
		if (at > LAYA_HTTP_HEAD_MAX)
			return -EMSGSIZE;
		if (n == 0 || line[--n] != '\r' || memchr(line, '\0', n))
			return -EBADMSG;
		if (i == 0)
			ret = request ?
			      read_request_line(head, line, n, &old) :
			      read_status_line(head, line, n, &old);
		else if (n > 0)
			ret = read_field_line(&reader, line, n);
		else
			break;
		if (ret)
			return ret;
	}
	if (i > FIELDS_MAX + 1)
		return -EMSGSIZE;
	/* RFC 9112, 6.3: two lengths are an attack */
	if (head->chunked && head->have_length)
		return -EBADMSG;
	head->upgrade = reader.connection_upgrade && reader.upgrade_websocket;
	if (old && !reader.keep_alive)
		head->close = true;
	return at;
}

/**
 * laya_http_read_request() - read the head of a GET or POST
 * @head: what it says
 * @bytes: what came in
 * @len: how much
 *
 * Return: length of the head; -EAGAIN if there is more to it; -EMSGSIZE if it
 * is too long; -EBADMSG if it is malformed, or another method.
 */
ssize_t laya_http_read_request(struct laya_http_head *head, const char *bytes,
			       size_t len)
{
	return read_head(head, bytes, len, true);
}

/**
 * laya_http_read_response() - read the head of a response
 * @head: what it says
 * @bytes: what came in
 * @len: how much
 *
 * Return: as laya_http_read_request().
 */
ssize_t laya_http_read_response(struct laya_http_head *head,
				const char *bytes, size_t len)
{
	return read_head(head, bytes, len, false);
}
