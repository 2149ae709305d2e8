// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "tls.h"

#define CERTIFICATE_FILE	"tls-certificate.pem"
#define KEY_FILE		"tls-key.pem"
#define TEN_YEARS		(10 * 365 * 86400L)
/* Four records for each read */
#define READ_BUFFER		(68 * 1024)

/* What a handshake reports to, and whether it may go on */
struct watch {
	struct laya_tls_evidence *evidence;
	bool verify;
};

static void free_watch(void *parent, void *ptr, CRYPTO_EX_DATA *data,
		       int index, long argl, void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	free(ptr);
}

static int watch_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
						 free_watch);
	return index;
}

static void write_name(char text[LAYA_TLS_NAME_SIZE], X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		n = BIO_read(bio, text, LAYA_TLS_NAME_SIZE - 1);
	text[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
}

/* Called for each certificate and each problem: the first problem counts. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct watch *watch = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl),
						  watch_index());
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	struct laya_tls_evidence *evidence = watch->evidence;
	int error = X509_STORE_CTX_get_error(store);

	if (!evidence->have_certificate) {
		evidence->have_certificate = true;
		evidence->verified = true;
		write_name(evidence->issuer, X509_get_issuer_name(leaf));
		write_name(evidence->subject, X509_get_subject_name(leaf));
	}
	if (!ok && evidence->verified) {
		evidence->verified = false;
		snprintf(evidence->problem, sizeof(evidence->problem), "%s",
			 X509_verify_cert_error_string(error));
	}
	return ok || !watch->verify;
}

static bool is_literal(const char *name)
{
	struct in6_addr any;

	return inet_pton(AF_INET, name, &any) == 1 ||
	       inet_pton(AF_INET6, name, &any) == 1;
}

/**
 * laya_tls_watch() - learn what certificate a context's connections are shown
 * @ctx: the context; its authorities are set already
 * @server_name: name or address that the certificate should be for
 * @verify: refuse what does not verify
 * @evidence: where to tell; lives as long as @ctx
 *
 * Return: 0 or -ENOMEM.
 */
int laya_tls_watch(SSL_CTX *ctx, const char *server_name, bool verify,
		   struct laya_tls_evidence *evidence)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
	struct watch *watch = malloc(sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){ .evidence = evidence, .verify = verify };
	if (!SSL_CTX_set_ex_data(ctx, watch_index(), watch)) {
		free(watch);
		return -ENOMEM;
	}
	if (!(is_literal(server_name) ?
	      X509_VERIFY_PARAM_set1_ip_asc(param, server_name) :
	      X509_VERIFY_PARAM_set1_host(param, server_name, 0)))
		return -ENOMEM;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
	return 0;
}

static void set_modes(SSL_CTX *ctx)
{
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
			      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
				 SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_BUFFER);
}

static int set_alpn(SSL *ssl, const char *alpn)
{
	unsigned char list[256];
	size_t len = strlen(alpn);

	if (len == 0 || len >= sizeof(list))
		return -EINVAL;
	list[0] = len;
	memcpy(list + 1, alpn, len);
	return SSL_set_alpn_protos(ssl, list, len + 1) ? -ENOMEM : 0;
}

/* The authorities are read once, for they are many. */
static X509_STORE *system_store(void)
{
	static X509_STORE *store;

	if (!store) {
		store = X509_STORE_new();
		if (store)
			X509_STORE_set_default_paths(store);
	}
	return store;
}

static int set_authorities(SSL_CTX *ctx, const char *ca_file)
{
	X509_STORE *store;

	if (ca_file)
		return SSL_CTX_load_verify_file(ctx, ca_file) ? 0 : -ENOENT;
	store = system_store();
	if (!store)
		return -ENOMEM;
	SSL_CTX_set1_cert_store(ctx, store);
	return 0;
}

/**
 * laya_tls_client() - begin TLS over a connection
 * @ssl: where to put it
 * @fd: the connection
 * @server_name: for SNI, unless it is an address, and for the certificate
 * @alpn: protocol to offer
 * @ca_file: authorities to trust; NULL for those of the system
 * @verify: refuse what they do not vouch for
 * @evidence: filled in by the handshake; lives as long as @ssl
 *
 * Return: 0; -ENOENT for a @ca_file that cannot be read; -EINVAL for a bad
 * @alpn; or -ENOMEM.
 */
int laya_tls_client(SSL **ssl, int fd, const char *server_name,
		    const char *alpn, const char *ca_file, bool verify,
		    struct laya_tls_evidence *evidence)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *new = NULL;
	int ret = -ENOMEM;

	if (!ctx)
		goto err;
	set_modes(ctx);
	ret = set_authorities(ctx, ca_file);
	if (!ret)
		ret = laya_tls_watch(ctx, server_name, verify, evidence);
	if (ret)
		goto err;
	new = SSL_new(ctx);
	if (!new || !SSL_set_fd(new, fd)) {
		ret = -ENOMEM;
		goto err;
	}
	if (!is_literal(server_name) &&
	    !SSL_set_tlsext_host_name(new, server_name)) {
		ret = -ENOMEM;
		goto err;
	}
	ret = set_alpn(new, alpn);
	if (ret)
		goto err;
	SSL_set_connect_state(new);
	SSL_CTX_free(ctx);
	*ssl = new;
	return 0;

err:
	SSL_free(new);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

/**
 * laya_tls_error() - say what OpenSSL last complained of
 * @text: where to put it
 */
void laya_tls_error(char text[LAYA_TLS_NAME_SIZE])
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		reason = strerror(ERR_GET_REASON(error));
	snprintf(text, LAYA_TLS_NAME_SIZE, "%s", reason ? reason :
		 "the connection was closed");
	ERR_clear_error();
}

