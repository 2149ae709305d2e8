// SPDX-License-Identifier: GPL-2.0
/*
 * Attach to a forwarder as hosts do, for tests and benchmarks: for each handshake
 * and labels by a channel, and a path by a UDP socket that was inherited.  The paths
 * stay for as long as the forwarder waits to hear of them; what comes down them is
 * the caller's to read.
 *
 *	laya-attach [OPTION]... FORWARDER_KEY ADDRESS PORT FD
 *	laya-attach FORWARDER_KEY ADDRESS PORT FD KEY [+]ADDRESS:PORT COUNT
 *
 *	-n HOSTS	so many (1); a line of output each, the labels or "-"
 *	-l LABELS	of each (1)
 *	-s ADDRESS	IPv4 address of the first host, those of others follow; FD is
 *			bound to no address then
 *	-k		all of them have one key: they are one host, many times
 *	-t MS		how long one may take (20000)
 *	-w		stay; for each line of input all are kept alive, and their
 *			number is printed
 *
 * Without -n, a host that is refused is an error.
 *
 * The second form is a host that is up to no good: it names other forwarders to its
 * own, so many times, and prints how often it was led there, heard that it is not,
 * and heard that this was too much. The key may be "random", another one each time;
 * with a plus sign the address is one more each time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "channel.h"
#include "handshake.h"
#include "packet.h"

#define NONCE_SIZE	12
#define MAX_LABELS	16
/* Hosts at a time: what one source may connect at forwarders */
#define WINDOW		32
#define AGAIN_MS	500
/* Names, some at a time; and how long answers to the last may take */
#define NAME_MS		50
#define NAMES_AT_ONCE	100
#define ANSWER_MS	8000
#define CONTROL_PORT	1

/**
 * struct host - one that attaches
 * @self: who it is
 * @forwarder: to whom
 * @channel: while it attaches
 * @offer: likewise
 * @keys: of its session, once @keyed
 * @source: its address, in host order; 0 is any
 * @counter: of the last packet
 * @path: its path
 * @began: milliseconds, when it began to attach, or was kept alive
 * @busy: one of those that are at it
 * @keyed: it has a session
 * @replied: the forwarder has answered its probe
 * @confirmed: it has answered the forwarder's
 * @refused: it is not attached
 * @n_labels: how many it was given
 * @labels: these
 */
struct host {
	struct laya_identity self;
	struct laya_handshake_peer forwarder;
	struct laya_channel *channel;
	struct laya_offer offer;
	struct laya_session_keys keys;
	uint32_t source;
	uint64_t counter;
	uint16_t path;
	uint64_t began;
	bool busy;
	bool keyed;
	bool replied;
	bool confirmed;
	bool refused;
	unsigned int n_labels;
	uint8_t labels[MAX_LABELS][LAYA_LABEL_SIZE];
};

static struct {
	uv_loop_t loop;
	struct host *hosts;
	unsigned int n;
	bool crowd;
	bool one_key;
	bool stay;
	unsigned int n_labels;
	unsigned int patience;
	uint32_t source;
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	struct laya_address address;
	uv_timer_t timer;
	uv_poll_t poll;
	uv_poll_t input;
	int fd;
	bool attached;		/* all are, or were refused */
	unsigned int next;	/* the first that has not begun */
	unsigned int busy;	/* how many are at it */
	unsigned int alive;
} attach = {
	.n = 1,
	.n_labels = 1,
	.patience = 20000,
};

/* Other forwarders, that are named when @to_name is not 0 */
static struct {
	const char *key;
	struct laya_address address;
	bool next;
	unsigned int to_name;
	unsigned int named;
	unsigned int led;
	unsigned int unreachable;
	unsigned int limited;
	uv_timer_t timer;
} names;

static void die(const char *what)
{
	fprintf(stderr, "laya-attach: %s\n", what);
	exit(1);
}

static unsigned int number_of(const struct host *host)
{
	return host - attach.hosts;
}

static void nonce(uint8_t out[NONCE_SIZE], uint16_t path, uint64_t counter)
{
	laya_put16(out, 0);
	laya_put16(out + 2, path);
	laya_put64(out + 4, counter);
}

