// SPDX-License-Identifier: GPL-2.0
/*
 * laya-rendezvous: knows which key is connected where, and passes sealed
 * messages between them; with --relay, their packets too.  See
 * laya-rendezvous(8).
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sodium.h>

#include "log.h"
#include "relay.h"
#include "server.h"

#ifndef LAYA_VERSION
#define LAYA_VERSION	"0.1"
#endif

/* Descriptors that are not clients: listeners, the loop, the log, ... */
#define OTHER_FDS	64
/* Nodes that attach, and their carriers; but no more than a fourth of all */
#define RELAY_FDS	4096
/* Where hosts attach, TCP and UDP */
#define RELAY_PORT	5292
/* 10 Gbit/s */
#define MAX_RATE	1250000000
#define MAX_HOSTS	1000000

enum {
	OPTION_RELAY_PORT = 256,
	OPTION_RELAY_ADDRESS,
	OPTION_RELAY_NAME,
	OPTION_RELAY_RATE,
	OPTION_RELAY_HOSTS,
	OPTION_RELAY_TO,
	OPTION_CERTIFICATE,
	OPTION_KEY,
	OPTION_STATE_DIR,
};

/**
 * struct options - the command line
 * @listen: addresses
 * @n_listen: how many
 * @key_file: file of the private key
 * @certificate: file of the certificate for TLS, or NULL
 * @key: file of its key, or NULL
 * @state_dir: where our own certificate is kept, or NULL
 * @max_clients: connections; 0 as many as is the default
 * @verbose: log each client
 * @relay: be a relay as well
 * @relay_port: its port
 * @relay_told: its addresses; none: those that we see
 * @relay_name: its host name, or NULL
 * @relay_rate: bytes a second through one label
 * @relay_to: to which other forwarders hosts may lead it
 */
struct options {
	struct laya_address listen[SERVER_MAX_LISTENERS];
	unsigned int n_listen;
	const char *key_file;
	const char *certificate;
	const char *key;
	const char *state_dir;
	unsigned int max_clients;
	bool verbose;
	bool relay;
	uint16_t relay_port;
	struct laya_addresses relay_told;
	const char *relay_name;
	unsigned int relay_rate;
	unsigned int relay_hosts;
	enum laya_trunk_to relay_to;
};

static void usage(FILE *out)
{
	fputs("Usage: laya-rendezvous --listen ADDR:PORT --private-key FILE [OPTION]...\n"
	      "Let Laya nodes find each other.\n"
	      "\n"
	      "  -l, --listen ADDR:PORT   take connections there, e.g. 0.0.0.0:5291 or\n"
	      "                           [::]:5291 (IPv6 only); can be given several times\n"
	      "  -k, --private-key FILE   key of this server, made by \"layactl genkey\"\n"
	      "      --certificate FILE   certificate for TLS, and those above it, in PEM\n"
	      "      --key FILE           its key, if that is not in the same file\n"
	      "      --state-dir DIR      where to keep a certificate that is made if none\n"
	      "                           is given\n"
	      "  -m, --max-clients N      most connections (4096)\n"
	      "  -r, --relay              be a relay as well, at the same addresses\n"
	      "      --relay-port PORT    its port, UDP and TCP (5292)\n"
	      "      --relay-address ADDR:PORT\n"
	      "                           where nodes reach it, if not at an address of this\n"
	      "                           machine; can be given several times\n"
	      "      --relay-name NAME    its host name, for nodes behind proxies that want one\n"
	      "      --relay-rate BYTES   most bytes a second for each pair of nodes\n"
	      "                           (12500000)\n"
	      "      --relay-hosts N      most hosts that attach (16384); told to go elsewhere,\n"
	      "                           if they can, when there are nearly as many\n"
	      "      --relay-to WHERE     other forwarders that it leads hosts to which name\n"
	      "                           them: public (not at private addresses; the\n"
	      "                           default), any, or no\n"
	      "  -v, --verbose            log each client\n"
	      "  -h, --help               show this\n"
	      "  -V, --version            show the version\n"
	      "\n"
	      "SIGUSR1 prints counters; SIGTERM and SIGINT end it.\n",
	      out);
}

