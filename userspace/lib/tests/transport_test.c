// SPDX-License-Identifier: GPL-2.0
/*
 * Who dials and who listens, whole:
 *
 *	dial --- [fake proxy] --- TCP on loopback --- listener
 *	  fd                                            fd
 */
#include <signal.h>
#include <sys/stat.h>

#include "loop_wait.h"

#include "fake.h"

#include "../dial.h"
#include "../listen.h"
#include "../tls.h"
#include "../tunnel.h"
#include "certificate.h"

#define MAX_ACCEPTED	16
#define MEBI		(1024 * 1024)

struct dialled {
	struct laya_dial *dial;
	bool done;
	int fd;
	struct laya_pump *pump;
	struct laya_dial_evidence evidence;
};

struct fixture {
	uv_loop_t loop;
	int door;
	uint16_t port;
	uv_poll_t door_poll;
	struct laya_listener *listener;
	struct laya_listener_config config;
	struct laya_accepted accepted[MAX_ACCEPTED];
	unsigned int n_accepted;
	struct laya_dial_options options;
	struct laya_dial_target target;
	struct dialled dialled;
	struct fake fake;
	char url[64];
	char dir[64];
	char paths[3][128];
};

/* What goes one way, and how far it has come */
struct flow {
	int from;
	int to;
	size_t len;
	size_t sent;
	size_t received;
	bool ended;
	uint8_t seed;
};

static const uint8_t channel_first[] = { 0, 0x30, 1, 2, 3, 4, 5, 6 };
static const uint8_t carrier_first[] = { 0, 64, 0x81, 0, 7, 7, 7, 7 };

static void on_accepted(struct laya_listener *listener,
			const struct laya_accepted *accepted, void *data)
{
	struct fixture *f = data;

	assert_ptr_equal(listener, f->listener);
	assert_true(f->n_accepted < MAX_ACCEPTED);
	f->accepted[f->n_accepted++] = *accepted;
}

static const struct laya_listener_ops listener_ops = {
	.accepted = on_accepted,
};

