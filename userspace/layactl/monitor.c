// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "layactl.h"

/**
 * struct monitor - what the callbacks need
 * @ctl: options
 * @names: of peers
 * @ifindex: events of this device only, or 0
 * @failed: standard output has
 */
struct monitor {
	struct ctl ctl;
	struct names names;
	uint32_t ifindex;
	bool failed;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static const char *who(const struct monitor *m, const uint8_t *key,
		       char text[LAYA_KEY_TEXT_SIZE])
{
	const char *name = names_find(&m->names, key);

	if (name)
		return name;
	laya_key_encode(text, key);
	return text;
}

static bool skip(const struct monitor *m, uint32_t ifindex)
{
	return m->ifindex && ifindex != m->ifindex;
}

/* One event; @rest is taken, @text is for people */
static void emit(struct monitor *m, const char *event, uint32_t ifindex,
		 const uint8_t *key, json_t *rest, const char *text)
{
	char buf[LAYA_KEY_TEXT_SIZE];
	char device[IF_NAMESIZE] = "";
	struct timeval now;
	json_t *object;
	char time[32];
	struct tm tm;

	gettimeofday(&now, NULL);
	if_indextoname(ifindex, device);
	if (m->ctl.json) {
		object = json_pack("{s:s, s:f, s:s, s:i}", "event", event,
				   "time", now.tv_sec + now.tv_usec / 1e6,
				   "device", device, "ifindex", ifindex);
		if (key) {
			const char *name = names_find(&m->names, key);

			json_object_set_new(object, "public-key",
					    json_key(key));
			if (name)
				json_object_set_new(object, "name",
						    json_string(name));
		}
		if (rest)
			json_object_update(object, rest);
		json_dumpf(object, stdout,
			   JSON_COMPACT | JSON_REAL_PRECISION(16));
		json_decref(object);
		putchar('\n');
	} else {
		localtime_r(&now.tv_sec, &tm);
		strftime(time, sizeof(time), "%H:%M:%S", &tm);
		printf("%s.%03ld %s %s%s%s%s%s%s%s\n", time,
		       (long)now.tv_usec / 1000, device, colour(CYAN), event,
		       colour(PLAIN), key ? " " : "", colour(BOLD),
		       key ? who(m, key, buf) : "", colour(PLAIN));
		if (*text)
			printf("    %s\n", text);
	}
	json_decref(rest);
	if (fflush(stdout))
		m->failed = true;
}

static void on_wanted(void *ctx, const struct laya_nl_peer *peer)
{
	struct monitor *m = ctx;

	if (!skip(m, peer->ifindex))
		emit(m, "peer-wanted", peer->ifindex, peer->public_key, NULL,
		     "");
}

static void on_aging(void *ctx, const struct laya_nl_session *session)
{
	const char *reason = laya_nl_aging_name(session->reason);
	struct monitor *m = ctx;

	if (!skip(m, session->ifindex))
		emit(m, "session-aging", session->ifindex,
		     session->public_key, json_pack("{s:s}", "reason", reason),
		     reason);
}

static void on_path(void *ctx, const struct laya_nl_path *path)
{
	char remote[LAYA_ADDRESS_TEXT_SIZE] = "?";
	struct monitor *m = ctx;
	char text[256];
	char rtt[FORMAT_SIZE];

	if (skip(m, path->ifindex))
		return;
	if (laya_nl_has(path, LAYA_A_PATH_REMOTE))
		laya_address_format(remote, &path->remote);
	snprintf(text, sizeof(text), "path %u %s/%s %s %s%s%s%s", path->path_id,
		 laya_nl_kind_name(path->kind),
		 laya_nl_carrier_name(path->carrier_type), remote,
		 laya_nl_state_name(path->state),
		 laya_nl_has(path, LAYA_A_PATH_IN_USE) ? ", in use" : "",
		 path->rtt_us ? ", rtt " : "",
		 path->rtt_us ? format_rtt(rtt, path->rtt_us) : "");
	emit(m, "path-changed", path->ifindex, path->public_key,
	     json_path(path), text);
}

static void on_lost(void *ctx, const struct laya_nl_carrier *carrier)
{
	const char *type = laya_nl_carrier_name(carrier->type);
	struct monitor *m = ctx;
	char text[128];

	snprintf(text, sizeof(text), "carrier %u %s: %s", carrier->carrier_id,
		 type, strerror(carrier->error));
	if (!skip(m, carrier->ifindex))
		emit(m, "carrier-lost", carrier->ifindex, NULL,
		     json_pack("{s:s, s:i, s:s}", "carrier", type,
			       "carrier-id", carrier->carrier_id, "reason",
			       strerror(carrier->error)), text);
}

static void on_overrun(void *ctx)
{
	emit(ctx, "overrun", 0, NULL, NULL, "events were lost");
}

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = { CTL_LONG, {} };
	static const struct laya_nl_event_ops ops = {
		.peer_wanted = on_wanted,
		.session_aging = on_aging,
		.path_changed = on_path,
		.carrier_lost = on_lost,
		.overrun = on_overrun,
	};
	struct sigaction action = { .sa_handler = stop };
	struct monitor m = {};
	struct pollfd pfd = { .events = POLLIN };
	struct laya_nl *nl;
	char msg[512];
	int status = CTL_OK;
	int option;
	int err;

	while ((option = getopt_long(argc, argv, CTL_SHORT, options,
				     NULL)) != -1) {
		err = ctl_option(&m.ctl, verb, option);
		if (err != CTL_GO_ON)
			return err;
	}
	if (optind < argc)
		return ctl_usage(verb, "takes no arguments");
	if (m.ctl.device) {
		m.ifindex = if_nametoindex(m.ctl.device);
		if (!m.ifindex)
			return ctl_fail("%s: no such device", m.ctl.device);
	}
	nl = ctl_netlink();
	if (!nl)
		return CTL_FAILURE;
	if (laya_nl_events_open(nl, &ops, &m) || laya_nl_events_monitor(nl)) {
		status = ctl_fail("%s", laya_nl_strerror(nl));
		goto out;
	}
	/* Names are for reading only: without them there are the keys. */
	if (ctl_names(&m.ctl, m.ctl.device, &m.names, msg, sizeof(msg)) &&
	    m.ctl.config) {
		status = ctl_fail("%s", msg);
		goto out;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	pfd.fd = laya_nl_events_fd(nl);
	while (!stopped && !m.failed && !status) {
		err = poll(&pfd, 1, -1);
		if (err < 0 && errno != EINTR)
			status = ctl_fail("poll: %m");
		if (err > 0 && laya_nl_events_dispatch(nl))
			status = ctl_fail("%s", laya_nl_strerror(nl));
	}
	if (m.failed)
		status = CTL_FAILURE;
out:
	ctl_names_free(&m.names);
	laya_nl_close(nl);
	return status;
}

const struct verb verb_monitor = {
	.name = "monitor",
	.run = run,
	.synopsis = "[-j] [-d NAME] [-c FILE]",
	.summary = "Print what happens: peers wanted, sessions aging, paths changing",
	.help = CTL_HELP CTL_HELP_JSON CTL_HELP_HELP
		"\nWith -j, one object a line. Ends at SIGINT.\n",
};
