// SPDX-License-Identifier: GPL-2.0
/*
 * laya-nl - requests of the netlink family "laya", as its specification names them
 *
 *	laya-nl [-d] COMMAND [ATTRIBUTE[=VALUE]]...
 *	laya-nl -
 *
 * For tests of the kernel: it sends what it is told, right or wrong, and says what
 * came back. With -d the request is a dump. An answer is a line of ATTRIBUTE=VALUE,
 * an event the same with its command in front. Of a failure the kernel's words
 * and the attribute at fault go to stderr, and the exit status is 1; the errno is
 * named last.
 *
 * With "-", requests are read from stdin, one a line, and all go over one socket: so
 * one may claim a device, and then change it. "wait SECONDS" prints events for so
 * long, "monitor" joins the group. What fails is said on stdout then, as "error: ...".
 *
 * Values: numbers as in C; keys in base64, or one letter for 32 times that; addresses
 * as 192.0.2.1:5 or [2001:db8::1]:5; dev=NAME is ifindex; flags as numbers. A value
 * hex:0123... is sent byte by byte for any attribute, and no value is an empty one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/laya_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "address.h"
#include "key.h"

enum type { U16, U32, U64, FLAG, STRING, KEY, IN6, ADDRESS, BYTES, DROPS };

struct attribute {
	const char *name;
	int number;
	enum type type;
};

#define END	{ NULL, 0, U32 }

static const struct attribute device_attributes[] = {
	{ "ifindex", LAYA_A_DEVICE_IFINDEX, U32 },
	{ "ifname", LAYA_A_DEVICE_IFNAME, STRING },
	{ "public-key", LAYA_A_DEVICE_PUBLIC_KEY, KEY },
	{ "orchid", LAYA_A_DEVICE_ORCHID, IN6 },
	{ "flags", LAYA_A_DEVICE_FLAGS, U32 },
	{ "fwmark", LAYA_A_DEVICE_FWMARK, U32 },
	{ "owner", LAYA_A_DEVICE_OWNER, U32 },
	{ "peers", LAYA_A_DEVICE_PEERS, U32 },
	{ "labels", LAYA_A_DEVICE_LABELS, U32 },
	{ "user-timeout", LAYA_A_DEVICE_USER_TIMEOUT, U32 },
	{ "drops", LAYA_A_DEVICE_DROPS, DROPS },
	END
};

static const struct attribute peer_attributes[] = {
	{ "ifindex", LAYA_A_PEER_IFINDEX, U32 },
	{ "public-key", LAYA_A_PEER_PUBLIC_KEY, KEY },
	{ "orchid", LAYA_A_PEER_ORCHID, IN6 },
	{ "flags", LAYA_A_PEER_FLAGS, U32 },
	{ "error", LAYA_A_PEER_ERROR, U32 },
	{ "queued", LAYA_A_PEER_QUEUED, U32 },
	{ "tx-packets", LAYA_A_PEER_TX_PACKETS, U64 },
	{ "tx-bytes", LAYA_A_PEER_TX_BYTES, U64 },
	{ "rx-packets", LAYA_A_PEER_RX_PACKETS, U64 },
	{ "rx-bytes", LAYA_A_PEER_RX_BYTES, U64 },
	{ "last-rx-ms", LAYA_A_PEER_LAST_RX_MS, U64 },
	{ "path-id", LAYA_A_PEER_PATH_ID, U32 },
	END
};

static const struct attribute session_attributes[] = {
	{ "ifindex", LAYA_A_SESSION_IFINDEX, U32 },
	{ "public-key", LAYA_A_SESSION_PUBLIC_KEY, KEY },
	{ "slot", LAYA_A_SESSION_SLOT, U32 },
	{ "cipher", LAYA_A_SESSION_CIPHER, U32 },
	{ "rx-index", LAYA_A_SESSION_RX_INDEX, U32 },
	{ "tx-index", LAYA_A_SESSION_TX_INDEX, U32 },
	{ "rx-key", LAYA_A_SESSION_RX_KEY, KEY },
	{ "tx-key", LAYA_A_SESSION_TX_KEY, KEY },
	{ "initiator", LAYA_A_SESSION_INITIATOR, FLAG },
	{ "confirmed", LAYA_A_SESSION_CONFIRMED, FLAG },
	{ "age-ms", LAYA_A_SESSION_AGE_MS, U64 },
	{ "tx-packets", LAYA_A_SESSION_TX_PACKETS, U64 },
	{ "rx-packets", LAYA_A_SESSION_RX_PACKETS, U64 },
	{ "failures", LAYA_A_SESSION_FAILURES, U64 },
	{ "reason", LAYA_A_SESSION_REASON, U32 },
	END
};

static const struct attribute path_attributes[] = {
	{ "ifindex", LAYA_A_PATH_IFINDEX, U32 },
	{ "public-key", LAYA_A_PATH_PUBLIC_KEY, KEY },
	{ "path-id", LAYA_A_PATH_PATH_ID, U32 },
	{ "kind", LAYA_A_PATH_KIND, U32 },
	{ "carrier-id", LAYA_A_PATH_CARRIER_ID, U32 },
	{ "carrier-type", LAYA_A_PATH_CARRIER_TYPE, U32 },
	{ "state", LAYA_A_PATH_STATE, U32 },
	{ "answered", LAYA_A_PATH_ANSWERED, FLAG },
	{ "in-use", LAYA_A_PATH_IN_USE, FLAG },
	{ "remote", LAYA_A_PATH_REMOTE, ADDRESS },
	{ "local", LAYA_A_PATH_LOCAL, ADDRESS },
	{ "oif", LAYA_A_PATH_OIF, U32 },
	{ "labels", LAYA_A_PATH_LABELS, BYTES },
	{ "forwarder", LAYA_A_PATH_FORWARDER, KEY },
	{ "observed", LAYA_A_PATH_OBSERVED, ADDRESS },
	{ "mtu", LAYA_A_PATH_MTU, U32 },
	{ "rtt-us", LAYA_A_PATH_RTT_US, U32 },
	{ "rttvar-us", LAYA_A_PATH_RTTVAR_US, U32 },
	{ "loss-permille", LAYA_A_PATH_LOSS_PERMILLE, U32 },
	{ "goodput", LAYA_A_PATH_GOODPUT, U64 },
	{ "tx-packets", LAYA_A_PATH_TX_PACKETS, U64 },
	{ "tx-bytes", LAYA_A_PATH_TX_BYTES, U64 },
	{ "rx-packets", LAYA_A_PATH_RX_PACKETS, U64 },
	{ "rx-bytes", LAYA_A_PATH_RX_BYTES, U64 },
	{ "last-rx-ms", LAYA_A_PATH_LAST_RX_MS, U64 },
	{ "unanswered", LAYA_A_PATH_UNANSWERED, U32 },
	{ "unanswered-ms", LAYA_A_PATH_UNANSWERED_MS, U64 },
	END
};

static const struct attribute carrier_attributes[] = {
	{ "ifindex", LAYA_A_CARRIER_IFINDEX, U32 },
	{ "carrier-id", LAYA_A_CARRIER_CARRIER_ID, U32 },
	{ "type", LAYA_A_CARRIER_TYPE, U32 },
	{ "port", LAYA_A_CARRIER_PORT, U16 },
	{ "rx-packets", LAYA_A_CARRIER_RX_PACKETS, U64 },
	{ "rx-bytes", LAYA_A_CARRIER_RX_BYTES, U64 },
	{ "tx-packets", LAYA_A_CARRIER_TX_PACKETS, U64 },
	{ "tx-bytes", LAYA_A_CARRIER_TX_BYTES, U64 },
	{ "fd", LAYA_A_CARRIER_FD, U32 },
	{ "remote", LAYA_A_CARRIER_REMOTE, ADDRESS },
	{ "error", LAYA_A_CARRIER_ERROR, U32 },
	END
};

static const struct attribute label_attributes[] = {
	{ "ifindex", LAYA_A_LABEL_IFINDEX, U32 },
	{ "label", LAYA_A_LABEL_LABEL, BYTES },
	{ "public-key", LAYA_A_LABEL_PUBLIC_KEY, KEY },
	{ "for-key", LAYA_A_LABEL_FOR_KEY, KEY },
	{ "rate", LAYA_A_LABEL_RATE, U64 },
	{ "burst", LAYA_A_LABEL_BURST, U32 },
	{ "expires-ms", LAYA_A_LABEL_EXPIRES_MS, U32 },
	{ "packets", LAYA_A_LABEL_PACKETS, U64 },
	{ "bytes", LAYA_A_LABEL_BYTES, U64 },
	{ "dropped", LAYA_A_LABEL_DROPPED, U64 },
	{ "flows", LAYA_A_LABEL_FLOWS, U32 },
	END
};

static const struct command {
	const char *name;
	int number;
	const struct attribute *attributes;
} commands[] = {
	{ "device-get", LAYA_CMD_DEVICE_GET, device_attributes },
	{ "device-set", LAYA_CMD_DEVICE_SET, device_attributes },
	{ "device-claim", LAYA_CMD_DEVICE_CLAIM, device_attributes },
	{ "peer-new", LAYA_CMD_PEER_NEW, peer_attributes },
	{ "peer-set", LAYA_CMD_PEER_SET, peer_attributes },
	{ "peer-del", LAYA_CMD_PEER_DEL, peer_attributes },
	{ "peer-get", LAYA_CMD_PEER_GET, peer_attributes },
	{ "session-new", LAYA_CMD_SESSION_NEW, session_attributes },
	{ "session-set", LAYA_CMD_SESSION_SET, session_attributes },
	{ "session-del", LAYA_CMD_SESSION_DEL, session_attributes },
	{ "session-get", LAYA_CMD_SESSION_GET, session_attributes },
	{ "path-new", LAYA_CMD_PATH_NEW, path_attributes },
	{ "path-del", LAYA_CMD_PATH_DEL, path_attributes },
	{ "path-get", LAYA_CMD_PATH_GET, path_attributes },
	{ "carrier-new", LAYA_CMD_CARRIER_NEW, carrier_attributes },
	{ "carrier-del", LAYA_CMD_CARRIER_DEL, carrier_attributes },
	{ "carrier-get", LAYA_CMD_CARRIER_GET, carrier_attributes },
	{ "label-new", LAYA_CMD_LABEL_NEW, label_attributes },
	{ "label-del", LAYA_CMD_LABEL_DEL, label_attributes },
	{ "label-get", LAYA_CMD_LABEL_GET, label_attributes },
	{ "peer-wanted", LAYA_CMD_PEER_WANTED, peer_attributes },
	{ "session-aging", LAYA_CMD_SESSION_AGING, session_attributes },
	{ "path-changed", LAYA_CMD_PATH_CHANGED, path_attributes },
	{ "carrier-lost", LAYA_CMD_CARRIER_LOST, carrier_attributes },
	{ NULL, 0, NULL }
};

/* One request and what became of it. */
struct exchange {
	const struct command *command;
	const void *request;		/* struct nlmsghdr */
	bool done;
	bool interrupted;
	int error;
	char words[512];
};