static void on_door(uv_poll_t *poll, int status, int events)
{
	struct fixture *f = poll->data;
	int fd;

	assert_int_equal(status, 0);
	(void)events;
	while ((fd = accept4(f->door, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		laya_listener_take(f->listener, fd);
}

static void open_listener(struct fixture *f)
{
	char msg[256];
	int ret;

	ret = laya_listener_open(&f->listener, &f->loop, &f->config,
				 &listener_ops, f, msg, sizeof(msg));
	if (ret)
		fail_msg("%s", msg);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(sin);

	assert_non_null(f);
	*state = f;
	strcpy(f->dir, "/tmp/laya-transport-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	f->door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			 0);
	assert_int_equal(bind(f->door, (struct sockaddr *)&sin, size), 0);
	assert_int_equal(listen(f->door, 512), 0);
	getsockname(f->door, (struct sockaddr *)&sin, &size);
	f->port = ntohs(sin.sin_port);
	uv_poll_init(&f->loop, &f->door_poll, f->door);
	f->door_poll.data = f;
	uv_poll_start(&f->door_poll, UV_READABLE, on_door);
	laya_listener_config_default(&f->config);
	open_listener(f);

	laya_dial_options_default(&f->options);
	f->options.proxy = "none";
	f->target.host = "127.0.0.1";
	f->target.port = f->port;
	f->target.transport = LAYA_TRANSPORT_TCP;
	f->dialled.fd = -1;
	return 0;
}

static void close_accepted(struct laya_accepted *accepted)
{
	if (accepted->fd >= 0)
		close(accepted->fd);
	if (accepted->pump)
		laya_pump_close(accepted->pump);
	accepted->fd = -1;
	accepted->pump = NULL;
}

/* Close both; what was pumping is told not to wait for last words. */
static void close_all(struct fixture *f)
{
	unsigned int i;

	for (i = 0; i < f->n_accepted; i++)
		close_accepted(&f->accepted[i]);
	f->n_accepted = 0;
	if (f->dialled.dial)
		laya_dial_close(f->dialled.dial);
	if (f->dialled.fd >= 0)
		close(f->dialled.fd);
	if (f->dialled.pump)
		laya_pump_close(f->dialled.pump);
	memset(&f->dialled, 0, sizeof(f->dialled));
	f->dialled.fd = -1;
}

/* Whatever a test left, the loop runs out of work, and nothing leaks. */
static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	close_all(f);
	laya_listener_close(f->listener);
	uv_close((uv_handle_t *)&f->door_poll, NULL);
	fake_stop(&f->fake);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	close(f->door);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void on_closed(struct laya_pump *pump, int error, void *data)
{
	struct laya_pump **where = data;

	assert_ptr_equal(pump, *where);
	(void)error;
	*where = NULL;
}

static void on_done(struct laya_dial *dial, int fd, struct laya_pump *pump,
		    const struct laya_dial_evidence *evidence, void *data)
{
	struct dialled *dialled = data;

	assert_ptr_equal(dial, dialled->dial);
	assert_false(dialled->done);
	dialled->dial = NULL;
	dialled->done = true;
	dialled->fd = fd;
	dialled->pump = pump;
	dialled->evidence = *evidence;
	if (pump)
		laya_pump_watch(pump, on_closed, &dialled->pump);
}

static const struct laya_dial_ops dial_ops = { .done = on_done };

static void dial(struct fixture *f)
{
	assert_int_equal(laya_dial(&f->dialled.dial, &f->loop, &f->target,
				   &f->options, &dial_ops, &f->dialled), 0);
	wait_for(&f->loop, f->dialled.done);
}

/* Dial, say something, and be accepted */
static void connect_both(struct fixture *f, const uint8_t *first)
{
	struct laya_accepted *accepted = &f->accepted[f->n_accepted];

	dial(f);
	if (f->dialled.fd < 0)
		fail_msg("%s", f->dialled.evidence.text);
	assert_int_equal(f->dialled.evidence.step, LAYA_DIAL_DONE);
	assert_int_equal(send(f->dialled.fd, first, 8, MSG_NOSIGNAL), 8);
	wait_for(&f->loop, accepted < &f->accepted[f->n_accepted]);
	assert_int_equal(accepted->transport, f->target.transport);
	if (accepted->pump)
		laya_pump_watch(accepted->pump, on_closed, &accepted->pump);
}

/* What was said first is still there. */
static void take_first(struct fixture *f, int fd, const uint8_t *first)
{
	uint8_t bytes[8];

	wait_for(&f->loop, recv(fd, bytes, 8, MSG_PEEK | MSG_DONTWAIT) == 8);
	assert_int_equal(recv(fd, bytes, 8, 0), 8);
	assert_memory_equal(bytes, first, 8);
}

static uint8_t byte_at(const struct flow *flow, size_t at)
{
	return (at * 2654435761u >> 13) ^ flow->seed;
}

static void flow_some(struct flow *flow)
{
	static uint8_t bytes[65536];
	size_t want;
	ssize_t n;
	ssize_t i;

	while (flow->sent < flow->len) {
		want = flow->len - flow->sent;
		if (want > sizeof(bytes))
			want = sizeof(bytes);
		for (i = 0; i < (ssize_t)want; i++)
			bytes[i] = byte_at(flow, flow->sent + i);
		n = send(flow->from, bytes, want, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			break;
		flow->sent += n;
		if (flow->sent == flow->len)
			shutdown(flow->from, SHUT_WR);
	}
	while ((n = recv(flow->to, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		for (i = 0; i < n; i++)
			if (bytes[i] != byte_at(flow, flow->received + i))
				fail_msg("byte %zu is wrong",
					 flow->received + i);
		flow->received += n;
	}
	if (n == 0)
		flow->ended = true;
}

static bool flows_ended(struct flow *a, struct flow *b)
{
	flow_some(a);
	flow_some(b);
	return a->ended && b->ended;
}

static void transfer_both(struct fixture *f, size_t len)
{
	int server = f->accepted[f->n_accepted - 1].fd;
	struct flow up = {
		.from = f->dialled.fd, .to = server, .len = len, .seed = 1,
	};
	struct flow down = {
		.from = server, .to = f->dialled.fd, .len = len, .seed = 2,
	};

	wait_for(&f->loop, flows_ended(&up, &down));
	assert_int_equal(up.received, len);
	assert_int_equal(down.received, len);
}

/* Half of it has ended, the other half goes on. */
static void half_close(struct fixture *f)
{
	int server = f->accepted[f->n_accepted - 1].fd;
	struct flow up = {
		.from = f->dialled.fd, .to = server, .len = 5000, .seed = 3,
	};
	struct flow down = {
		.from = server, .to = f->dialled.fd, .len = 300000, .seed = 4,
	};

	wait_for(&f->loop, (flow_some(&up), up.ended));
	assert_int_equal(up.received, 5000);
	wait_for(&f->loop, (flow_some(&down), down.ended));
	assert_int_equal(down.received, 300000);
}

static void whole(struct fixture *f, enum laya_transport transport)
{
	struct laya_accepted *accepted;

	f->target.transport = transport;
	connect_both(f, channel_first);
	accepted = &f->accepted[0];
	assert_int_equal(accepted->kind, LAYA_ACCEPTED_CHANNEL);
	assert_int_equal(accepted->remote.family, AF_INET);
	assert_int_equal(!accepted->pump, transport == LAYA_TRANSPORT_TCP);
	take_first(f, accepted->fd, channel_first);
	transfer_both(f, 8 * MEBI);
	/* All has been said, so both pumps end by themselves. */
	wait_for(&f->loop, !f->dialled.pump && !accepted->pump);
	close_all(f);

	connect_both(f, carrier_first);
	accepted = &f->accepted[0];
	assert_int_equal(accepted->kind, LAYA_ACCEPTED_CARRIER);
	take_first(f, accepted->fd, carrier_first);
	half_close(f);
	close_all(f);

	/* A closed end is heard of on the other side; last words come before. */
	connect_both(f, channel_first);
	accepted = &f->accepted[0];
	take_first(f, accepted->fd, channel_first);
	assert_int_equal(send(f->dialled.fd, channel_first, 8, 0), 8);
	close(f->dialled.fd);
	f->dialled.fd = -1;
	take_first(f, accepted->fd, channel_first);
	wait_for(&f->loop, raw_ended(accepted->fd));
	close_accepted(accepted);
	wait_for(&f->loop, !f->dialled.pump);
	close_all(f);

	connect_both(f, channel_first);
	accepted = &f->accepted[0];
	close(accepted->fd);
	accepted->fd = -1;
	wait_for(&f->loop, raw_ended(f->dialled.fd));
}

static void tcp__whole(void **state)
{
	whole(*state, LAYA_TRANSPORT_TCP);
}

static void tls__whole(void **state)
{
	struct fixture *f = *state;

	whole(f, LAYA_TRANSPORT_TLS);
	assert_true(f->dialled.evidence.tls.have_certificate);
	assert_false(f->dialled.evidence.tls.verified);
	assert_string_equal(f->dialled.evidence.tls.issuer, "CN=localhost");
}

static void wss__whole(void **state)
{
	struct fixture *f = *state;

	whole(f, LAYA_TRANSPORT_WSS);
	assert_int_equal(f->dialled.evidence.http_code, 101);
}

static void https__whole(void **state)
{
	struct fixture *f = *state;

	whole(f, LAYA_TRANSPORT_HTTPS);
	assert_int_equal(f->dialled.evidence.http_code, 200);
}

static void use_proxy(struct fixture *f, const char *scheme,
		      void (*serve)(struct fake *fake, int fd))
{
	fake_start(&f->fake, serve);
	snprintf(f->url, sizeof(f->url), "%s127.0.0.1:%u", scheme,
		 f->fake.port);
	f->options.proxy = f->url;
}

/* Each through a proxy that passes all in pieces of @drip */
static void through(struct fixture *f, const char *scheme,
		    void (*serve)(struct fake *fake, int fd), size_t drip,
		    size_t len)
{
	unsigned int transport;

	f->fake.drip = drip;
	use_proxy(f, scheme, serve);
	/* a name that only the proxy knows */
	f->target.server_name = "relay.invalid";
	for (transport = LAYA_TRANSPORT_TCP; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		connect_both(f, channel_first);
		take_first(f, f->accepted[0].fd, channel_first);
		assert_non_null(strstr(f->dialled.evidence.proxy, "127.0.0.1"));
		assert_null(strstr(f->dialled.evidence.proxy, "secret"));
		assert_non_null(strstr(f->fake.seen, "relay.invalid"));
		transfer_both(f, len);
		close_all(f);
	}
}

static void proxy__http(void **state)
{
	through(*state, "http://", fake_http_proxy, 0, MEBI);
}

static void proxy__http_with_password(void **state)
{
	struct fixture *f = *state;

	/* user:secret */
	f->fake.wants = "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=";
	through(f, "http://user:secret@", fake_http_proxy, 0, MEBI);
}

static void proxy__socks(void **state)
{
	through(*state, "socks5h://", fake_socks, 0, MEBI);
}

/* TLS to the proxy, and TLS in it; its end is an end of both ways. */
static void proxy__by_tls(void **state)
{
	uint8_t bytes[8];
	struct fixture *f = *state;
	unsigned int transport;
	SSL_CTX *ssl;
	char msg[64];

	assert_int_equal(laya_tls_server(&ssl, NULL, NULL, NULL, msg,
					 sizeof(msg)), 0);
	f->fake.ssl = ssl;
	use_proxy(f, "https://", fake_https_proxy);
	f->target.server_name = "relay.invalid";
	for (transport = LAYA_TRANSPORT_TCP; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		connect_both(f, channel_first);
		assert_non_null(f->dialled.pump);
		take_first(f, f->accepted[0].fd, channel_first);
		assert_int_equal(send(f->accepted[0].fd, "answered", 8, 0), 8);
		wait_for(&f->loop, recv(f->dialled.fd, bytes, 8,
					MSG_PEEK | MSG_DONTWAIT) == 8);
		assert_memory_equal(bytes, "answered", 8);
		assert_non_null(strstr(f->dialled.evidence.proxy, "https://"));
		close_all(f);
	}
	uv_run(&f->loop, UV_RUN_NOWAIT);
	fake_stop(&f->fake);
	SSL_CTX_free(ssl);
}

/* Connections that end all the time: https goes on, byte for byte. */
static void proxy__that_cuts(void **state)
{
	struct fixture *f = *state;

	f->fake.breaks = 400000;
	use_proxy(f, "http://", fake_http_proxy);
	f->target.transport = LAYA_TRANSPORT_HTTPS;
	connect_both(f, channel_first);
	take_first(f, f->accepted[0].fd, channel_first);
	transfer_both(f, 700000);
	assert_true(f->fake.n > 4);
}

static void proxy__in_single_bytes(void **state)
{
	through(*state, "http://", fake_http_proxy, 1, 10000);
}

static void proxy__of_the_environment(void **state)
{
	struct fixture *f = *state;

	use_proxy(f, "http://", fake_http_proxy);
	setenv("https_proxy", f->url, 1);
	f->options.proxy = NULL;
	connect_both(f, channel_first);
	assert_int_equal(f->fake.n, 1);
	close_all(f);

	setenv("no_proxy", "127.0.0.1", 1);
	connect_both(f, channel_first);
	assert_int_equal(f->fake.n, 1);
	assert_string_equal(f->dialled.evidence.proxy, "");
	close_all(f);
	/* It is about the environment's proxy only. */
	f->options.proxy = f->url;
	connect_both(f, channel_first);
	assert_int_equal(f->fake.n, 2);
	close_all(f);

	unsetenv("no_proxy");
	f->options.proxy = "none";
	connect_both(f, channel_first);
	assert_int_equal(f->fake.n, 2);
	unsetenv("https_proxy");
}

static void refused(struct fixture *f, enum laya_dial_step step, int error,
		    const char *text)
{
	dial(f);
	if (f->dialled.evidence.step != step || f->dialled.fd != error ||
	    !strstr(f->dialled.evidence.text, text))
		fail_msg("step %d, error %d: \"%s\", not step %d, error %d: \"%s\"",
			 f->dialled.evidence.step, f->dialled.fd,
			 f->dialled.evidence.text, step, error, text);
	memset(&f->dialled, 0, sizeof(f->dialled));
	f->dialled.fd = -1;
}

static void proxy__that_is_none(void **state)
{
	struct fixture *f = *state;
	unsigned int transport;

	for (transport = LAYA_TRANSPORT_TCP; transport < LAYA_TRANSPORT_END;
	     transport += 3) {
		f->target.transport = transport;
		f->fake.wants = "never";
		use_proxy(f, "http://", fake_http_proxy);
		refused(f, LAYA_DIAL_PROXY, -EACCES, "answered 407");
		fake_stop(&f->fake);

		f->fake.says = "\x15garbage of no protocol\n\n\n";
		use_proxy(f, "http://", fake_answer);
		refused(f, LAYA_DIAL_PROXY, -ECONNRESET, "proxy http://127");
		fake_stop(&f->fake);

		f->fake.says = "HTTP/1.1 200 Conn";
		use_proxy(f, "http://", fake_answer);
		refused(f, LAYA_DIAL_PROXY, -ECONNRESET, "proxy http://127");
		fake_stop(&f->fake);

		use_proxy(f, "socks5h://", fake_close);
		refused(f, LAYA_DIAL_PROXY, -ECONNRESET, "proxy socks5h://127");
		fake_stop(&f->fake);

		use_proxy(f, "http://", fake_silent);
		f->options.timeout = 200;
		refused(f, LAYA_DIAL_PROXY, -ETIMEDOUT, "proxy http://127");
		fake_stop(&f->fake);

		f->options.timeout = 15000;
		refused(f, LAYA_DIAL_CONNECT, -ECONNREFUSED,
			"cannot connect to proxy");
		f->options.proxy = "http://no..name:80";
		refused(f, LAYA_DIAL_NAME, -ENXIO, "cannot resolve http://no..");
	}
}

static void dial__no_server(void **state)
{
	struct fixture *f = *state;
	unsigned int transport;

	uv_poll_stop(&f->door_poll);
	shutdown(f->door, SHUT_RDWR);
	for (transport = LAYA_TRANSPORT_TCP; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		f->target.host = "127.0.0.1";
		refused(f, LAYA_DIAL_CONNECT, -ECONNREFUSED,
			"cannot connect to 127.0.0.1 port");
		f->target.host = "no..name";
		refused(f, LAYA_DIAL_NAME, -ENXIO, "cannot resolve no..name");
	}
}

static void dial__marks_its_sockets(void **state)
{
	struct fixture *f = *state;
	socklen_t size = sizeof(uint32_t);
	uint32_t mark = 0;

	f->options.mark = 0x1a2b;
	dial(f);
	if (f->dialled.fd < 0) {
		/* not our right: then it may not go out without one */
		assert_int_equal(f->dialled.evidence.step, LAYA_DIAL_CONNECT);
		assert_int_not_equal(geteuid(), 0);
		return;
	}
	assert_int_equal(getsockopt(f->dialled.fd, SOL_SOCKET, SO_MARK, &mark,
				    &size), 0);
	assert_int_equal(mark, 0x1a2b);
}

/* Where nothing listens both are tried; this prefix leads nowhere. */
static void dial__by_nat64(void **state)
{
	struct laya_nat64_prefix prefix = { .len = 96 };
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct fixture *f = *state;
	bool tried = false;
	unsigned int i;

	inet_pton(AF_INET6, "fe80::", &prefix.addr);
	uv_poll_stop(&f->door_poll);
	shutdown(f->door, SHUT_RDWR);
	f->options.nat64 = &prefix;
	dial(f);
	assert_true(f->dialled.fd < 0);
	for (i = 0; i < f->dialled.evidence.n_tried; i++) {
		laya_address_format(text, &f->dialled.evidence.tried[i]);
		tried |= !strncmp(text, "[fe80::7f00:1]", 14);
	}
	assert_true(tried);
	memset(&f->dialled, 0, sizeof(f->dialled));
	f->dialled.fd = -1;
}

static void dial__bad_arguments(void **state)
{
	struct fixture *f = *state;
	struct laya_dial_target good = f->target;

#define BAD(member, value) do {						\
	f->target = good;						\
	f->target.member = value;					\
	assert_int_equal(laya_dial(&f->dialled.dial, &f->loop,		\
				   &f->target, &f->options, &dial_ops,	\
				   &f->dialled), -EINVAL);		\
} while (0)
	BAD(host, "");
	BAD(port, 0);
	BAD(path, "laya");
	BAD(transport, 0);
	BAD(transport, LAYA_TRANSPORT_END);
#undef BAD
	f->dialled.dial = NULL;
}

static void dial__closed_at_any_moment(void **state)
{
	struct fixture *f = *state;
	unsigned int transport;
	unsigned int turns;
	unsigned int i;

	for (transport = LAYA_TRANSPORT_TCP; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		for (turns = 0; turns < 12; turns++) {
			f->target.host = turns % 2 ? "localhost" : "127.0.0.1";
			assert_int_equal(laya_dial(&f->dialled.dial, &f->loop,
						   &f->target, &f->options,
						   &dial_ops, &f->dialled), 0);
			for (i = 0; i < turns; i++) {
				uv_run(&f->loop, UV_RUN_NOWAIT);
				usleep(500);
			}
			close_all(f);
		}
	}
}

/* A server that does not say what it should, in TLS or instead of it */
static void tls__that_is_none(void **state)
{
	struct fixture *f = *state;
	unsigned int transport;

	for (transport = LAYA_TRANSPORT_TLS; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		f->fake.says = "HTTP/1.1 400 Bad Request\r\n\r\n";
		fake_start(&f->fake, fake_blurt);
		f->target.port = f->fake.port;
		refused(f, LAYA_DIAL_TLS, -EPROTO, "wrong version number");
		fake_stop(&f->fake);

		fake_start(&f->fake, fake_close);
		f->target.port = f->fake.port;
		dial(f);
		assert_int_equal(f->dialled.evidence.step, LAYA_DIAL_TLS);
		assert_true(f->dialled.fd < 0);
		close_all(f);
		fake_stop(&f->fake);

		fake_start(&f->fake, fake_silent);
		f->target.port = f->fake.port;
		f->options.timeout = 200;
		refused(f, LAYA_DIAL_TLS, -ETIMEDOUT, "TLS with 127.0.0.1");
		f->options.timeout = 15000;
		fake_stop(&f->fake);
	}
}

static void fake_alert(struct fake *fake, int fd)
{
	static const uint8_t alert[] = { 0x15, 3, 3, 0, 2, 2, 40 };
	uint8_t bytes[16];

	(void)fake;
	recv(fd, bytes, sizeof(bytes), 0);
	send(fd, alert, sizeof(alert), MSG_NOSIGNAL);
	fake_silent(fake, fd);
}

static void tls__alert(void **state)
{
	struct fixture *f = *state;
	unsigned int transport;

	fake_start(&f->fake, fake_alert);
	f->target.port = f->fake.port;
	for (transport = LAYA_TRANSPORT_TLS; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		refused(f, LAYA_DIAL_TLS, -EPROTO, "handshake failure");
	}
}

/* Of a file of the test's, as long as the fixture */
static const char *put_path(struct fixture *f, unsigned int which,
			    const char *name)
{
	snprintf(f->paths[which], sizeof(f->paths[which]), "%s/%s", f->dir,
		 name);
	return f->paths[which];
}

static void tls__certificates(void **state)
{
	struct laya_tls_evidence *tls;
	struct fixture *f = *state;
	const char *certificate = put_path(f, 0, "server.pem");
	const char *box = put_path(f, 1, "box.pem");
	const char *ca = put_path(f, 2, "ca.pem");
	unsigned int transport;

	make_certificates(ca, "Good CA", certificate, "relay.example");
	laya_listener_close(f->listener);
	f->config.certificate = certificate;
	open_listener(f);

	f->target.server_name = "relay.example";
	f->options.ca_file = ca;
	f->options.verify = true;
	for (transport = LAYA_TRANSPORT_TLS; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		connect_both(f, channel_first);
		tls = &f->dialled.evidence.tls;
		assert_true(tls->have_certificate);
		assert_true(tls->verified);
		assert_string_equal(tls->problem, "");
		assert_string_equal(tls->issuer, "CN=Good CA");
		assert_string_equal(tls->subject, "CN=relay.example");
		close_all(f);

		/* for another name */
		f->target.server_name = "other.example";
		refused(f, LAYA_DIAL_TLS, -EPROTO, "CN=relay.example");
		f->target.server_name = "relay.example";
	}

	/* A box in between that has a certificate for everything */
	make_certificates(box, "Box that reads along", certificate,
			  "relay.example");
	laya_listener_close(f->listener);
	open_listener(f);
	for (transport = LAYA_TRANSPORT_TLS; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		f->options.verify = true;
		refused(f, LAYA_DIAL_TLS, -EPROTO,
			"issued by CN=Box that reads along");
		f->options.verify = false;
		connect_both(f, channel_first);
		tls = &f->dialled.evidence.tls;
		assert_false(tls->verified);
		assert_string_equal(tls->issuer, "CN=Box that reads along");
		assert_string_not_equal(tls->problem, "");
		close_all(f);
	}

	f->options.ca_file = "/nowhere/ca.pem";
	f->target.transport = LAYA_TRANSPORT_TLS;
	refused(f, LAYA_DIAL_TLS, -ENOENT, "/nowhere/ca.pem");
}

static void listener__keeps_its_certificate(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	const char *path = put_path(f, 0, "tls-key.pem");
	char msg[256];

	f->config.state_dir = f->dir;
	laya_listener_close(f->listener);
	open_listener(f);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0600);
	laya_listener_close(f->listener);
	open_listener(f);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	f->target.transport = LAYA_TRANSPORT_WSS;
	connect_both(f, channel_first);
	laya_listener_close(f->listener);

	f->config.certificate = path;
	assert_int_equal(laya_listener_open(&f->listener, &f->loop, &f->config,
					    &listener_ops, f, msg, sizeof(msg)),
			 -EINVAL);
	assert_non_null(strstr(msg, "tls-key.pem"));
	f->config.certificate = NULL;
	f->config.state_dir = "/nowhere";
	assert_int_equal(laya_listener_open(&f->listener, &f->loop, &f->config,
					    &listener_ops, f, msg, sizeof(msg)),
			 -ENOENT);
	assert_non_null(strstr(msg, "/nowhere"));
	f->config.state_dir = NULL;
	open_listener(f);
}

static void upgrade__refused(void **state)
{
	struct fixture *f = *state;

	f->target.path = "/elsewhere";
	f->target.transport = LAYA_TRANSPORT_WSS;
	refused(f, LAYA_DIAL_HTTP, -EACCES, "answered 404 to the upgrade");
	f->target.transport = LAYA_TRANSPORT_HTTPS;
	refused(f, LAYA_DIAL_HTTP, -EACCES, "answered 404 to the request");
	/* and it is the path that makes the difference */
	laya_listener_close(f->listener);
	f->config.path = "/elsewhere";
	open_listener(f);
	connect_both(f, channel_first);
}

/* Portals, and servers that are others than they should be */
static void upgrade__answered_wrongly(void **state)
{
	static const struct {
		const char *says;
		enum laya_transport transport;
		int error;
		int code;
		const char *text;
	} cases[] = {
		{ "HTTP/1.1 403 No\r\n\r\n", LAYA_TRANSPORT_WSS, -EACCES, 403,
		  "127.0.0.1 answered 403 to the upgrade" },
		{ "HTTP/1.1 200 OK\r\n\r\n<html>", LAYA_TRANSPORT_WSS,
		  -EACCES, 200, "answered 200 to the upgrade" },
		{ "HTTP/1.1 101 Yes\r\nConnection: upgrade\r\n"
		  "Upgrade: websocket\r\n"
		  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		  LAYA_TRANSPORT_WSS, -EBADMSG, 101, "not speak WebSocket" },
		{ "HTTP/1.1 101 Yes\r\n\r\n", LAYA_TRANSPORT_WSS, -EBADMSG,
		  101, "not speak WebSocket" },
		{ "SSH-2.0-OpenSSH\r\n\r\n", LAYA_TRANSPORT_WSS, -EBADMSG, 0,
		  "not HTTP" },
		{ "HTTP/1.1 101 Ye", LAYA_TRANSPORT_WSS, -ECONNRESET, 0,
		  "at the upgrade" },
		{ "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
		  LAYA_TRANSPORT_HTTPS, -EACCES, 403,
		  "answered 403 to the request" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
		  LAYA_TRANSPORT_HTTPS, -EBADMSG, 200, "is no tunnel" },
		{ "HTTP/1.1 20", LAYA_TRANSPORT_HTTPS, -ECONNRESET, 0,
		  "127.0.0.1" },
	};
	struct fixture *f = *state;
	SSL_CTX *ssl;
	char msg[64];
	size_t i;

	assert_int_equal(laya_tls_server(&ssl, NULL, NULL, NULL, msg,
					 sizeof(msg)), 0);
	f->fake.ssl = ssl;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->fake.says = cases[i].says;
		fake_start(&f->fake, fake_https_server);
		f->target.port = f->fake.port;
		f->target.transport = cases[i].transport;
		dial(f);
		if (f->dialled.fd != cases[i].error ||
		    f->dialled.evidence.step != LAYA_DIAL_HTTP ||
		    f->dialled.evidence.http_code != cases[i].code ||
		    !strstr(f->dialled.evidence.text, cases[i].text))
			fail_msg("case %zu: step %d, code %d, error %d: \"%s\"",
				 i, f->dialled.evidence.step,
				 f->dialled.evidence.http_code, f->dialled.fd,
				 f->dialled.evidence.text);
		memset(&f->dialled, 0, sizeof(f->dialled));
		f->dialled.fd = -1;
		fake_stop(&f->fake);
	}
	SSL_CTX_free(ssl);
}

/* What a bare client says to the listener, and how it answers */
static void probe_bytes(struct fixture *f, const char *bytes, size_t len,
			const char *expect)
{
	char answer[1024] = { 0 };
	size_t n = 0;
	ssize_t got = -1;
	int fd;

	fd = raw_connect(f->port, 0);
	raw_send(fd, bytes, len);
	shutdown(fd, SHUT_WR);
	wait_for(&f->loop, ((got = recv(fd, answer + n,
					sizeof(answer) - 1 - n,
					MSG_DONTWAIT)) > 0 &&
			    (n += got, false)) ||
			   got == 0 || (got < 0 && errno == ECONNRESET));
	if (strncmp(answer, expect, strlen(expect)) ||
	    (!*expect && *answer))
		fail_msg("\"%.40s\" was answered \"%s\", not \"%s\"", bytes,
			 answer, expect);
	close(fd);
}

static void probe(struct fixture *f, const char *text, const char *expect)
{
	probe_bytes(f, text, strlen(text), expect);
}

static void listener__tells_a_probe_nothing(void **state)
{
	static const char *const bad[] = {
		"DELETE / HTTP/1.1\r\n\r\n",
		"GET /laya\r\n\r\n",
		"GET /laya HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
		"GET /laya HTTP/1.1\nHost: x\n\n",
		"POST /laya HTTP/1.1\r\nContent-Length: 1\r\n"
		"Content-Length: 1\r\n\r\n",
	};
	static const char *const elsewhere[] = {
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /laya HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /layabout HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd",
		"POST /laya HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd",
		"POST /laya HTTP/1.1\r\nContent-Length: 32\r\n\r\n"
		"0123456789abcdef0123456789abcdef",
	};
	struct fixture *f = *state;
	uint8_t noise[64];
	char *longer;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		probe(f, bad[i], "HTTP/1.1 400 ");
	for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		probe(f, elsewhere[i], "HTTP/1.1 404 ");
	probe(f, "POST /laya HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
	      "HTTP/1.1 413 ");
	probe(f, "POST /laya HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
	      "HTTP/1.1 411 ");

	longer = malloc(20000);
	memset(longer, 'a', 20000);
	memcpy(longer, "GET / HTTP/1.1\r\nX: ", 19);
	probe_bytes(f, longer, 20000, "HTTP/1.1 431 ");
	free(longer);

	/* neither HTTP nor anything of ours: not a byte */
	probe_bytes(f, "\0\1\2\3", 4, "");
	probe_bytes(f, "\0\x40\x80\0", 4, "");
	probe_bytes(f, "\xff\xff\xff\xff", 4, "");
	for (i = 0; i < 200; i++) {
		randombytes_buf(noise, sizeof(noise));
		/* no letter, no TLS record, not the length of a first frame */
		noise[0] |= 0x80;
		noise[2] &= 0x7f;
		probe_bytes(f, (char *)noise, sizeof(noise), "");
	}
	assert_int_equal(f->n_accepted, 0);
}

static void listener__in_single_bytes(void **state)
{
	struct fixture *f = *state;
	size_t i;
	int fd;

	fd = raw_connect(f->port, 0);
	for (i = 0; i < sizeof(channel_first); i++) {
		raw_send(fd, channel_first + i, 1);
		uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	wait_for(&f->loop, f->n_accepted == 1);
	take_first(f, f->accepted[0].fd, channel_first);
	close(fd);
}

/* An upgrade without TLS, as it comes from a load balancer that ends TLS */
static void listener__plain_upgrade(void **state)
{
	static const char request[] =
		"GET /laya HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 9.9.9.9\r\n"
		"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n\r\n"
		/* a ping, then a frame with the mask of zeros */
		"\x89\x82\0\0\0\0hi"
		"\x82\x88\0\0\0\0\0\x30\1\2\3\4\5\6";
	char answer[512] = { 0 };
	struct fixture *f = *state;
	int fd;

	fd = raw_connect(f->port, 0);
	raw_send(fd, request, sizeof(request) - 1);
	wait_for(&f->loop, f->n_accepted == 1);
	assert_int_equal(f->accepted[0].transport, LAYA_TRANSPORT_WSS);
	assert_int_equal(f->accepted[0].remote.addr[0], 127);
	take_first(f, f->accepted[0].fd, channel_first);
	wait_for(&f->loop, recv(fd, answer, sizeof(answer) - 1,
				MSG_PEEK | MSG_DONTWAIT) > 100 &&
			   !memcmp(strstr(answer, "\r\n\r\n"),
				   "\r\n\r\n\x8a\2hi", 8));
	/* RFC 6455, 1.3 */
	assert_non_null(strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	close(fd);
}

/* A request as a client of another kind might make it */
static void ask(struct fixture *f, const char *name, uint8_t type,
		uint8_t flags, uint64_t offset, const char *data,
		const char *expect)
{
	struct laya_tunnel_head head = {
		.type = type,
		.flags = flags,
		.len = strlen(data),
		.offset = offset,
	};
	char bytes[512];
	int n;

	n = snprintf(bytes, sizeof(bytes),
		     "POST /laya HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s",
		     32 + strlen(data), name);
	laya_tunnel_head_write((uint8_t *)bytes + n, &head);
	memcpy(bytes + n + 16, data, strlen(data));
	probe_bytes(f, bytes, n + 16 + strlen(data), expect);
}

static void tunnel__bad_requests(void **state)
{
	const char *name = "0123456789abcdef";
	const char *other = "0123456789abcdeF";
	struct fixture *f = *state;

	laya_listener_close(f->listener);
	f->config.max_sessions = 1;
	open_listener(f);
	ask(f, name, LAYA_TUNNEL_UP, 0, 0, "x", "HTTP/1.1 404 ");
	ask(f, name, LAYA_TUNNEL_OPEN, 0, 1, "", "HTTP/1.1 400 ");
	ask(f, name, LAYA_TUNNEL_OPEN, 0, 0, "", "HTTP/1.1 200 ");
	/* once more is the same once more */
	ask(f, name, LAYA_TUNNEL_OPEN, 0, 0, "", "HTTP/1.1 200 ");
	ask(f, other, LAYA_TUNNEL_OPEN, 0, 0, "", "HTTP/1.1 503 ");
	ask(f, other, LAYA_TUNNEL_DOWN, 0, 0, "", "HTTP/1.1 404 ");
	ask(f, name, LAYA_TUNNEL_UP, 0, 1, "x", "HTTP/1.1 400 ");
	ask(f, name, LAYA_TUNNEL_UP, 0, 0, "\1", "HTTP/1.1 200 ");
	ask(f, name, LAYA_TUNNEL_UP, 0, 0, "\1\2", "HTTP/1.1 200 ");
	ask(f, name, LAYA_TUNNEL_UP, 0, 0, "\1", "HTTP/1.1 400 ");
	ask(f, name, LAYA_TUNNEL_DOWN, 0, 1, "", "HTTP/1.1 400 ");
	ask(f, name, LAYA_TUNNEL_DOWN, 0, 0, "x", "HTTP/1.1 400 ");
	ask(f, name, 9, 0, 0, "", "HTTP/1.1 404 ");
	ask(f, name, LAYA_TUNNEL_UP, 0x80, 2, "", "HTTP/1.1 404 ");
	ask(f, name, LAYA_TUNNEL_UP, 0, 0, "\1\2\3", "HTTP/1.1 200 ");
	/* What it began with was nothing of ours. */
	wait_for(&f->loop,
		 laya_listener_stats(f->listener)->unknown == 1);
	ask(f, name, LAYA_TUNNEL_UP, 0, 3, "x", "HTTP/1.1 404 ");
	ask(f, other, LAYA_TUNNEL_OPEN, 0, 0, "", "HTTP/1.1 200 ");
	ask(f, other, LAYA_TUNNEL_CLOSE, 0, 0, "", "HTTP/1.1 200 ");
	ask(f, other, LAYA_TUNNEL_DOWN, 0, 0, "", "HTTP/1.1 404 ");
	assert_int_equal(f->n_accepted, 0);
}

/* A client that is gone without a word */
static void tunnel__expires(void **state)
{
	struct fixture *f = *state;

	laya_listener_close(f->listener);
	f->config.session_timeout = 200;
	open_listener(f);
	f->target.transport = LAYA_TRANSPORT_HTTPS;
	connect_both(f, channel_first);
	take_first(f, f->accepted[0].fd, channel_first);
	laya_pump_close(f->dialled.pump);
	f->dialled.pump = NULL;
	wait_for(&f->loop, !f->accepted[0].pump);
	assert_true(raw_ended(f->accepted[0].fd));

	/* and a server that is gone */
	close_all(f);
	connect_both(f, channel_first);
	take_first(f, f->accepted[0].fd, channel_first);
	laya_listener_close(f->listener);
	wait_for(&f->loop, !f->accepted[0].pump);
	open_listener(f);
	wait_for(&f->loop, !f->dialled.pump);
	assert_true(raw_ended(f->dialled.fd));
}

static void listener__slowloris(void **state)
{
	struct fixture *f = *state;
	int fds[4];
	size_t i;

	laya_listener_close(f->listener);
	f->config.timeout = 300;
	open_listener(f);
	for (i = 0; i < 4; i++)
		fds[i] = raw_connect(f->port, 0);
	/* one says nothing at all */
	raw_send(fds[1], "GET /laya HTTP/1.1\r\n", 20);
	raw_send(fds[2], "\x16\x03\1", 3);
	raw_send(fds[3], "\0", 1);
	/* a little progress is none */
	wait_for(&f->loop,
		 (send(fds[1], "A: b\r\n", 6, MSG_NOSIGNAL), usleep(5000),
		  laya_listener_stats(f->listener)->timed_out == 4));
	for (i = 0; i < 4; i++)
		close(fds[i]);
}

static void listener__thousands(void **state)
{
	const struct laya_listener_stats *stats;
	struct fixture *f = *state;
	int fds[900];
	size_t i;

	laya_listener_close(f->listener);
	f->config.max_pending = 100;
	open_listener(f);
	for (i = 0; i < 900; i++) {
		fds[i] = raw_connect(f->port, 0);
		if (i % 50 == 0)
			uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	stats = laya_listener_stats(f->listener);
	wait_for(&f->loop, stats->evicted == 800);
	/* who comes and speaks gets in */
	connect_both(f, channel_first);
	for (i = 0; i < 900; i++)
		close(fds[i]);
}

static void pump__dies_with_the_network(void **state)
{
	struct fixture *f = *state;
	unsigned int transport;

	use_proxy(f, "http://", fake_http_proxy);
	for (transport = LAYA_TRANSPORT_TLS; transport <= LAYA_TRANSPORT_WSS;
	     transport++) {
		f->target.transport = transport;
		connect_both(f, channel_first);
		take_first(f, f->accepted[0].fd, channel_first);
		shutdown(f->fake.connections[f->fake.n - 1].fd, SHUT_RDWR);
		wait_for(&f->loop, !f->dialled.pump && !f->accepted[0].pump);
		assert_true(raw_ended(f->dialled.fd));
		assert_true(raw_ended(f->accepted[0].fd));
		close_all(f);
	}
}

/* Who does not read stops who writes, and memory is bounded. */
static void pump__back_pressure(void **state)
{
	static uint8_t bytes[65536];
	struct fixture *f = *state;
	unsigned int transport;
	struct flow up;
	size_t idle;
	size_t sent;
	ssize_t n;

	for (transport = LAYA_TRANSPORT_TLS; transport < LAYA_TRANSPORT_END;
	     transport++) {
		f->target.transport = transport;
		connect_both(f, channel_first);
		take_first(f, f->accepted[0].fd, channel_first);
		up = (struct flow){
			.from = f->dialled.fd, .to = f->accepted[0].fd,
			.len = SIZE_MAX,
		};
		sent = 0;
		for (idle = 0; idle < 300; idle++) {
			memset(bytes, 0, sizeof(bytes));
			n = send(up.from, bytes, sizeof(bytes),
				 MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n > 0) {
				sent += n;
				idle = 0;
			}
			uv_run(&f->loop, UV_RUN_NOWAIT);
			usleep(500);
		}
		/* the buffers of sockets, mostly */
		assert_true(sent < 40 * (size_t)MEBI);
		shutdown(up.from, SHUT_WR);
		while (sent) {
			n = recv(up.to, bytes, sizeof(bytes), MSG_DONTWAIT);
			assert_true(n != 0);
			if (n > 0)
				sent -= n;
			else
				uv_run(&f->loop, UV_RUN_NOWAIT);
		}
		wait_for(&f->loop, raw_ended(up.to));
		close_all(f);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(tcp__whole),
		TEST(tls__whole),
		TEST(wss__whole),
		TEST(https__whole),
		TEST(proxy__http),
		TEST(proxy__http_with_password),
		TEST(proxy__socks),
		TEST(proxy__by_tls),
		TEST(proxy__that_cuts),
		TEST(proxy__in_single_bytes),
		TEST(proxy__of_the_environment),
		TEST(proxy__that_is_none),
		TEST(dial__no_server),
		TEST(dial__marks_its_sockets),
		TEST(dial__by_nat64),
		TEST(dial__bad_arguments),
		TEST(dial__closed_at_any_moment),
		TEST(tls__that_is_none),
		TEST(tls__alert),
		TEST(tls__certificates),
		TEST(listener__keeps_its_certificate),
		TEST(upgrade__refused),
		TEST(upgrade__answered_wrongly),
		TEST(listener__tells_a_probe_nothing),
		TEST(listener__in_single_bytes),
		TEST(listener__plain_upgrade),
		TEST(tunnel__bad_requests),
		TEST(tunnel__expires),
		TEST(listener__slowloris),
		TEST(listener__thousands),
		TEST(pump__dies_with_the_network),
		TEST(pump__back_pressure),
	};

	unsetenv("https_proxy");
	unsetenv("HTTPS_PROXY");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