static void send_from(uint32_t source, const uint8_t *packet, size_t len)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(source) };
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(info))];
	} control = {
		.header.cmsg_level = IPPROTO_IP,
		.header.cmsg_type = IP_PKTINFO,
		.header.cmsg_len = CMSG_LEN(sizeof(info)),
	};
	struct iovec iov = { .iov_base = (void *)packet, .iov_len = len };
	struct sockaddr_storage ss;
	struct msghdr msg = {
		.msg_name = &ss,
		.msg_namelen = laya_address_to_sockaddr(&attach.address, &ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	if (source) {
		memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.bytes);
	}
	if (sendmsg(attach.fd, &msg, 0) < 0)
		die(strerror(errno));
}

static void send_plain(struct host *host, const uint8_t *plain, size_t len)
{
	const struct laya_data_header header = {
		.path_id = host->path,
		.receiver = host->keys.tx_index,
		.counter = ++host->counter,
	};
	uint8_t packet[1024 + LAYA_DATA_OVERHEAD];
	uint8_t iv[NONCE_SIZE];

	laya_data_header_write(packet, &header);
	nonce(iv, header.path_id, header.counter);
	crypto_aead_chacha20poly1305_ietf_encrypt(packet + LAYA_DATA_HEADER,
						  NULL, plain, len, NULL, 0,
						  NULL, iv, host->keys.tx_key);
	send_from(host->source, packet, len + LAYA_DATA_OVERHEAD);
}

static void send_probe(struct host *host, const struct laya_probe *probe,
		       const struct laya_address *observed)
{
	uint8_t plain[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];

	send_plain(host, plain, laya_probe_write(plain, probe, observed));
}

static void request(struct host *host)
{
	const struct laya_probe probe = {
		.type = LAYA_PROBE_REQUEST,
		.path_kind = LAYA_PATH_KIND_DIRECT,
		.seq = 1,
		.token = 1,
	};

	send_probe(host, &probe, NULL);
}

/* --- other forwarders --- */

static void name_one(struct host *host)
{
	struct laya_message message = { .type = LAYA_MESSAGE_TRUNK_REQUEST };
	uint8_t plain[LAYA_INNER_SIZE + 512] = { LAYA_INNER_DGRAM };
	uint8_t *last = &names.address.addr[3];
	uint8_t private_key[LAYA_KEY_SIZE];
	size_t len;

	message.id = ++names.named;
	if (strcmp(names.key, "random") != 0)
		laya_key_decode_public(message.trunk_request.key, names.key);
	else if (laya_key_generate(private_key) ||
		 laya_key_public(message.trunk_request.key, private_key))
		die("no key");
	message.trunk_request.addresses.n = 1;
	message.trunk_request.addresses.list[0] = names.address;
	while (names.next && ++*last == 0)
		last--;
	if (laya_message_encode(&message, plain + LAYA_INNER_SIZE,
				sizeof(plain) - LAYA_INNER_SIZE, &len))
		die("no request");
	laya_put16(plain + 4, CONTROL_PORT);
	laya_put16(plain + 6, CONTROL_PORT);
	send_plain(host, plain, LAYA_INNER_SIZE + len);
}

static void on_name(uv_timer_t *timer)
{
	unsigned int i;

	if (names.named == names.to_name) {
		printf("%u led %u unreachable %u limited\n", names.led,
		       names.unreachable, names.limited);
		uv_stop(&attach.loop);
		return;
	}
	for (i = 0; i < NAMES_AT_ONCE && names.named < names.to_name; i++)
		name_one(&attach.hosts[0]);
	uv_timer_start(timer, on_name, names.named < names.to_name ?
		       NAME_MS : ANSWER_MS, 0);
}

static void handle_datagram(const uint8_t *plain, size_t len)
{
	struct laya_message message;

	if (len < LAYA_INNER_SIZE || plain[0] != LAYA_INNER_DGRAM ||
	    laya_message_decode(&message, plain + LAYA_INNER_SIZE,
				len - LAYA_INNER_SIZE))
		return;
	if (message.type == LAYA_MESSAGE_TRUNK)
		names.led++;
	else if (message.type != LAYA_MESSAGE_ERROR)
		return;
	else if (message.code == LAYA_MESSAGE_ERROR_RATE_LIMITED)
		names.limited++;
	else
		names.unreachable++;
}

