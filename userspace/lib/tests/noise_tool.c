// SPDX-License-Identifier: GPL-2.0
/*
 * One side of a Noise session on stdin and stdout, for noise_interop.py.
 *
 * A command a line, its arguments in hexadecimal, "-" for one that is empty or
 * absent:
 *
 *	init xk|ikpsk2 initiator|responder PROLOGUE STATIC REMOTE PSK
 *	psk PSK			laya_noise_set_psk()
 *	write PAYLOAD		the next handshake message
 *	read MESSAGE		its payload
 *	remote			the remote static key
 *	hash			the handshake hash
 *	split			start the transport
 *	seal AD TEXT		the next transport message
 *	open AD MESSAGE		what is in it
 *
 * The answer is a line too: "ok", "ok HEX", or "error ERRNAME".
 */
#define _GNU_SOURCE	/* strerrorname_np() */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "../noise.h"

#define MAX_ARGS	7
#define LINE_SIZE	(4 * LAYA_NOISE_MAX_MESSAGE)

static struct laya_noise_cipher receive_cipher;
static struct laya_noise_cipher send_cipher;
static struct laya_noise hs;

struct bytes {
	uint8_t data[LAYA_NOISE_MAX_MESSAGE];
	size_t len;
};

static struct bytes in[MAX_ARGS];
static struct bytes out;
static char line[LINE_SIZE];
static char hex[2 * LAYA_NOISE_MAX_MESSAGE + 1];

static bool parse(struct bytes *b, const char *text)
{
	b->len = 0;
	return !strcmp(text, "-") ||
	       !sodium_hex2bin(b->data, sizeof(b->data), text, strlen(text),
			       NULL, &b->len, NULL);
}

static const uint8_t *key_or_null(const struct bytes *b)
{
	return b->len == LAYA_KEY_SIZE ? b->data : NULL;
}

static int run_init(char **words)
{
	const bool initiator = !strcmp(words[2], "initiator");
	enum laya_noise_pattern pattern = LAYA_NOISE_XK;
	int i;

	if (!strcmp(words[1], "ikpsk2"))
		pattern = LAYA_NOISE_IK_PSK2;
	for (i = 3; i < 7; i++)
		if (!parse(&in[i], words[i]))
			return -EINVAL;
	if (in[4].len != LAYA_KEY_SIZE)
		return -EINVAL;
	return laya_noise_init(&hs, pattern, initiator, in[3].data, in[3].len,
			       in[4].data, key_or_null(&in[5]),
			       key_or_null(&in[6]));
}

static int run_split(void)
{
	uint8_t send_key[LAYA_KEY_SIZE];
	uint8_t receive_key[LAYA_KEY_SIZE];
	int err;

	err = laya_noise_split(&hs, send_key, receive_key);
	if (err)
		return err;
	laya_noise_cipher_init(&send_cipher, send_key);
	laya_noise_cipher_init(&receive_cipher, receive_key);
	return 0;
}

static int run(char **words, int count)
{
	const char *verb = words[0];

	out.len = 0;
	if (!strcmp(verb, "init") && count == 7)
		return run_init(words);
	if (!strcmp(verb, "split") && count == 1)
		return run_split();
	if (!strcmp(verb, "remote") && count == 1) {
		out.len = LAYA_KEY_SIZE;
		return laya_noise_remote_static(&hs, out.data);
	}
	if (!strcmp(verb, "hash") && count == 1) {
		out.len = LAYA_NOISE_HASH_SIZE;
		return laya_noise_handshake_hash(&hs, out.data);
	}

	if (count < 2 || !parse(&in[1], words[1]))
		return -EINVAL;
	if (!strcmp(verb, "psk") && in[1].len == LAYA_KEY_SIZE)
		return laya_noise_set_psk(&hs, in[1].data);
	if (!strcmp(verb, "write"))
		return laya_noise_write_message(&hs, in[1].data, in[1].len,
						out.data, sizeof(out.data),
						&out.len);
	if (!strcmp(verb, "read"))
		return laya_noise_read_message(&hs, in[1].data, in[1].len,
					       out.data, sizeof(out.data),
					       &out.len);

	if (count < 3 || !parse(&in[2], words[2]))
		return -EINVAL;
	if (!strcmp(verb, "seal"))
		return laya_noise_cipher_encrypt(&send_cipher, in[1].data,
						 in[1].len, in[2].data,
						 in[2].len, out.data,
						 sizeof(out.data), &out.len);
	if (!strcmp(verb, "open"))
		return laya_noise_cipher_decrypt(&receive_cipher, in[1].data,
						 in[1].len, in[2].data,
						 in[2].len, out.data,
						 sizeof(out.data), &out.len);
	return -EINVAL;
}

int main(void)
{
	char *words[MAX_ARGS];
	int count;
	int err;
	char *w;

	while (fgets(line, sizeof(line), stdin)) {
		count = 0;
		for (w = strtok(line, "\n "); w && count < MAX_ARGS;
		     w = strtok(NULL, "\n "))
			words[count++] = w;
		err = count ? run(words, count) : -EINVAL;
		if (err) {
			printf("error %s\n", strerrorname_np(-err));
		} else if (out.len) {
			sodium_bin2hex(hex, sizeof(hex), out.data, out.len);
			printf("ok %s\n", hex);
		} else {
			printf("ok\n");
		}
		fflush(stdout);
	}
	return 0;
}
