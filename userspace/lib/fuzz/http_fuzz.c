// SPDX-License-Identifier: GPL-2.0
/* Heads from anybody; what is whole is so however much comes after it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../http.h"
#include "../tunnel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

static void read_head(ssize_t (*read)(struct laya_http_head *head,
				      const char *bytes, size_t len),
		      const char *bytes, size_t size)
{
	struct laya_http_head head;
	struct laya_http_head again;
	ssize_t n;

	memset(&head, 0, sizeof(head));
	memset(&again, 0, sizeof(again));
	n = read(&head, bytes, size);
	check(n > 0 || n == -EAGAIN || n == -EBADMSG || n == -EMSGSIZE);
	if (n <= 0)
		return;
	check((size_t)n <= size && n <= LAYA_HTTP_HEAD_MAX);
	check(read(&again, bytes, n) == n);
	check(!memcmp(&head, &again, sizeof(head)));
	check(read(&again, bytes, n - 1) == -EAGAIN);
	check(!(head.chunked && head.have_length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct laya_tunnel_head head;

	read_head(laya_http_read_request, (const char *)data, size);
	read_head(laya_http_read_response, (const char *)data, size);
	if (!laya_tunnel_head_read(&head, data, size))
		check(head.len == size - LAYA_TUNNEL_HEAD_SIZE);
	return 0;
}