/* --- attaching --- */

static void go_on(void);

static void done(struct host *host)
{
	if (!host->busy)
		return;
	host->busy = false;
	attach.busy--;
	if (host->channel)
		laya_channel_close(host->channel);
	host->channel = NULL;
	go_on();
}

static void refused(struct host *host, const char *why)
{
	if (!attach.crowd)
		die(why);
	host->refused = true;
	done(host);
}

static void check_done(struct host *host)
{
	if (host->replied && host->confirmed &&
	    (attach.attached || host->n_labels > 0))
		done(host);
}

static void handle_packet(const uint8_t *packet, size_t size)
{
	struct laya_data_header header;
	unsigned long long len;
	struct laya_probe probe;
	uint8_t iv[NONCE_SIZE];
	uint8_t plain[2048];
	struct host *host;

	if (size < LAYA_SEALED_MIN || packet[0] != LAYA_PACKET_DATA)
		return;
	laya_data_header_read(&header, packet);
	if (header.receiver == 0 || header.receiver > attach.n)
		return;
	host = &attach.hosts[header.receiver - 1];
	nonce(iv, header.path_id, header.counter);
	if (!host->keyed ||
	    crypto_aead_chacha20poly1305_ietf_decrypt(plain, &len, NULL,
						      packet + LAYA_DATA_HEADER,
						      size - LAYA_DATA_HEADER,
						      NULL, 0, iv,
						      host->keys.rx_key))
		return;
	if (laya_probe_read(&probe, plain, len)) {
		handle_datagram(plain, len);
		return;
	}
	if (probe.type == LAYA_PROBE_REPLY) {
		host->replied = true;
	} else if (probe.type == LAYA_PROBE_REQUEST) {
		probe.type = LAYA_PROBE_REPLY;
		send_probe(host, &probe, &attach.address);
		host->confirmed = true;
	}
	check_done(host);
}

static void on_packet(uv_poll_t *poll, int status, int events)
{
	uint8_t packet[2048];
	ssize_t size;

	(void)poll;
	(void)status;
	(void)events;
	while ((size = recv(attach.fd, packet, sizeof(packet),
			    MSG_DONTWAIT)) >= 0)
		handle_packet(packet, size);
}

static void on_ready(struct laya_channel *channel, void *data)
{
	static const struct laya_candidates none;
	struct laya_message message = { .type = LAYA_MESSAGE_OFFER, .id = 1 };
	uint8_t body[LAYA_MAX_BODY];
	struct host *host = data;

	/* The stamps of one key grow. */
	if (laya_offer_make(&host->offer, &host->self, &host->forwarder,
			    number_of(host) + 1, number_of(host) + 1, &none,
			    body, sizeof(body), &message.sealed.body_len))
		die("no offer");
	memcpy(message.sealed.key, host->forwarder.key, LAYA_KEY_SIZE);
	message.sealed.body = body;
	laya_channel_send(channel, &message);
}

