/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An authority, and a certificate of it.
 */
#ifndef LAYA_CERTIFICATE_H
#define LAYA_CERTIFICATE_H

#include <stdio.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static inline X509 *make_certificate(const char *name, EVP_PKEY *key,
				     X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);
	X509_EXTENSION *extension;
	char text[256];

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), issuer ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
				   (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer) :
			     subject);
	X509_set_pubkey(x509, key);
	snprintf(text, sizeof(text), issuer ? "DNS:%s" : "critical,CA:TRUE",
		 name);
	extension = X509V3_EXT_conf_nid(NULL, NULL, issuer ?
					NID_subject_alt_name :
					NID_basic_constraints, text);
	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
	X509_sign(x509, issuer_key, EVP_sha256());
	return x509;
}

/* @ca gets the authority, @file a certificate for @name and its key */
static inline void make_certificates(const char *ca, const char *ca_name,
				     const char *file, const char *name)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256");
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *root = make_certificate(ca_name, ca_key, NULL, ca_key);
	X509 *leaf = make_certificate(name, key, root, ca_key);
	FILE *out;

	out = fopen(ca, "w");
	PEM_write_X509(out, root);
	fclose(out);
	out = fopen(file, "w");
	PEM_write_X509(out, leaf);
	PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	fclose(out);
	X509_free(root);
	X509_free(leaf);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
}

#endif /* LAYA_CERTIFICATE_H */