static int bad_usage(void)
{
	fputs("Try 'laya-rendezvous --help'.\n", stderr);
	return 2;
}

static int parse_count(const char *text, unsigned int max, unsigned int *value)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || number < 1 ||
	    number > max)
		return -EINVAL;
	*value = number;
	return 0;
}

static int parse_relay_address(struct options *options, const char *text)
{
	struct laya_addresses *told = &options->relay_told;

	if (told->n == LAYA_MAX_ADDRESSES) {
		laya_error("--relay-address: %d addresses are the limit",
			   LAYA_MAX_ADDRESSES);
		return -ENOSPC;
	}
	if (laya_address_parse(&told->list[told->n], text) ||
	    !laya_address_is_dialable(&told->list[told->n])) {
		laya_error("--relay-address %s: want the ADDRESS:PORT that nodes are to dial, as 192.0.2.1:5292 or [2001:db8::1]:5292",
			   text);
		return -EINVAL;
	}
	told->n++;
	return 0;
}

/* Return: 0 for an option of the relay; -EINVAL for a bad one, which was told. */
static int parse_relay_option(struct options *options, int option,
			      const char *text)
{
	unsigned int port;

	switch (option) {
	case 'r':
		options->relay = true;
		return 0;
	case OPTION_RELAY_PORT:
		if (parse_count(text, 65535, &port)) {
			laya_error("--relay-port %s: want a number from 1 to 65535",
				   text);
			return -EINVAL;
		}
		options->relay_port = port;
		return 0;
	case OPTION_RELAY_ADDRESS:
		return parse_relay_address(options, text);
	case OPTION_RELAY_NAME:
		if (!laya_host_name_valid(text, strlen(text))) {
			laya_error("--relay-name %s: want the name of a host, as relay.example.org, of at most %d characters",
				   text, LAYA_HOST_NAME_SIZE - 1);
			return -EINVAL;
		}
		options->relay_name = text;
		return 0;
	case OPTION_RELAY_RATE:
		if (parse_count(text, MAX_RATE, &options->relay_rate)) {
			laya_error("--relay-rate %s: want bytes a second, from 1 to %d",
				   text, MAX_RATE);
			return -EINVAL;
		}
		return 0;
	case OPTION_RELAY_HOSTS:
		if (parse_count(text, MAX_HOSTS, &options->relay_hosts)) {
			laya_error("--relay-hosts %s: want a number from 1 to %d",
				   text, MAX_HOSTS);
			return -EINVAL;
		}
		return 0;
	case OPTION_RELAY_TO:
		if (laya_trunk_to_parse(&options->relay_to, text)) {
			laya_error("--relay-to %s: want public, any or no",
				   text);
			return -EINVAL;
		}
		return 0;
	}
	return -EINVAL;
}

static bool has_relay_options(const struct options *options)
{
	return options->relay_port != 0 || options->relay_told.n > 0 ||
	       options->relay_name || options->relay_rate != 0 ||
	       options->relay_hosts != 0 ||
	       options->relay_to != LAYA_TRUNK_TO_PUBLIC;
}

