/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A byte stream over a socket that does not block: plain, with TLS, or of
 * libcurl's, for a proxy that is itself spoken to by TLS.
 */
#ifndef LAYA_STREAM_H
#define LAYA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <openssl/ssl.h>

struct laya_transfer;

/**
 * struct laya_stream - one; moved by assignment
 * @fd: socket to poll
 * @ssl: TLS on it, or NULL
 * @transfer: libcurl's connection, or NULL
 * @read_wait: UV_READABLE or UV_WRITABLE: what laya_stream_read() waits for
 * @write_wait: the same for laya_stream_write()
 */
struct laya_stream {
	int fd;
	SSL *ssl;
	struct laya_transfer *transfer;
	int read_wait;
	int write_wait;
};

void laya_stream_init(struct laya_stream *stream, int fd);
int laya_stream_handshake(struct laya_stream *stream);
ssize_t laya_stream_read(struct laya_stream *stream, void *buf, size_t len);
ssize_t laya_stream_write(struct laya_stream *stream, const void *buf,
			  size_t len);
int laya_stream_shutdown(struct laya_stream *stream);
void laya_stream_close(struct laya_stream *stream);

#endif /* LAYA_STREAM_H */
