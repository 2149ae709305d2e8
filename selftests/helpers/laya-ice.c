// SPDX-License-Identifier: GPL-2.0
/*
 * laya-ice: one side of an ICE connection (RFC 8445), by libnice, to compare with
 * (selftests/networks/peers.sh). Two of them exchange their candidates by files, and
 * then send each other datagrams until both know that the other's arrive. Says by a
 * line of JSON on standard output what came of it; ends with 0 when it is connected.
 *
 * STUN and TURN are looked for at every SERVER: TURN by UDP and by TCP.
 */
#include <agent.h>
#include <arpa/inet.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMPONENT	1
#define POLL_MS		20	/* for the other's file */
#define SEND_MS		100
#define LINGER_MS	1000	/* that the other knows it, too */

/* What is said: of these the second tells that the other's first has come. */
#define HELLO		"hello"
#define HEARD		"heard"

struct ice {
	NiceAgent *agent;
	GMainLoop *loop;
	guint stream;
	const char *own;
	const char *other;
	gint64 began;
	gint64 first;		/* when the first datagram came; 0 before */
	bool connected;		/* and ours came there */
};

static void end(struct ice *ice)
{
	g_main_loop_quit(ice->loop);
}

static gboolean on_time(gpointer data)
{
	end(data);
	return G_SOURCE_REMOVE;
}

/* Before the other is there, or known, it is lost. */
static gboolean on_send(gpointer data)
{
	struct ice *ice = data;
	const char *text = ice->first ? HEARD : HELLO;

	nice_agent_send(ice->agent, ice->stream, COMPONENT, strlen(text), text);
	return G_SOURCE_CONTINUE;
}

/* Now: the pair is gone with the first side that ends. */
static void report(struct ice *ice)
{
	NiceCandidate *local, *remote;

	if (!nice_agent_get_selected_pair(ice->agent, ice->stream, COMPONENT,
					  &local, &remote))
		return;
	ice->connected = true;
	printf("{\"connected\": true, \"local\": \"%s\", \"remote\": \"%s\", "
	       "\"by\": \"%s\", \"seconds\": %.6f}\n",
	       nice_candidate_type_to_string(local->type),
	       nice_candidate_type_to_string(remote->type),
	       nice_candidate_transport_to_string(local->transport),
	       (ice->first - ice->began) / 1e6);
	g_timeout_add(LINGER_MS, on_time, ice);
}

static void on_received(NiceAgent *agent, guint stream, guint component,
			guint len, gchar *bytes, gpointer data)
{
	struct ice *ice = data;

	(void)agent;
	(void)stream;
	(void)component;
	if (!ice->first)
		ice->first = g_get_monotonic_time();
	if (len == strlen(HEARD) && !memcmp(bytes, HEARD, len) &&
	    !ice->connected)
		report(ice);
}

static gboolean on_poll(gpointer data)
{
	struct ice *ice = data;
	gchar *text;

	if (!g_file_get_contents(ice->other, &text, NULL, NULL))
		return G_SOURCE_CONTINUE;
	if (nice_agent_parse_remote_sdp(ice->agent, text) < 0) {
		fprintf(stderr, "laya-ice: %s is not understood\n", ice->other);
		end(ice);
	}
	g_free(text);
	g_timeout_add(SEND_MS, on_send, ice);
	return G_SOURCE_REMOVE;
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer data)
{
	struct ice *ice = data;
	gchar *text = nice_agent_generate_local_sdp(agent);

	(void)stream;
	/* By another name first: who finds it finds all of it. */
	if (!g_file_set_contents(ice->own, text, -1, NULL)) {
		fprintf(stderr, "laya-ice: %s cannot be written\n", ice->own);
		end(ice);
	}
	g_free(text);
	g_timeout_add(POLL_MS, on_poll, ice);
}

/* Is there a route there? */
static bool routed(const char *host)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = 1 };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 1 };
	bool six = inet_pton(AF_INET6, host, &in6.sin6_addr) == 1;
	int fd, ret;

	if (!six && inet_pton(AF_INET, host, &in.sin_addr) != 1)
		return false;
	fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	if (six)
		ret = connect(fd, (struct sockaddr *)&in6, sizeof(in6));
	else
		ret = connect(fd, (struct sockaddr *)&in, sizeof(in));
	close(fd);
	return ret == 0;
}