static int family;

static void usage_error(const char *what, const char *which)
{
	fprintf(stderr, "laya-nl: %s '%s'\n", what, which);
	exit(2);
}

static const struct command *command_named(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

static const struct command *command_numbered(int number)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (command->number == number)
			return command;
	return NULL;
}

static const struct attribute *attribute_named(const struct command *command,
					       const char *name)
{
	const struct attribute *attribute;

	for (attribute = command->attributes; attribute->name; attribute++)
		if (!strcmp(attribute->name, name))
			return attribute;
	return NULL;
}

static const struct attribute *attribute_numbered(const struct command *command,
						  int number)
{
	const struct attribute *attribute;

	for (attribute = command->attributes; attribute->name; attribute++)
		if (attribute->number == number)
			return attribute;
	return NULL;
}

static size_t parse_hex(uint8_t *to, size_t size, const char *text)
{
	size_t n = 0;
	unsigned int byte;

	while (text[0] && text[1] && n < size) {
		if (sscanf(text, "%2x", &byte) != 1)
			usage_error("not hexadecimal:", text);
		to[n++] = byte;
		text += 2;
	}
	if (*text)
		usage_error("not hexadecimal, or too long:", text);
	return n;
}

/* Put a value into @msg as its attribute's type says. */
static void put_value(struct nl_msg *msg, const struct attribute *attribute,
		      const char *value)
{
	struct laya_address address;
	struct sockaddr_storage ss;
	struct in6_addr in6;
	uint8_t bytes[256];
	socklen_t len;

	if (!*value) {
		nla_put(msg, attribute->number, 0, bytes);
		return;
	}
	if (!strncmp(value, "hex:", 4)) {
		nla_put(msg, attribute->number,
			parse_hex(bytes, sizeof(bytes), value + 4), bytes);
		return;
	}
	switch (attribute->type) {
	case U16:
		nla_put_u16(msg, attribute->number, strtoul(value, NULL, 0));
		break;
	case U32:
		nla_put_u32(msg, attribute->number, strtoul(value, NULL, 0));
		break;
	case U64:
		nla_put_u64(msg, attribute->number, strtoull(value, NULL, 0));
		break;
	case STRING:
		nla_put_string(msg, attribute->number, value);
		break;
	case KEY:
		if (!value[1])
			memset(bytes, value[0], LAYA_KEY_SIZE);
		else if (laya_key_decode(bytes, value))
			usage_error("not a key:", value);
		nla_put(msg, attribute->number, LAYA_KEY_SIZE, bytes);
		break;
	case IN6:
		if (inet_pton(AF_INET6, value, &in6) != 1)
			usage_error("not an IPv6 address:", value);
		nla_put(msg, attribute->number, sizeof(in6), &in6);
		break;
	case ADDRESS:
		if (laya_address_parse(&address, value))
			usage_error("not an address:", value);
		len = laya_address_to_sockaddr(&address, &ss);
		nla_put(msg, attribute->number, len, &ss);
		break;
	case BYTES:
		nla_put(msg, attribute->number,
			parse_hex(bytes, sizeof(bytes), value), bytes);
		break;
	case FLAG:
	case DROPS:
		usage_error("takes no value:", attribute->name);
	}
}