/**
 * laya_tls_explain() - say why a handshake failed
 * @evidence: what was seen
 * @server_name: with whom
 * @text: where to put it
 * @size: size of @text
 *
 * A certificate that does not verify is named: its issuer is often the box
 * that stands in between.
 */
void laya_tls_explain(const struct laya_tls_evidence *evidence,
		      const char *server_name, char *text, size_t size)
{
	int n;

	n = snprintf(text, size, "TLS with %.100s: %.100s", server_name,
		     evidence->error);
	if (evidence->have_certificate && !evidence->verified && n > 0 &&
	    (size_t)n < size)
		snprintf(text + n, size - n,
			 " (certificate of %.80s, issued by %.80s: %.80s)",
			 evidence->subject, evidence->issuer,
			 evidence->problem);
}

/* As a web server without h2 does */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned int in_len, void *data)
{
	static const char http[] = "http/1.1";
	unsigned int i;

	(void)ssl;
	(void)data;
	for (i = 0; i + 1 < in_len && i + 1 + in[i] <= in_len; i += 1 + in[i]) {
		if (in[i] == strlen(http) &&
		    !memcmp(in + i + 1, http, strlen(http))) {
			*out = in + i + 1;
			*out_len = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static X509 *self_sign(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name;
	uint64_t serial;

	if (!certificate || RAND_bytes((uint8_t *)&serial, sizeof(serial)) != 1)
		goto err;
	name = X509_get_subject_name(certificate);
	if (!X509_set_version(certificate, X509_VERSION_3) ||
	    !ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate),
				     serial >> 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) ||
	    !X509_gmtime_adj(X509_getm_notAfter(certificate), TEN_YEARS) ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					(const uint8_t *)"localhost", -1, -1,
					0) ||
	    !X509_set_issuer_name(certificate, name) ||
	    !X509_set_pubkey(certificate, key) ||
	    !X509_sign(certificate, key, EVP_sha256()))
		goto err;
	return certificate;

err:
	X509_free(certificate);
	return NULL;
}

/* A new file of mode 0600 that is there whole or not at all */
static int write_file(const char *path, EVP_PKEY *key, X509 *certificate)
{
	char part[4200];
	FILE *file;
	int fd;
	bool ok;

	snprintf(part, sizeof(part), "%s.new", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "w");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	ok = key ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) :
		   PEM_write_X509(file, certificate);
	ok &= fclose(file) == 0;
	if (!ok || rename(part, path)) {
		unlink(part);
		return -EIO;
	}
	return 0;
}

static int use_own(SSL_CTX *ctx, const char *state_dir)
{
	char certificate_path[4160];
	char key_path[4160];
	EVP_PKEY *key = NULL;
	X509 *certificate = NULL;
	int ret = 0;

	if (state_dir) {
		snprintf(certificate_path, sizeof(certificate_path), "%s/%s",
			 state_dir, CERTIFICATE_FILE);
		snprintf(key_path, sizeof(key_path), "%s/%s", state_dir,
			 KEY_FILE);
		if (!access(key_path, F_OK) &&
		    SSL_CTX_use_certificate_chain_file(ctx,
						       certificate_path) &&
		    SSL_CTX_use_PrivateKey_file(ctx, key_path,
						SSL_FILETYPE_PEM) &&
		    SSL_CTX_check_private_key(ctx))
			return 0;
	}
	ERR_clear_error();
	key = EVP_EC_gen("P-256");
	if (key)
		certificate = self_sign(key);
	if (!certificate || !SSL_CTX_use_certificate(ctx, certificate) ||
	    !SSL_CTX_use_PrivateKey(ctx, key))
		ret = -ENOMEM;
	if (!ret && state_dir)
		ret = write_file(key_path, key, NULL);
	if (!ret && state_dir)
		ret = write_file(certificate_path, NULL, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return ret;
}

/**
 * laya_tls_server() - make what a server needs for TLS
 * @ctx: where to put it
 * @certificate: PEM file with the certificate and those above it, or NULL
 * @key: PEM file with its key; NULL if it is in that file too
 * @state_dir: where a certificate of our own is kept if there is none; may be
 *	NULL
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * Return: 0 or a negative errno.
 */
int laya_tls_server(SSL_CTX **ctx, const char *certificate, const char *key,
		    const char *state_dir, char *msg, size_t msg_size)
{
	SSL_CTX *new = SSL_CTX_new(TLS_server_method());
	char text[LAYA_TLS_NAME_SIZE];
	int ret;

	if (!new) {
		snprintf(msg, msg_size, "out of memory");
		return -ENOMEM;
	}
	set_modes(new);
	SSL_CTX_set_alpn_select_cb(new, on_alpn, NULL);
	if (!certificate) {
		ret = use_own(new, state_dir);
		if (ret) {
			snprintf(msg, msg_size,
				 "cannot make a certificate%s%s: %s",
				 state_dir ? " in " : "",
				 state_dir ? state_dir : "", strerror(-ret));
			goto err;
		}
	} else {
		if (!key)
			key = certificate;
		ERR_clear_error();
		ret = -EINVAL;
		if (!SSL_CTX_use_certificate_chain_file(new, certificate)) {
			laya_tls_error(text);
			snprintf(msg, msg_size,
				 "cannot use the certificate in %s: %s",
				 certificate, text);
			goto err;
		}
		if (!SSL_CTX_use_PrivateKey_file(new, key, SSL_FILETYPE_PEM) ||
		    !SSL_CTX_check_private_key(new)) {
			laya_tls_error(text);
			snprintf(msg, msg_size, "cannot use the key in %s: %s",
				 key, text);
			goto err;
		}
	}
	*ctx = new;
	return 0;

err:
	SSL_CTX_free(new);
	ERR_clear_error();
	return ret;
}
