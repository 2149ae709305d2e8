// SPDX-License-Identifier: GPL-2.0
#include "layactl.h"
#include "orchid.h"

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = { CTL_LONG, {} };
	struct ctl ctl = {};
	struct in6_addr addr;
	struct name peer;
	char text[FORMAT_SIZE];
	int option;
	int err;

	while ((option = getopt_long(argc, argv, CTL_SHORT, options,
				     NULL)) != -1) {
		err = ctl_option(&ctl, verb, option);
		if (err != CTL_GO_ON)
			return err;
	}
	if (argc - optind != 1)
		return ctl_usage(verb, "one PEER, please");
	err = ctl_peer(&ctl, argv[optind], &peer);
	if (err)
		return err;
	if (laya_orchid_from_key(&addr, peer.key))
		return ctl_fail("libsodium cannot start");
	if (ctl.json)
		return ctl_print_json(json_pack("{s:s*, s:o, s:o}", "name",
						*peer.name ? peer.name : NULL,
						"public-key",
						json_key(peer.key), "orchid",
						json_orchid(&addr)),
				      JSON_INDENT(2));
	puts(format_orchid(text, &addr));
	return CTL_OK;
}

const struct verb verb_addr = {
	.name = "addr",
	.run = run,
	.synopsis = "[-j] [-c FILE] PEER",
	.summary = "Print the IPv6 address (ORCHID) of a peer",
	.help = CTL_HELP CTL_HELP_JSON CTL_HELP_HELP
		"\nPEER is a name or a public key.\n"
		"Example: ssh $(layactl addr bob)\n",
};