static void put_attribute(struct nl_msg *msg, const struct command *command,
			  char *text)
{
	const struct attribute *attribute;
	char number[16];
	char *value;

	value = strchr(text, '=');
	if (value)
		*value++ = '\0';
	if (value && !strcmp(text, "dev")) {
		snprintf(number, sizeof(number), "%u", if_nametoindex(value));
		if (!strcmp(number, "0"))
			usage_error("no such interface:", value);
		value = number;
		text = (char *)"ifindex";
	}
	attribute = attribute_named(command, text);
	if (!attribute)
		usage_error("no such attribute:", text);
	put_value(msg, attribute, value ? value : "");
}

static uint64_t get_number(const struct nlattr *nla)
{
	uint64_t value = 0;

	/* Little-endian machines, as all that tests run on */
	memcpy(&value, nla_data(nla),
	       (size_t)nla_len(nla) < sizeof(value) ? (size_t)nla_len(nla) :
						      sizeof(value));
	return value;
}

static void print_drop(struct nlattr *nest)
{
	struct nlattr *attrs[LAYA_A_DROP_MAX + 1];

	if (nla_parse_nested(attrs, LAYA_A_DROP_MAX, nest, NULL) ||
	    !attrs[LAYA_A_DROP_REASON] || !attrs[LAYA_A_DROP_PACKETS])
		return;
	printf(" drop:%s=%llu", nla_get_string(attrs[LAYA_A_DROP_REASON]),
	       (unsigned long long)get_number(attrs[LAYA_A_DROP_PACKETS]));
}

