/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TLS as a disguise: what it needs to look like any other, and what it shows
 * of the boxes on the way.
 */
#ifndef LAYA_TLS_H
#define LAYA_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/ssl.h>

#define LAYA_TLS_NAME_SIZE	256

/**
 * struct laya_tls_evidence - what the far side showed
 * @have_certificate: it showed one
 * @verified: it is for the name, and of an authority that is trusted
 * @issuer: who vouches for it
 * @subject: for whom
 * @problem: why it does not verify; empty if it does
 * @error: alert or error that ended the handshake; empty if none
 */
struct laya_tls_evidence {
	bool have_certificate;
	bool verified;
	char issuer[LAYA_TLS_NAME_SIZE];
	char subject[LAYA_TLS_NAME_SIZE];
	char problem[LAYA_TLS_NAME_SIZE];
	char error[LAYA_TLS_NAME_SIZE];
};

int laya_tls_client(SSL **ssl, int fd, const char *server_name,
		    const char *alpn, const char *ca_file, bool verify,
		    struct laya_tls_evidence *evidence);
int laya_tls_watch(SSL_CTX *ctx, const char *server_name, bool verify,
		   struct laya_tls_evidence *evidence);
int laya_tls_server(SSL_CTX **ctx, const char *certificate, const char *key,
		    const char *state_dir, char *msg, size_t msg_size);
void laya_tls_error(char text[LAYA_TLS_NAME_SIZE]);
void laya_tls_explain(const struct laya_tls_evidence *evidence,
		      const char *server_name, char *text, size_t size);

#endif /* LAYA_TLS_H */