/* Return: -1 to go on, or the exit status. */
static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "private-key", required_argument, NULL, 'k' },
		{ "certificate", required_argument, NULL, OPTION_CERTIFICATE },
		{ "key", required_argument, NULL, OPTION_KEY },
		{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
		{ "max-clients", required_argument, NULL, 'm' },
		{ "relay", no_argument, NULL, 'r' },
		{ "relay-port", required_argument, NULL, OPTION_RELAY_PORT },
		{ "relay-address", required_argument, NULL,
		  OPTION_RELAY_ADDRESS },
		{ "relay-name", required_argument, NULL, OPTION_RELAY_NAME },
		{ "relay-rate", required_argument, NULL, OPTION_RELAY_RATE },
		{ "relay-hosts", required_argument, NULL, OPTION_RELAY_HOSTS },
		{ "relay-to", required_argument, NULL, OPTION_RELAY_TO },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "l:k:m:rvhV", longs, NULL)) != -1) {
		switch (c) {
		case 'l':
			if (options->n_listen == SERVER_MAX_LISTENERS) {
				laya_error("--listen: %d addresses are the limit",
					   SERVER_MAX_LISTENERS);
				return 2;
			}
			if (laya_address_parse(&options->listen[options->n_listen],
					       optarg)) {
				laya_error("--listen %s: want ADDRESS:PORT, as 192.0.2.1:5291 or [2001:db8::1]:5291",
					   optarg);
				return 2;
			}
			options->n_listen++;
			break;
		case 'k':
			options->key_file = optarg;
			break;
		case OPTION_CERTIFICATE:
			options->certificate = optarg;
			break;
		case OPTION_KEY:
			options->key = optarg;
			break;
		case OPTION_STATE_DIR:
			options->state_dir = optarg;
			break;
		case 'm':
			if (parse_count(optarg, 1000000,
					&options->max_clients)) {
				laya_error("--max-clients %s: want a number from 1 to 1000000",
					   optarg);
				return 2;
			}
			break;
		case 'r':
		case OPTION_RELAY_PORT:
		case OPTION_RELAY_ADDRESS:
		case OPTION_RELAY_NAME:
		case OPTION_RELAY_RATE:
		case OPTION_RELAY_HOSTS:
		case OPTION_RELAY_TO:
			if (parse_relay_option(options, c, optarg))
				return 2;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			puts("laya-rendezvous " LAYA_VERSION);
			return 0;
		default:
			return bad_usage();
		}
	}
	if (optind < argc) {
		laya_error("unexpected argument '%s'", argv[optind]);
		return bad_usage();
	}
	if (options->n_listen == 0) {
		laya_error("--listen ADDR:PORT is missing");
		return bad_usage();
	}
	if (!options->key_file) {
		laya_error("--private-key FILE is missing");
		return bad_usage();
	}
	if (options->key && !options->certificate) {
		laya_error("--key wants --certificate");
		return bad_usage();
	}
	if (!options->relay && has_relay_options(options)) {
		laya_error("--relay-port, --relay-address, --relay-name, --relay-rate, --relay-hosts and --relay-to want --relay");
		return bad_usage();
	}
	return -1;
}

/* A client takes a descriptor; one that is pumped, by TLS for instance, three. */
static void fit_clients(struct limits *limits, bool relay)
{
	rlim_t others = OTHER_FDS + 2 * limits->half_open;
	struct rlimit rlimit;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &rlimit))
		return;
	rlimit.rlim_cur = rlimit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rlimit);
	if (getrlimit(RLIMIT_NOFILE, &rlimit) ||
	    rlimit.rlim_cur == RLIM_INFINITY)
		return;
	if (relay)
		others += rlimit.rlim_cur / 4 < RELAY_FDS ?
			  rlimit.rlim_cur / 4 : RELAY_FDS;
	most = rlimit.rlim_cur > 2 * others ? (rlimit.rlim_cur - others) / 3 :
					      OTHER_FDS;
	if (limits->clients > most) {
		laya_warning("%u clients need more open files than the limit of %llu allows: taking %llu clients",
			     limits->clients,
			     (unsigned long long)rlimit.rlim_cur,
			     (unsigned long long)most);
		limits->clients = most;
	}
}

/* Where the rendezvous is, but for the port */
static int start_relay(struct server *server,
		       const uint8_t private_key[LAYA_KEY_SIZE],
		       const struct options *options)
{
	struct laya_address address;
	struct relay_limits limits;
	struct relay *relay;
	char msg[512];
	unsigned int i;
	int ret;

	relay_limits_default(&limits);
	if (options->relay_rate != 0)
		relay_limits_rate(&limits, options->relay_rate);
	if (options->relay_hosts != 0)
		limits.hosts = options->relay_hosts;
	ret = relay_new(&relay, server->loop, private_key, &limits,
			&options->relay_told);
	if (ret) {
		laya_error("cannot relay: %s", strerror(-ret));
		return ret;
	}
	relay->trunk_to = options->relay_to;
	server_relay(server, relay, options->relay_name);
	ret = relay_open(relay, options->certificate, options->key,
			 options->state_dir, msg, sizeof(msg));
	if (ret) {
		laya_error("%s", msg);
		return ret;
	}
	for (i = 0; i < options->n_listen; i++) {
		address = options->listen[i];
		address.port = options->relay_port ? options->relay_port :
						     RELAY_PORT;
		/* The rendezvous may be there at several ports. */
		if (relay_socket_at(relay, &address))
			continue;
		ret = relay_listen(relay, &address, msg, sizeof(msg));
		if (ret) {
			laya_error("%s", msg);
			return ret;
		}
		laya_address_format(msg, &address);
		laya_info("relaying at %s, UDP and TCP", msg);
	}
	return 0;
}