static void print_value(const struct attribute *attribute, struct nlattr *nla)
{
	char text[LAYA_ADDRESS_TEXT_SIZE + LAYA_KEY_TEXT_SIZE];
	const uint8_t *bytes = nla_data(nla);
	struct laya_address address;
	struct sockaddr_storage ss;
	int i;

	if (attribute->type == DROPS) {
		print_drop(nla);
		return;
	}
	printf(" %s", attribute->name);
	switch (attribute->type) {
	case U16:
	case U32:
	case U64:
		printf("=%llu", (unsigned long long)get_number(nla));
		break;
	case STRING:
		printf("=%s", nla_get_string(nla));
		break;
	case KEY:
		laya_key_encode(text, bytes);
		printf("=%s", text);
		break;
	case IN6:
		printf("=%s", inet_ntop(AF_INET6, bytes, text, sizeof(text)));
		break;
	case ADDRESS:
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, bytes, nla_len(nla));
		if (laya_address_from_sockaddr(&address, (void *)&ss))
			break;
		laya_address_format(text, &address);
		printf("=%s", text);
		break;
	case BYTES:
		printf("=");
		for (i = 0; i < nla_len(nla); i++)
			printf("%02x", bytes[i]);
		break;
	case FLAG:
	case DROPS:
		break;
	}
}