static void on_answer(struct host *host, const struct laya_message *answer)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_FOLLOWUP,
		.id = answer->id,
	};
	struct laya_candidates candidates;
	uint8_t body[LAYA_MAX_BODY];
	unsigned int i;

	if (laya_answer_read(&host->keys, &candidates, &host->offer,
			     answer->sealed.body, answer->sealed.body_len))
		die("the answer cannot be read");
	if (host->keys.cipher != LAYA_CIPHER_CHACHA20_POLY1305)
		die("the cipher is not the one that was offered first");
	candidates.n = 0;
	if (laya_followup_make(&host->keys, &candidates, body, sizeof(body),
			       &message.sealed.body_len))
		die("no follow-up");
	memcpy(message.sealed.key, host->forwarder.key, LAYA_KEY_SIZE);
	message.sealed.body = body;
	laya_channel_send(host->channel, &message);
	host->keyed = true;

	memset(&message, 0, sizeof(message));
	message.type = LAYA_MESSAGE_LABEL_REQUEST;
	message.id = 2;
	message.label_request.n = attach.n_labels;
	for (i = 0; i < attach.n_labels; i++) {
		/* For whom does not matter, but that it could be somebody */
		randombytes_buf(message.label_request.keys[i], LAYA_KEY_SIZE);
		message.label_request.keys[i][LAYA_KEY_SIZE - 1] &= 0x3f;
	}
	laya_channel_send(host->channel, &message);
	request(host);
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct host *host = data;
	unsigned int i;

	(void)channel;
	switch (message->type) {
	case LAYA_MESSAGE_ANSWER:
		on_answer(host, message);
		break;
	case LAYA_MESSAGE_LABELS:
		host->n_labels = message->labels.n;
		if (host->n_labels != attach.n_labels) {
			refused(host, "it gives fewer labels");
			return;
		}
		for (i = 0; i < host->n_labels; i++)
			memcpy(host->labels[i], message->labels.list[i].label,
			       LAYA_LABEL_SIZE);
		check_done(host);
		break;
	default:
		refused(host, laya_message_type_name(message->type));
	}
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	struct host *host = data;

	(void)channel;
	(void)error;
	host->channel = NULL;
	refused(host, reason);
}

static const struct laya_channel_ops ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
};

/* Return: a socket, connected, or a negative errno. */
static int dial(uint32_t source)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(source),
	};
	struct sockaddr_storage ss;
	socklen_t size;
	int fd;

	size = laya_address_to_sockaddr(&attach.address, &ss);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die(strerror(errno));
	if (source && bind(fd, (struct sockaddr *)&from, sizeof(from)))
		die(strerror(errno));
	/* It is near: this does not wait for long */
	if (connect(fd, (struct sockaddr *)&ss, size)) {
		size = -errno;
		close(fd);
		return size;
	}
	return fd;
}

static void begin(struct host *host)
{
	struct laya_channel_config config;
	uint8_t private_key[LAYA_KEY_SIZE];
	int fd;

	memcpy(private_key, attach.private_key, LAYA_KEY_SIZE);
	if (!attach.one_key && laya_key_generate(private_key))
		die("no key");
	/* Not accelerated: so the forwarder chooses ChaCha20-Poly1305. */
	if (laya_identity_init(&host->self, private_key, false) ||
	    laya_handshake_peer_init(&host->forwarder, &host->self, attach.key,
				     NULL))
		die("bad key");
	host->path = 1;
	if (memcmp(host->self.public_key, attach.key, LAYA_KEY_SIZE) > 0)
		host->path |= LAYA_PATH_ID_GREATER;
	if (attach.source)
		host->source = attach.source + number_of(host);
	laya_channel_config_client(&config, LAYA_PROLOGUE_ATTACH, private_key);
	fd = dial(host->source);
	if (fd < 0)
		refused(host, strerror(-fd));
	else if (laya_channel_open(&host->channel, &attach.loop, &config, fd,
				   NULL, NULL, attach.key, &ops, host))
		die("no channel");
}

static void keep_alive(struct host *host)
{
	host->replied = false;
	host->confirmed = true;
	request(host);
}

static void print_labels(void)
{
	char hex[2 * LAYA_LABEL_SIZE + 1];
	const struct host *host;
	unsigned int i, j;

	for (i = 0; i < attach.n; i++) {
		host = &attach.hosts[i];
		if (host->refused)
			fputs("-", stdout);
		else
			attach.alive++;
		for (j = 0; !host->refused && j < host->n_labels; j++) {
			sodium_bin2hex(hex, sizeof(hex), host->labels[j],
				       LAYA_LABEL_SIZE);
			printf("%s%s", j > 0 ? " " : "", hex);
		}
		putchar('\n');
	}
}

