// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

/**
 * struct run - one run of the verb
 * @ctl: options
 * @nl: the connection
 * @config: for --show-keys, or NULL
 * @array: for -j
 * @n: devices shown
 */
struct run {
	struct ctl ctl;
	struct laya_nl *nl;
	const struct laya_config *config;
	json_t *array;
	unsigned int n;
};

static int each_device(void *ctx, const struct laya_nl_device *device)
{
	struct run *run = ctx;
	struct show *show;
	char msg[LAYA_CONFIG_ERROR_SIZE];
	int err;

	if (run->ctl.device && strcmp(run->ctl.device, device->ifname))
		return 0;
	show = calloc(1, sizeof(*show));
	if (!show)
		return -ENOMEM;
	show->device = *device;
	if (run->config && !strcmp(run->config->device, device->ifname))
		show->config = run->config;
	err = show_read(show, run->nl);
	if (err)
		goto out;
	/* Names are for reading only: without them there are the keys. */
	if (ctl_names(&run->ctl, device->ifname, &show->names, msg,
		      sizeof(msg)) && run->ctl.config)
		ctl_fail("%s", msg);

	if (run->ctl.json) {
		json_array_append_new(run->array, show_json(show));
	} else {
		if (run->n)
			putchar('\n');
		show_text(show);
	}
	run->n++;
out:
	show_free(show);
	free(show);
	return err;
}

static int show(struct run *run)
{
	int err;

	run->nl = ctl_netlink();
	if (!run->nl)
		return CTL_FAILURE;
	run->array = json_array();
	err = laya_nl_device_dump(run->nl, each_device, run);
	if (err) {
		err = ctl_fail("%s", err == -ENOMEM ? "out of memory" :
			       laya_nl_strerror(run->nl));
	} else if (run->ctl.device && !run->n) {
		err = ctl_fail("%s: no such Laya device here",
			       run->ctl.device);
	} else if (run->ctl.json) {
		json_incref(run->array);
		err = ctl_print_json(run->array, JSON_INDENT(2));
	}
	json_decref(run->array);
	laya_nl_close(run->nl);
	return err;
}

static int run_show(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG, { "show-keys", no_argument, NULL, 'k' }, {}
	};
	struct laya_config_error error;
	struct laya_config config = {};
	struct run run = {};
	bool keys = false;
	int option;
	int err;

	while ((option = getopt_long(argc, argv, CTL_SHORT, options,
				     NULL)) != -1) {
		if (option == 'k') {
			keys = true;
			continue;
		}
		err = ctl_option(&run.ctl, verb, option);
		if (err != CTL_GO_ON)
			return err;
	}
	if (optind < argc && !run.ctl.device)
		run.ctl.device = argv[optind++];
	if (optind < argc)
		return ctl_usage(verb, "one device at most");

	/* The kernel has no private key: only the configuration tells it. */
	if (keys) {
		if (laya_config_load(run.ctl.config ? run.ctl.config :
				     LAYA_DEFAULT_CONFIG, &config, &error))
			return ctl_fail("%s", error.text);
		run.config = &config;
	}
	err = show(&run);
	laya_config_free(&config);
	return err;
}

const struct verb verb_show = {
	.name = "show",
	.run = run_show,
	.synopsis = "[-j] [--show-keys] [-c FILE] [DEVICE]",
	.summary = "Show devices, peers, the paths in use, labels and drops",
	.help = "      --show-keys     show the private and the pre-shared keys too\n"
		CTL_HELP CTL_HELP_JSON CTL_HELP_HELP
		"\nKeys of sessions are never shown: the kernel does not tell them.\n",
};
