// SPDX-License-Identifier: GPL-2.0
/* Why a peer is reached as it is, or is not reached. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "explain.h"

#define POLL_MS		200

/**
 * struct explain - one run of the verb
 * @ctl: options
 * @wait: seconds for something to come of it
 * @nl: the kernel
 * @device: the device
 * @peer: who is asked about
 */
struct explain {
	struct ctl ctl;
	double wait;
	struct laya_nl *nl;
	struct laya_nl_device device;
	struct name peer;
};

/**
 * struct lists - where paths are put
 * @key: of the peer
 * @peer: its paths
 * @others: those of forwarders are among them
 */
struct lists {
	const uint8_t *key;
	json_t *peer;
	json_t *others;
};

static int each_path(void *ctx, const struct laya_nl_path *path)
{
	struct lists *lists = ctx;
	json_t *object = json_path(path);

	json_object_set_new(object, "public-key", json_key(path->public_key));
	return json_array_append_new(laya_key_equal(path->public_key,
						    lists->key) ?
				     lists->peer : lists->others, object) ?
		-ENOMEM : 0;
}

/* What layad says, or why it says nothing: the kernel goes on without it. */
static json_t *ask_layad(const struct explain *explain, bool attempt)
{
	char key[LAYA_KEY_TEXT_SIZE];
	json_t *reply = NULL;
	json_t *request;
	char msg[512];
	int fd;

	laya_key_encode(key, explain->peer.key);
	fd = laya_control_connect(explain->device.ifname, msg, sizeof(msg));
	if (fd >= 0) {
		request = json_pack("{s:s, s:s, s:b}", "cmd", "explain",
				    "peer", key, "attempt", attempt);
		laya_control_request(fd, request, &reply, msg, sizeof(msg));
		json_decref(request);
		close(fd);
	}
	if (!reply)
		return json_pack("{s:s, s:s, s:s*}", "layad", msg,
				 "public-key", key, "name",
				 *explain->peer.name ? explain->peer.name :
				 NULL);
	json_object_del(reply, "ok");
	return reply;
}

static json_t *read_facts(const struct explain *explain, bool attempt)
{
	struct lists lists = {
		.key = explain->peer.key,
		.peer = json_array(),
		.others = json_array(),
	};
	json_t *facts = ask_layad(explain, attempt);

	laya_nl_path_dump(explain->nl, explain->device.ifindex, NULL,
			  each_path, &lists);
	json_object_set_new(facts, "paths", lists.peer);
	json_object_set_new(facts, "other-paths", lists.others);
	return facts;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int run_explain(struct explain *explain)
{
	const struct timespec nap = { .tv_nsec = POLL_MS * 1000000 };
	double end = now() + explain->wait;
	json_t *facts;
	int status;

	facts = read_facts(explain, explain->wait > 0);
	while (now() < end && !explain_settled(facts)) {
		nanosleep(&nap, NULL);
		json_decref(facts);
		facts = read_facts(explain, false);
	}
	explain_judge(facts);
	status = json_is_true(json_object_get(facts, "connected")) ?
		CTL_OK : CTL_FAILURE;
	if (explain->ctl.json)
		return ctl_print_json(facts, JSON_INDENT(2)) ? : status;
	explain_text(facts, stdout);
	json_decref(facts);
	return status;
}

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG, { "wait", required_argument, NULL, 'W' }, {}
	};
	struct explain explain = { .wait = 15 };
	int option;
	int err;

	while ((option = getopt_long(argc, argv, CTL_SHORT "W:", options,
				     NULL)) != -1) {
		if (option == 'W') {
			if (!ctl_number(optarg, 0, 3600, &explain.wait))
				return ctl_usage(verb, "\"%s\" is no time in seconds",
						 optarg);
			continue;
		}
		err = ctl_option(&explain.ctl, verb, option);
		if (err != CTL_GO_ON)
			return err;
	}
	if (argc - optind != 1)
		return ctl_usage(verb, "one PEER, please");
	err = ctl_peer(&explain.ctl, argv[optind], &explain.peer);
	if (err)
		return err;
	explain.nl = ctl_netlink();
	if (!explain.nl)
		return CTL_FAILURE;
	err = ctl_device(&explain.ctl, explain.nl, &explain.device);
	if (!err)
		err = run_explain(&explain);
	laya_nl_close(explain.nl);
	return err;
}

const struct verb verb_explain = {
	.name = "explain",
	.run = run,
	.synopsis = "[-j] [-W SECONDS] [-c FILE] PEER",
	.summary = "Tell why a peer is reached as it is, or is not reached",
	.help = "  -W, --wait SECONDS  wait for handshakes and probes (15); 0 tries nothing\n"
		CTL_HELP CTL_HELP_JSON CTL_HELP_HELP
		"\nPEER is a name or a public key. The exit status is 0 if it is connected.\n",
};
