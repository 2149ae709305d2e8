// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <sodium.h>

#include "kernel.h"
#include "log.h"
#include "node.h"

#ifndef LAYA_VERSION
#define LAYA_VERSION	"0.1"
#endif

enum {
	OPTION_CHECK = 256,
	OPTION_DOWN,
	OPTION_VERSION,
};

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "down", no_argument, NULL, OPTION_DOWN },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static void usage(FILE *out)
{
	fprintf(out,
		"Usage: layad [-c FILE] [-v] [--check | --down]\n"
		"The daemon of Laya: connects this node's Laya device with its peers.\n"
		"\n"
		"  -c, --config FILE   configuration (default %s)\n"
		"  -f, --foreground    stay in the foreground, as it always does\n"
		"  -v, --verbose       say more of what happens\n"
		"      --check         read the configuration, say what is wrong, and exit\n"
		"      --down          delete the device of the configuration, and exit\n"
		"      --version       print the version, and exit\n"
		"  -h, --help          print this, and exit\n"
		"\n"
		"When layad ends, its device and what it has agreed with peers stay: the\n"
		"next one goes on with them. See layad(8).\n",
		LAYA_DEFAULT_CONFIG);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

static void close_all(uv_handle_t *handle, void *data)
{
	(void)data;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int run(struct node *node)
{
	uv_signal_t term;
	uv_signal_t interrupt;
	uv_loop_t loop;
	int ret;

	ret = uv_loop_init(&loop);
	if (ret) {
		laya_error("no event loop: %s", uv_strerror(ret));
		return ret;
	}
	uv_signal_init(&loop, &term);
	uv_signal_init(&loop, &interrupt);
	uv_signal_start(&term, on_signal, SIGTERM);
	uv_signal_start(&interrupt, on_signal, SIGINT);

	ret = node_init(node, &loop);
	if (!ret)
		ret = node_start(node);
	if (!ret) {
		uv_run(&loop, UV_RUN_DEFAULT);
		laya_info("ending; %s stays up with what it has",
			  node->config.device);
	}
	node_stop(node);
	uv_close((uv_handle_t *)&term, NULL);
	uv_close((uv_handle_t *)&interrupt, NULL);
	/* A name that is being looked up is not waited for. */
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	if (uv_loop_close(&loop) == UV_EBUSY) {
		uv_walk(&loop, close_all, NULL);
		uv_run(&loop, UV_RUN_NOWAIT);
		uv_loop_close(&loop);
	}
	return ret;
}

static int load(struct node *node, const char *file)
{
	struct laya_config_error error;

	if (laya_config_load(file, &node->config, &error)) {
		laya_error("%s", error.text);
		return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct node node;
	const struct rlimit no_core = {};
	struct rlimit files;
	const char *file = LAYA_DEFAULT_CONFIG;
	bool verbose = false;
	bool check = false;
	bool down = false;
	int option;
	int ret;

	while ((option = getopt_long(argc, argv, "c:fvh", options,
				     NULL)) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 'f':
			break;
		case 'v':
			verbose = true;
			break;
		case OPTION_CHECK:
			check = true;
			break;
		case OPTION_DOWN:
			down = true;
			break;
		case OPTION_VERSION:
			printf("layad %s\n", LAYA_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return 2;
		}
	}
	laya_log_open("layad", verbose ? LAYA_LOG_DEBUG : LAYA_LOG_INFO);
	if (optind < argc || (check && down)) {
		if (optind < argc)
			fprintf(stderr, "layad: what is \"%s\"?\n",
				argv[optind]);
		usage(stderr);
		return 2;
	}

	/* The private key is in our memory. */
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
	/* A connection that is pumped takes three descriptors. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0) {
		laya_error("libsodium cannot be used: no randomness?");
		return EXIT_FAILURE;
	}
	if (load(&node, file))
		return EXIT_FAILURE;
	if (check) {
		printf("%s: fine: %zu peers, %zu rendezvous, %zu relays\n",
		       file, node.config.n_peers, node.config.n_rendezvous,
		       node.config.n_relays);
		laya_config_free(&node.config);
		return EXIT_SUCCESS;
	}
	if (down) {
		ret = kernel_down(node.config.device);
		laya_config_free(&node.config);
		return ret ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	return run(&node) ? EXIT_FAILURE : EXIT_SUCCESS;
}