static void stop(struct server *server)
{
	server_close(server);
	if (server->relay)
		relay_stop(server->relay);
}

static void on_stop(uv_signal_t *signal, int number)
{
	struct server *server = signal->data;

	laya_info("%s: ending", number == SIGINT ? "SIGINT" : "SIGTERM");
	stop(server);
	uv_close((uv_handle_t *)signal, NULL);
}

static void on_stats(uv_signal_t *signal, int number)
{
	(void)number;
	server_print_stats(signal->data);
}

static void watch(uv_loop_t *loop, uv_signal_t *handle, uv_signal_cb callback,
		  int number, struct server *server)
{
	uv_signal_init(loop, handle);
	handle->data = server;
	uv_signal_start(handle, callback, number);
	/* The loop ends with the server, not with the last signal. */
	uv_unref((uv_handle_t *)handle);
}

static int run(struct server *server, uv_loop_t *loop,
	       const uint8_t private_key[LAYA_KEY_SIZE],
	       const struct options *options)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];
	char key[LAYA_KEY_TEXT_SIZE];
	uv_signal_t signals[3];
	char msg[512];
	unsigned int i;

	if (server_open(server, options->certificate, options->key,
			options->state_dir, msg, sizeof(msg))) {
		laya_error("%s", msg);
		goto err_stop;
	}
	for (i = 0; i < options->n_listen; i++) {
		if (server_listen(server, &options->listen[i], msg,
				  sizeof(msg))) {
			laya_error("%s", msg);
			goto err_stop;
		}
	}
	if (options->relay && start_relay(server, private_key, options))
		goto err_stop;
	watch(loop, &signals[0], on_stop, SIGTERM, server);
	watch(loop, &signals[1], on_stop, SIGINT, server);
	watch(loop, &signals[2], on_stats, SIGUSR1, server);

	laya_key_encode(key, server->public_key);
	laya_info("public key %s", key);
	for (i = 0; i < server->n_doors; i++) {
		laya_address_format(text, laya_door_address(server->doors[i]));
		laya_info("listening at %s, TCP and UDP", text);
	}
	uv_run(loop, UV_RUN_DEFAULT);

	for (i = 0; i < 3; i++) {
		if (!uv_is_closing((uv_handle_t *)&signals[i]))
			uv_close((uv_handle_t *)&signals[i], NULL);
	}
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;

err_stop:
	stop(server);
	uv_run(loop, UV_RUN_DEFAULT);
	return 1;
}

int main(int argc, char **argv)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	struct options options = { 0 };
	struct server server;
	struct limits limits;
	uv_loop_t loop;
	char msg[256];
	int status;
	int ret;

	laya_log_open("laya-rendezvous", LAYA_LOG_INFO);
	status = parse_options(&options, argc, argv);
	if (status >= 0)
		return status;
	if (options.verbose)
		laya_log_open("laya-rendezvous", LAYA_LOG_DEBUG);
	if (laya_key_read_file(private_key, options.key_file, msg,
			       sizeof(msg))) {
		laya_error("%s", msg);
		return 1;
	}

	signal(SIGPIPE, SIG_IGN);
	limits_default(&limits);
	if (options.max_clients != 0)
		limits.clients = options.max_clients;
	fit_clients(&limits, options.relay);
	ret = uv_loop_init(&loop);
	if (!ret)
		ret = server_init(&server, &loop, private_key, &limits);
	if (ret) {
		sodium_memzero(private_key, sizeof(private_key));
		laya_error("cannot start: %s", strerror(-ret));
		return 1;
	}
	status = run(&server, &loop, private_key, &options);
	sodium_memzero(private_key, sizeof(private_key));
	if (server.relay)
		relay_free(server.relay);
	server_free(&server);
	uv_loop_close(&loop);
	return status;
}
