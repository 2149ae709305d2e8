// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "layactl.h"
#include "orchid.h"

static int add(struct ctl *ctl, const struct verb *verb, int argc, char **argv,
	       const char *psk_file)
{
	char host[LAYA_CONFIG_HOST_SIZE];
	const char *endpoint = NULL;
	uint8_t key[LAYA_KEY_SIZE];
	uint16_t port = 0;
	char *path = NULL;
	json_t *request;

	if (argc == 4 && !strcmp(argv[2], "endpoint"))
		endpoint = argv[3];
	else if (argc != 2)
		return ctl_usage(verb, "peer add NAME PUBLIC-KEY [endpoint HOST:PORT]");
	if (!laya_config_name_valid(argv[0]))
		return ctl_usage(verb, "\"%s\" is no name: letters in lower case, digits and, inside, \"-\"",
				 argv[0]);
	if (laya_key_decode_public(key, argv[1]))
		return ctl_usage(verb, "%s: not a public key", argv[1]);
	if (endpoint && laya_config_parse_endpoint(endpoint, host,
						   sizeof(host), &port))
		return ctl_usage(verb, "\"%s\" is not an address: HOST:PORT, or [IPv6 address]:PORT",
				 endpoint);
	if (psk_file) {
		path = realpath(psk_file, NULL);
		if (!path)
			return ctl_fail("%s: %m", psk_file);
	}
	request = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "cmd", "peer-add",
			    "name", argv[0], "public-key", argv[1], "psk-file",
			    path, "endpoint", endpoint);
	free(path);
	return ctl_control(ctl, request, NULL);
}

static int del(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	if (argc != 1)
		return ctl_usage(verb, "peer del PEER");
	return ctl_control(ctl, json_pack("{s:s, s:s}", "cmd", "peer-del",
					  "peer", argv[0]), NULL);
}

static int list(struct ctl *ctl, const struct verb *verb, int argc)
{
	char msg[LAYA_CONFIG_ERROR_SIZE];
	json_t *array = json_array();
	struct names names;
	size_t i;

	if (argc)
		return ctl_usage(verb, "peer list takes no arguments");
	if (ctl_names(ctl, ctl->device, &names, msg, sizeof(msg))) {
		json_decref(array);
		return ctl_fail("%s", msg);
	}
	for (i = 0; i < names.n; i++) {
		const struct name *name = &names.list[i];
		char key[LAYA_KEY_TEXT_SIZE];
		char text[FORMAT_SIZE];
		struct in6_addr addr;

		if (laya_orchid_from_key(&addr, name->key))
			continue;
		laya_key_encode(key, name->key);
		format_orchid(text, &addr);
		if (ctl->json)
			json_array_append_new(array,
					      json_pack("{s:s*, s:s, s:s}",
							"name",
							name->name[0] ?
							name->name : NULL,
							"public-key", key,
							"orchid", text));
		else
			printf("%s%-16s%s %s %s\n", colour(BOLD),
			       name->name[0] ? name->name : "-",
			       colour(PLAIN), key, text);
	}
	ctl_names_free(&names);
	if (ctl->json)
		return ctl_print_json(array, JSON_INDENT(2));
	json_decref(array);
	return CTL_OK;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG, { "psk-file", required_argument, NULL, 'p' }, {}
	};
	const char *psk_file = NULL;
	struct ctl ctl = {};
	const char *what;
	int option;
	int err;

	while ((option = getopt_long(argc, argv, CTL_SHORT "p:", options,
				     NULL)) != -1) {
		if (option == 'p') {
			psk_file = optarg;
			continue;
		}
		err = ctl_option(&ctl, verb, option);
		if (err != CTL_GO_ON)
			return err;
	}
	if (optind == argc)
		return ctl_usage(verb, "add, del or list?");
	what = argv[optind++];
	argc -= optind;
	argv += optind;
	if (psk_file && strcmp(what, "add"))
		return ctl_usage(verb, "--psk-file is for peer add");
	if (!strcmp(what, "add"))
		return add(&ctl, verb, argc, argv, psk_file);
	if (!strcmp(what, "del"))
		return del(&ctl, verb, argc, argv);
	if (!strcmp(what, "list"))
		return list(&ctl, verb, argc);
	return ctl_usage(verb, "\"%s\" is none of add, del, list", what);
}

const struct verb verb_peer = {
	.name = "peer",
	.run = run,
	.synopsis = "add [-p FILE] NAME PUBLIC-KEY [endpoint HOST:PORT] | del PEER | list [-j]",
	.summary = "Add, delete and list peers of a running layad",
	.help = "  -p, --psk-file FILE pre-shared key of the new peer\n"
		CTL_HELP CTL_HELP_JSON CTL_HELP_HELP
		"\nAt its endpoint a peer is asked without a rendezvous.\n"
		"PEER is a name or a public key. What is added here is forgotten when layad\n"
		"ends; the configuration is for what should stay.\n",
};
