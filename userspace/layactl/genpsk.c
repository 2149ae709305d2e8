// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "layactl.h"

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' }, {}
	};
	char text[LAYA_KEY_TEXT_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	struct ctl ctl = {};
	struct stat st;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return ctl_option(&ctl, verb, option);
	if (optind < argc)
		return ctl_usage(verb, "takes no arguments");

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) &&
	    st.st_mode & (S_IRWXG | S_IRWXO))
		fputs("layactl: warning: others may read that file; umask 077 first\n",
		      stderr);
	if (laya_key_generate_psk(key))
		return ctl_fail("libsodium cannot start");
	laya_key_encode(text, key);
	puts(text);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return fflush(stdout) ? ctl_fail("standard output: cannot write") :
	       CTL_OK;
}

const struct verb verb_genpsk = {
	.name = "genpsk",
	.run = run,
	.synopsis = "[-h]",
	.summary = "Make a pre-shared key and print it",
	.help = CTL_HELP_HELP
		"\nExample: (umask 077; layactl genpsk > /etc/laya/bob.psk)\n",
};