/* So many at a time, and then those after them */
static void go_on(void)
{
	static bool inside;
	struct host *host;

	if (inside)
		return;
	inside = true;
	while (attach.busy < (attach.one_key ? 1 : WINDOW) &&
	       attach.next < attach.n) {
		host = &attach.hosts[attach.next++];
		if (attach.attached && host->refused)
			continue;
		host->busy = true;
		host->began = uv_now(&attach.loop);
		attach.busy++;
		if (attach.attached)
			keep_alive(host);
		else
			begin(host);
	}
	inside = false;
	if (attach.busy > 0 || attach.next < attach.n)
		return;
	if (names.to_name) {
		attach.attached = true;
		on_name(&names.timer);
		return;
	}
	if (!attach.attached)
		print_labels();
	else
		printf("%u\n", attach.alive);
	fflush(stdout);
	attach.attached = true;
	if (!attach.stay)
		uv_stop(&attach.loop);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
	char byte;

	(void)status;
	(void)events;
	if (read(0, &byte, 1) != 1) {
		uv_poll_stop(poll);
		uv_stop(&attach.loop);
		return;
	}
	if (byte != '\n' || !attach.attached)
		return;
	attach.next = 0;
	go_on();
}

static void on_timer(uv_timer_t *timer)
{
	struct host *host;
	unsigned int i;

	(void)timer;
	for (i = 0; i < attach.next && attach.busy > 0; i++) {
		host = &attach.hosts[i];
		if (!host->busy)
			continue;
		if (uv_now(&attach.loop) - host->began >= attach.patience)
			refused(host, "it takes too long");
		else if (host->keyed && !host->replied)
			request(host);
	}
}

static void parse_options(int argc, char **argv)
{
	struct in_addr address;
	int c;

	while ((c = getopt(argc, argv, "n:l:s:kt:w")) != -1) {
		switch (c) {
		case 'n':
			attach.n = atoi(optarg);
			attach.crowd = true;
			break;
		case 'l':
			attach.n_labels = atoi(optarg);
			break;
		case 's':
			if (inet_pton(AF_INET, optarg, &address) != 1)
				die("-s wants an address");
			attach.source = ntohl(address.s_addr);
			break;
		case 'k':
			attach.one_key = true;
			break;
		case 't':
			attach.patience = atoi(optarg);
			break;
		case 'w':
			attach.stay = true;
			break;
		default:
			exit(2);
		}
	}
	if (attach.n == 0 || attach.n_labels == 0 ||
	    attach.n_labels > MAX_LABELS)
		die("bad number");
}

int main(int argc, char **argv)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];

	parse_options(argc, argv);
	argc -= optind;
	argv += optind;
	if ((argc != 4 && (argc != 7 || optind > 1)) || sodium_init() < 0)
		die("usage: laya-attach [OPTION]... FORWARDER_KEY ADDRESS PORT FD\n"
		    "       laya-attach FORWARDER_KEY ADDRESS PORT FD KEY [+]ADDRESS:PORT COUNT");
	if (argc == 7) {
		names.key = argv[4];
		names.next = argv[5][0] == '+';
		names.to_name = strtoul(argv[6], NULL, 10);
		if (laya_address_parse(&names.address, argv[5] + names.next))
			die("bad address to name");
	}
	snprintf(text, sizeof(text), "%s:%s", argv[1], argv[2]);
	attach.fd = atoi(argv[3]);
	if (laya_key_decode_public(attach.key, argv[0]) ||
	    laya_address_parse(&attach.address, text) ||
	    laya_key_generate(attach.private_key))
		die("bad key or address");
	attach.hosts = calloc(attach.n, sizeof(*attach.hosts));
	if (!attach.hosts)
		die("no memory");

	uv_loop_init(&attach.loop);
	uv_timer_init(&attach.loop, &attach.timer);
	uv_timer_start(&attach.timer, on_timer, AGAIN_MS, AGAIN_MS);
	uv_timer_init(&attach.loop, &names.timer);
	uv_poll_init(&attach.loop, &attach.poll, attach.fd);
	uv_poll_start(&attach.poll, UV_READABLE, on_packet);
	if (attach.stay) {
		uv_poll_init(&attach.loop, &attach.input, 0);
		uv_poll_start(&attach.input, UV_READABLE, on_input);
	}
	go_on();
	uv_run(&attach.loop, UV_RUN_DEFAULT);
	return 0;
}
