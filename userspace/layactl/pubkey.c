// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include "layactl.h"

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' }, {}
	};
	char text[LAYA_KEY_TEXT_SIZE + 16] = "";
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	struct ctl ctl = {};
	size_t len;
	int option;
	int err;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return ctl_option(&ctl, verb, option);
	if (optind < argc)
		return ctl_usage(verb, "takes no arguments; the private key comes from standard input");

	len = fread(text, 1, sizeof(text) - 1, stdin);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	err = strlen(text) != len || laya_key_decode(private_key, text) ||
	      laya_key_public(public_key, private_key);
	sodium_memzero(private_key, sizeof(private_key));
	sodium_memzero(text, sizeof(text));
	if (err)
		return ctl_fail("standard input: not a key; it should be the %d characters that layactl genkey prints",
				LAYA_KEY_TEXT_LEN);
	laya_key_encode(text, public_key);
	puts(text);
	return fflush(stdout) ? ctl_fail("standard output: cannot write") :
	       CTL_OK;
}

const struct verb verb_pubkey = {
	.name = "pubkey",
	.run = run,
	.synopsis = "[-h] < PRIVATE-KEY-FILE",
	.summary = "Read a private key and print its public key",
	.help = CTL_HELP_HELP
		"\nExample: layactl pubkey < /etc/laya/private.key\n",
};