static void print_attributes(const struct command *command,
			     struct genlmsghdr *header)
{
	const struct attribute *attribute;
	struct nlattr *nla;
	int left;

	nla_for_each_attr(nla, genlmsg_attrdata(header, 0),
			  genlmsg_attrlen(header, 0), left) {
		attribute = attribute_numbered(command, nla_type(nla));
		if (attribute)
			print_value(attribute, nla);
		else if (nla_type(nla))
			printf(" %d=?", nla_type(nla));
	}
	printf("\n");
	fflush(stdout);
}

/* Of the request, which attribute stands at @offset? */
static const char *attribute_at(const struct exchange *exchange, uint32_t offset)
{
	const struct attribute *attribute;
	const struct nlattr *nla;

	nla = (const void *)((const char *)exchange->request + offset);
	attribute = attribute_numbered(exchange->command, nla_type(nla));
	return attribute ? attribute->name : "?";
}

static void explain(struct exchange *exchange, struct nlmsghdr *nlh)
{
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	struct nlmsgerr *err = nlmsg_data(nlh);
	char *to = exchange->words;
	size_t skip = sizeof(*err);

	exchange->error = -err->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += err->msg.nlmsg_len - NLMSG_HDRLEN;
	if (nla_parse(attrs, NLMSGERR_ATTR_MAX,
		      (struct nlattr *)((char *)err + skip),
		      nlh->nlmsg_len - NLMSG_HDRLEN - skip, NULL))
		return;
	if (attrs[NLMSGERR_ATTR_MSG])
		to += snprintf(to, 300, "%s: ",
			       nla_get_string(attrs[NLMSGERR_ATTR_MSG]));
	if (attrs[NLMSGERR_ATTR_OFFS])
		snprintf(to, 100, "attribute %s: ",
			 attribute_at(exchange,
				      nla_get_u32(attrs[NLMSGERR_ATTR_OFFS])));
}

/* Every message that comes. */
static int on_message(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct genlmsghdr *header;
	const struct command *command;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		explain(exchange, nlh);
		exchange->done = true;
		return NL_STOP;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		int error = 0;

		if (nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(error))
			memcpy(&error, nlmsg_data(nlh), sizeof(error));
		exchange->error = error < 0 ? -error : 0;
		exchange->done = true;
		return NL_STOP;
	}
	if (nlh->nlmsg_type != family)
		return NL_SKIP;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		exchange->interrupted = true;
	header = nlmsg_data(nlh);
	command = command_numbered(header->cmd);
	if (!command)
		return NL_SKIP;
	if (!nlh->nlmsg_seq)
		printf("%s", command->name);
	print_attributes(command, header);
	return NL_OK;
}

