// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <openssl/err.h>

#include "stream.h"
#include "transfer.h"

/**
 * laya_stream_init() - make a plain stream
 * @stream: the stream
 * @fd: connected socket that does not block; now the stream's
 */
void laya_stream_init(struct laya_stream *stream, int fd)
{
	*stream = (struct laya_stream){
		.fd = fd,
		.read_wait = UV_READABLE,
		.write_wait = UV_WRITABLE,
	};
}

/* What OpenSSL waits for, or what went wrong */
static int tls_result(struct laya_stream *stream, int ret, int *wait)
{
	switch (SSL_get_error(stream->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		*wait = UV_READABLE;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		*wait = UV_WRITABLE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return errno ? -errno : -ECONNRESET;
	default:
		/* An end without close_notify may be somebody else's doing. */
		if (ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return -ECONNRESET;
		return -EPROTO;
	}
}

/**
 * laya_stream_handshake() - go on with the TLS handshake
 * @stream: the stream
 *
 * Return: 0; -EAGAIN, and stream->read_wait says for what; or another errno,
 * of which OpenSSL's queue knows more.
 */
int laya_stream_handshake(struct laya_stream *stream)
{
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_do_handshake(stream->ssl);
	if (ret == 1) {
		stream->read_wait = UV_READABLE;
		return 0;
	}
	ret = tls_result(stream, ret, &stream->read_wait);
	return ret ? ret : -ECONNRESET;
}

/**
 * laya_stream_read() - read
 * @stream: the stream
 * @buf: where to put it
 * @len: how much at most
 *
 * Return: number of bytes, 0 at the end, -EAGAIN, or another errno.
 */
ssize_t laya_stream_read(struct laya_stream *stream, void *buf, size_t len)
{
	ssize_t n;

	if (stream->transfer)
		return laya_transfer_read(stream->transfer, buf, len);
	if (stream->ssl) {
		ERR_clear_error();
		errno = 0;
		n = SSL_read(stream->ssl, buf, len);
		return n > 0 ? n : tls_result(stream, n, &stream->read_wait);
	}
	do {
		n = recv(stream->fd, buf, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/**
 * laya_stream_write() - write
 * @stream: the stream
 * @buf: what; after -EAGAIN it must be the same bytes again
 * @len: how much; not 0
 *
 * Return: number of bytes, -EAGAIN, or another errno.
 */
ssize_t laya_stream_write(struct laya_stream *stream, const void *buf,
			  size_t len)
{
	ssize_t n;

	if (stream->transfer)
		return laya_transfer_write(stream->transfer, buf, len);
	if (stream->ssl) {
		ERR_clear_error();
		errno = 0;
		n = SSL_write(stream->ssl, buf, len);
		if (n <= 0) {
			n = tls_result(stream, n, &stream->write_wait);
			return n ? n : -EPIPE;
		}
		return n;
	}
	do {
		n = send(stream->fd, buf, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/**
 * laya_stream_shutdown() - say that no more comes
 * @stream: the stream
 *
 * Return: 0; -EAGAIN, and stream->write_wait says for what; or another errno.
 */
int laya_stream_shutdown(struct laya_stream *stream)
{
	int ret;

	if (stream->ssl) {
		ERR_clear_error();
		errno = 0;
		ret = SSL_shutdown(stream->ssl);
		if (ret < 0) {
			ret = tls_result(stream, ret, &stream->write_wait);
			if (ret)
				return ret;
		}
	}
	/* The TLS of a proxy knows no half: nobody hears of it. */
	if (stream->transfer)
		return 0;
	return shutdown(stream->fd, SHUT_WR) ? -errno : 0;
}

/**
 * laya_stream_close() - give everything back
 * @stream: the stream
 */
void laya_stream_close(struct laya_stream *stream)
{
	SSL_free(stream->ssl);
	stream->ssl = NULL;
	if (stream->transfer)
		laya_transfer_free(stream->transfer);
	else if (stream->fd >= 0)
		close(stream->fd);
	stream->transfer = NULL;
	stream->fd = -1;
}
