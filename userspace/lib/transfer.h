/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libcurl on a libuv loop: connections through proxies, and requests.
 *
 * Lifetime: a transfer is its owner's until laya_transfer_free(), which may be
 * called from its done().
 */
#ifndef LAYA_TRANSFER_H
#define LAYA_TRANSFER_H

#include <curl/curl.h>

#include "dial.h"

struct laya_transfer;

/**
 * struct laya_transfer_ops - what the owner is told
 * @done: one of the handles that were started has finished
 */
struct laya_transfer_ops {
	void (*done)(struct laya_transfer *transfer, CURL *easy,
		     CURLcode result, void *data);
};

int laya_transfer_new(struct laya_transfer **transfer, uv_loop_t *loop,
		      const struct laya_dial_target *target,
		      const struct laya_dial_options *options,
		      const struct laya_transfer_ops *ops, void *data);
void laya_transfer_free(struct laya_transfer *transfer);
void laya_transfer_own(struct laya_transfer *transfer,
		       const struct laya_transfer_ops *ops, void *data);

CURL *laya_transfer_easy(struct laya_transfer *transfer, bool tls);
int laya_transfer_start(struct laya_transfer *transfer, CURL *easy);
void laya_transfer_stop(struct laya_transfer *transfer, CURL *easy);
void laya_transfer_pause(struct laya_transfer *transfer, CURL *easy);
int laya_transfer_explain(struct laya_transfer *transfer, CURL *easy,
			  CURLcode result);

const struct laya_dial_target *
laya_transfer_target(const struct laya_transfer *transfer);
const struct laya_dial_options *
laya_transfer_options(const struct laya_transfer *transfer);
const char *laya_transfer_server_name(const struct laya_transfer *transfer);
struct laya_dial_evidence *
laya_transfer_evidence(struct laya_transfer *transfer);
bool laya_transfer_tls_to_proxy(const struct laya_transfer *transfer);

void laya_transfer_set_stream(struct laya_transfer *transfer, CURL *easy);
ssize_t laya_transfer_read(struct laya_transfer *transfer, void *buf,
			   size_t len);
ssize_t laya_transfer_write(struct laya_transfer *transfer, const void *buf,
			    size_t len);

#endif /* LAYA_TRANSFER_H */
