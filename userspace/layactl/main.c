// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "layactl.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const struct verb *const verbs[] = {
	&verb_show, &verb_explain, &verb_check, &verb_ping, &verb_nc,
	&verb_addr, &verb_peer, &verb_monitor, &verb_genkey, &verb_pubkey, &verb_genpsk,
};

static void help(FILE *stream)
{
	size_t i;

	fputs("Usage: layactl VERB [ARGUMENTS]\n\n"
	      "Look at Laya, and try it. Without arguments: show.\n\n", stream);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(stream, "  %-9s %s\n", verbs[i]->name,
			verbs[i]->summary);
	fputs("\nlayactl VERB --help tells the arguments of each; layactl(8) tells all.\n",
	      stream);
}

int main(int argc, char **argv)
{
	static char show[] = "show";
	static char *default_argv[] = { show, NULL };
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0)
		return ctl_fail("libsodium cannot start");

	if (argc < 2)
		return verb_show.run(&verb_show, 1, default_argv);
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "help")) {
		help(stdout);
		return CTL_OK;
	}
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i]->name))
			return verbs[i]->run(verbs[i], argc - 1, argv + 1);

	fprintf(stderr, "layactl: no verb \"%s\"\n\n", argv[1]);
	help(stderr);
	return CTL_USAGE;
}