/* ADDRESS,PORT */
static void add_server(struct ice *ice, char *text, bool proxied)
{
	char *comma = strchr(text, ',');
	static bool have_stun;
	guint port;

	if (!comma) {
		fprintf(stderr, "laya-ice: a server is ADDRESS,PORT\n");
		exit(2);
	}
	*comma = '\0';
	port = atoi(comma + 1);
	if (!routed(text) && !proxied)
		return;
	/* It has one */
	if (!have_stun)
		g_object_set(ice->agent, "stun-server", text,
			     "stun-server-port", port, NULL);
	have_stun = true;
	nice_agent_set_relay_info(ice->agent, ice->stream, COMPONENT, text, port,
				  "laya", "secret", NICE_RELAY_TYPE_TURN_UDP);
	nice_agent_set_relay_info(ice->agent, ice->stream, COMPONENT, text, port,
				  "laya", "secret", NICE_RELAY_TYPE_TURN_TCP);
}

/* http://[NAME:PASSWORD@]ADDRESS:PORT, or socks5h:// */
static void set_proxy(NiceAgent *agent, const char *url)
{
	GUri *uri = g_uri_parse(url, G_URI_FLAGS_HAS_PASSWORD, NULL);

	if (!uri) {
		fprintf(stderr, "laya-ice: %s is no URL\n", url);
		exit(2);
	}
	g_object_set(agent, "proxy-type",
		     g_uri_get_scheme(uri)[0] == 'h' ? NICE_PROXY_TYPE_HTTP :
						       NICE_PROXY_TYPE_SOCKS5,
		     "proxy-ip", g_uri_get_host(uri),
		     "proxy-port", g_uri_get_port(uri),
		     "proxy-username", g_uri_get_user(uri),
		     "proxy-password", g_uri_get_password(uri), NULL);
	g_uri_unref(uri);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: laya-ice [-c] [-p PROXY] [-t SECONDS] OWN OTHER SERVER...\n"
		"  -c   the controlling side\n"
		"  OWN, OTHER   files with the candidates\n"
		"  SERVER       ADDRESS,PORT\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct ice ice = { .began = g_get_monotonic_time() };
	const char *proxy = NULL;
	bool controlling = false;
	int seconds = 60;
	int option;

	while ((option = getopt(argc, argv, "cp:t:")) != -1) {
		if (option == 'c')
			controlling = true;
		else if (option == 'p')
			proxy = optarg;
		else if (option == 't')
			seconds = atoi(optarg);
		else
			usage();
	}
	if (argc - optind < 3)
		usage();
	ice.own = argv[optind++];
	ice.other = argv[optind++];
	ice.loop = g_main_loop_new(NULL, FALSE);
	ice.agent = nice_agent_new(NULL, NICE_COMPATIBILITY_RFC5245);
	/* Ports that a router opens are not what is compared. */
	g_object_set(ice.agent, "controlling-mode", controlling, "upnp", FALSE,
		     NULL);
	if (proxy)
		set_proxy(ice.agent, proxy);
	ice.stream = nice_agent_add_stream(ice.agent, COMPONENT);
	for (; optind < argc; optind++)
		add_server(&ice, argv[optind], proxy);
	/* In the description it must have a name. */
	nice_agent_set_stream_name(ice.agent, ice.stream, "application");
	nice_agent_attach_recv(ice.agent, ice.stream, COMPONENT, NULL,
			       on_received, &ice);
	g_signal_connect(ice.agent, "candidate-gathering-done",
			 G_CALLBACK(on_gathered), &ice);
	if (!nice_agent_gather_candidates(ice.agent, ice.stream)) {
		/* No address, for one thing */
		printf("{\"connected\": false}\n");
		return 1;
	}
	g_timeout_add_seconds(seconds, on_time, &ice);
	g_main_loop_run(ice.loop);
	if (!ice.connected)
		printf("{\"connected\": false}\n");
	return !ice.connected;
}