static int no_sequence(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static void receive(struct nl_sock *sock, struct exchange *exchange)
{
	int err;

	nl_socket_modify_cb(sock, NL_CB_MSG_IN, NL_CB_CUSTOM, on_message,
			    exchange);
	err = nl_recvmsgs_default(sock);
	if (err < 0) {
		fprintf(stderr, "laya-nl: %s\n", nl_geterror(err));
		exit(2);
	}
}

/* Returns the errno. */
static int request(struct nl_sock *sock, bool dump, const struct command *command,
		   char **texts, FILE *complain)
{
	struct exchange exchange = { .command = command };
	struct nl_msg *msg = nlmsg_alloc();
	int err;

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
				 NLM_F_ACK | (dump ? NLM_F_DUMP : 0),
				 command->number, LAYA_FAMILY_VERSION)) {
		fprintf(stderr, "laya-nl: no memory\n");
		exit(2);
	}
	for (; *texts; texts++)
		put_attribute(msg, command, *texts);
	exchange.request = nlmsg_hdr(msg);
	err = nl_send_auto(sock, msg);
	if (err < 0) {
		fprintf(stderr, "laya-nl: %s\n", nl_geterror(err));
		exit(2);
	}
	while (!exchange.done)
		receive(sock, &exchange);
	nlmsg_free(msg);
	if (exchange.interrupted)
		printf("interrupted\n");
	if (exchange.error)
		fprintf(complain, "%s%s%s\n",
			complain == stderr ? "laya-nl: " : "error: ",
			exchange.words, strerrorname_np(exchange.error));
	return exchange.error;
}

static void wait_for_events(struct nl_sock *sock, double seconds)
{
	struct pollfd pollfd = { .fd = nl_socket_get_fd(sock), .events = POLLIN };
	struct exchange exchange = {};
	struct timespec now, end;
	double left;

	clock_gettime(CLOCK_MONOTONIC, &end);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = seconds - (now.tv_sec - end.tv_sec) -
		       (now.tv_nsec - end.tv_nsec) / 1e9;
		if (left <= 0)
			return;
		if (poll(&pollfd, 1, left * 1000) > 0)
			receive(sock, &exchange);
	}
}

static void follow(struct nl_sock *sock)
{
	const struct command *command;
	char *texts[32];
	char line[4096];
	bool dump;
	int n;

	while (fgets(line, sizeof(line), stdin)) {
		n = 0;
		for (char *text = strtok(line, " \n"); text && n < 31;
		     text = strtok(NULL, " \n"))
			texts[n++] = text;
		texts[n] = NULL;
		if (!n || texts[0][0] == '#')
			continue;
		if (!strcmp(texts[0], "wait")) {
			wait_for_events(sock, n > 1 ? atof(texts[1]) : 1);
			continue;
		}
		if (!strcmp(texts[0], "monitor")) {
			int group = genl_ctrl_resolve_grp(sock, LAYA_FAMILY_NAME,
							  LAYA_MCGRP_MONITOR);

			n = group < 0 ? group :
			    nl_socket_add_membership(sock, group);
			if (n)
				printf("error: %s\n", nl_geterror(n));
			continue;
		}
		dump = !strcmp(texts[0], "-d") && n > 1;
		command = command_named(texts[dump]);
		if (!command)
			usage_error("no such command:", texts[dump]);
		request(sock, dump, command, texts + dump + 1, stdout);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct nl_sock *sock;
	bool dump = false;
	int one = 1;

	if (argc > 1 && !strcmp(argv[1], "-d")) {
		dump = true;
		argv++;
		argc--;
	}
	if (argc < 2) {
		fprintf(stderr,
			"usage: laya-nl [-d] COMMAND [ATTRIBUTE[=VALUE]]... | laya-nl -\n");
		return 2;
	}
	sock = nl_socket_alloc();
	if (!sock || genl_connect(sock)) {
		fprintf(stderr, "laya-nl: no netlink socket\n");
		return 2;
	}
	family = genl_ctrl_resolve(sock, LAYA_FAMILY_NAME);
	if (family < 0) {
		fprintf(stderr, "laya-nl: the laya module is not loaded\n");
		return 2;
	}
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &one,
		   sizeof(one));
	nl_socket_modify_cb(sock, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, no_sequence,
			    NULL);
	nl_socket_disable_auto_ack(sock);

	if (!strcmp(argv[1], "-")) {
		follow(sock);
		return 0;
	}
	command = command_named(argv[1]);
	if (!command)
		usage_error("no such command:", argv[1]);
	return request(sock, dump, command, argv + 2, stderr) ? 1 : 0;
}
