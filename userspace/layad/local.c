// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "limit.h"
#include "local.h"
#include "log.h"
#include "mdns.h"
#include "peer.h"
#include "signalling.h"

/* From one question to the next; whoever comes later asks for us. */
#define ASK_FIRST_MS	1000
#define ASK_MAX_MS	300000
/* Not at once: others may come up at the same time (RFC 6762, 5.2). */
#define ASK_SPREAD_MS	100
#define LINKS_MAX	32
#define READS_MAX	32

/* Of one link; what is ours in them takes some HMACs of each peer. */
static const struct rate messages = { .per_second = 20, .burst = 50 };
/* RFC 6762, 6: about one a second */
static const struct rate answers = { .per_second = 2, .burst = 8 };

/**
 * struct link - an interface, by one family
 * @entry: in local->links
 * @node: ours
 * @family: AF_INET or AF_INET6
 * @ifindex: which interface
 * @fd: receives what comes to the group there, and nothing else
 * @poll: of it
 * @stale: it is not among the links any more
 * @messages: that were read
 * @answers: that were given
 */
struct link {
	TAILQ_ENTRY(link) entry;
	struct node *node;
	uint16_t family;
	uint32_t ifindex;
	int fd;
	uv_poll_t poll;
	bool stale;
	struct bucket messages;
	struct bucket answers;
};

struct local_discovery {
	struct node *node;
	TAILQ_HEAD(, link) links;
	unsigned int n_links;
	struct timer *timer;
	struct backoff backoff;
	uint64_t asked;
};

static uint64_t period(void)
{
	return (uint64_t)time(NULL) / LAYA_MDNS_PERIOD_S;
}

static socklen_t group_address(const struct link *link,
			       struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = link->family;
	if (link->family == AF_INET) {
		in->sin_port = htons(LAYA_MDNS_PORT);
		inet_pton(AF_INET, "224.0.0.251", &in->sin_addr);
		return sizeof(*in);
	}
	in6->sin6_port = htons(LAYA_MDNS_PORT);
	in6->sin6_scope_id = link->ifindex;
	inet_pton(AF_INET6, "ff02::fb", &in6->sin6_addr);
	return sizeof(*in6);
}

static void send_message(struct link *link,
			 const struct laya_mdns_message *message)
{
	uint8_t bytes[LAYA_MDNS_MAX];
	struct sockaddr_storage ss;
	socklen_t size = group_address(link, &ss);
	size_t len;

	if (laya_mdns_write(message, bytes, sizeof(bytes), &len))
		return;
	if (sendto(link->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		   (struct sockaddr *)&ss, size) < 0)
		laya_debug("multicast on interface %u: %s", link->ifindex,
			   strerror(errno));
}

/* Return: NULL for who is no peer, or has no key that we could have. */
static const uint8_t *secret_of(struct peer *peer)
{
	if (!peer->configured)
		return NULL;
	if (laya_key_is_zero(peer->local_secret) &&
	    laya_mdns_secret(peer->local_secret, peer->self->private_key,
			     peer->handshake.key))
		return NULL;
	return peer->local_secret;
}

/* A clock may be somewhat wrong: the hours before and after count as well. */
static bool is_called(struct peer *peer, const uint8_t *owner,
		      const struct laya_mdns_service *service)
{
	const uint8_t *secret = secret_of(peer);
	uint8_t token[LAYA_MDNS_TOKEN_SIZE];
	uint64_t now = period();
	unsigned int i;

	for (i = 0; i < 3 && secret; i++) {
		laya_mdns_token(token, secret, owner, now - 1 + i);
		if (memcmp(token, service->token, sizeof(token)) == 0)
			return true;
	}
	return false;
}

/* Whoever can receive it is on the link, and sees our addresses anyway. */
static void answer(struct link *link, struct peer *peer,
		   const struct laya_mdns_service *asked)
{
	const struct locals *locals = &link->node->locals;
	struct laya_mdns_message message = { .answer = true, .n = 1 };
	struct laya_mdns_service *service = &message.services[0];
	const struct local *local;
	unsigned int i;
	uint16_t port;

	if (!bucket_take(&link->answers, &answers, node_now(link->node), 1))
		return;
	memcpy(service->token, asked->token, sizeof(service->token));
	for (i = 0; i < locals->n && service->n < LAYA_MDNS_ADDRESSES; i++) {
		local = &locals->list[i];
		if (local->ifindex != link->ifindex || local->link_local)
			continue;
		port = signalling_port(link->node, &local->address);
		/* A service has one port. */
		if (port == 0 || (service->port != 0 && service->port != port))
			continue;
		service->port = port;
		service->addresses[service->n++] = local->address;
	}
	if (service->n == 0)
		return;
	laya_mdns_prove(service, peer->local_secret);
	send_message(link, &message);
}

static bool is_link_local(const struct laya_address *address)
{
	return address->family == AF_INET6 && address->addr[0] == 0xfe &&
	       (address->addr[1] & 0xc0) == 0x80;
}

/*
 * Who else is on the link cannot say where the peer is, but can repeat what it said,
 * which costs a dial.  What is not in a network of ours is not on this link.
 */
static void take_answer(struct peer *peer,
			const struct laya_mdns_service *service)
{
	const struct locals *locals = &peer->node->locals;
	const struct laya_address *address;
	unsigned int i;

	if (!laya_mdns_is_proven(service, peer->local_secret))
		return;
	for (i = 0; i < service->n; i++) {
		address = &service->addresses[i];
		if (laya_address_is_dialable(address) &&
		    !is_link_local(address) &&
		    locals_on_link(locals, address) &&
		    !locals_have(locals, address)) {
			signalling_found(peer, address);
			return;
		}
	}
}

static void take_message(struct link *link,
			 const struct laya_mdns_message *message)
{
	struct node *node = link->node;
	const struct laya_mdns_service *service;
	struct peer *peer;
	unsigned int i;

	if (message->n == 0 ||
	    !bucket_take(&link->messages, &messages, node_now(node), 1))
		return;
	TAILQ_FOREACH(peer, &node->peers, entry) {
		for (i = 0; i < message->n; i++) {
			service = &message->services[i];
			if (message->answer && service->port != 0 &&
			    is_called(peer, peer->handshake.key, service))
				take_answer(peer, service);
			else if (!message->answer &&
				 is_called(peer, node->self.public_key,
					   service))
				answer(link, peer, service);
		}
	}
}

/* RFC 6762, 11: from elsewhere nothing is taken. */
static bool is_from_link(const struct link *link, struct sockaddr_storage *from)
{
	struct laya_address address;

	return !laya_address_from_sockaddr(&address, (struct sockaddr *)from) &&
	       (is_link_local(&address) ||
		locals_on_link(&link->node->locals, &address));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct link *link = poll->data;
	struct laya_mdns_message message;
	struct sockaddr_storage from;
	uint8_t bytes[9000];
	unsigned int i;
	socklen_t size;
	ssize_t len;

	(void)events;
	if (status < 0)
		return;
	for (i = 0; i < READS_MAX; i++) {
		size = sizeof(from);
		len = recvfrom(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &size);
		if (len < 0)
			return;
		if (is_from_link(link, &from) &&
		    !laya_mdns_read(&message, bytes, len))
			take_message(link, &message);
	}
}

/* Others on this machine have the port too, so addresses are reused. */
static int open_socket(const struct link *link)
{
	const struct ip_mreqn mreqn = {
		.imr_multiaddr.s_addr = htonl(0xe00000fb),
		.imr_ifindex = link->ifindex,
	};
	const int ifindex = link->ifindex;
	const int hops = 255;
	const int zero = 0;
	const int one = 1;
	struct ipv6_mreq mreq6 = { .ipv6mr_interface = link->ifindex };
	struct sockaddr_storage ss;
	socklen_t size = group_address(link, &ss);
	int ret;
	int fd;

	mreq6.ipv6mr_multiaddr = ((struct sockaddr_in6 *)&ss)->sin6_addr;
	fd = socket(link->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ret = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!ret && link->family == AF_INET)
		ret = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero,
				 sizeof(zero)) ||
		      setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &zero,
				 sizeof(zero)) ||
		      setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops,
				 sizeof(hops)) ||
		      setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreqn,
				 sizeof(mreqn)) ||
		      setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreqn,
				 sizeof(mreqn));
	else if (!ret)
		ret = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &zero,
				 sizeof(zero)) ||
		      setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops,
				 sizeof(hops)) ||
		      setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex,
				 sizeof(ifindex)) ||
		      setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &mreq6,
				 sizeof(mreq6));
	/* To the group: what is for this machine alone is others' business. */
	if (ret || bind(fd, (struct sockaddr *)&ss, size)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void close_link(struct local_discovery *local, struct link *link)
{
	TAILQ_REMOVE(&local->links, link, entry);
	local->n_links--;
	uv_close((uv_handle_t *)&link->poll, on_closed);
	close(link->fd);
}

static void open_link(struct local_discovery *local, uint16_t family,
		      uint32_t ifindex)
{
	struct link *link = calloc(1, sizeof(*link));
	char name[IF_NAMESIZE];

	if (!link)
		return;
	link->node = local->node;
	link->family = family;
	link->ifindex = ifindex;
	link->fd = open_socket(link);
	if (link->fd < 0) {
		/* Not every interface has multicast. */
		laya_debug("no peers are looked for on %s: %s",
			   if_indextoname(ifindex, name) ? name : "?",
			   strerror(-link->fd));
		free(link);
		return;
	}
	link->poll.data = link;
	if (uv_poll_init(local->node->loop, &link->poll, link->fd)) {
		close(link->fd);
		free(link);
		return;
	}
	uv_poll_start(&link->poll, UV_READABLE, on_poll);
	TAILQ_INSERT_TAIL(&local->links, link, entry);
	local->n_links++;
}

static struct link *find_link(const struct local_discovery *local,
			      uint16_t family, uint32_t ifindex)
{
	struct link *link;

	TAILQ_FOREACH(link, &local->links, entry) {
		if (link->family == family && link->ifindex == ifindex)
			return link;
	}
	return NULL;
}

/* One for each interface and family of our addresses */
static void open_links(struct local_discovery *local)
{
	const struct locals *locals = &local->node->locals;
	const struct local *address;
	struct link *link;
	struct link *next;
	unsigned int i;

	TAILQ_FOREACH(link, &local->links, entry)
		link->stale = true;
	for (i = 0; i < locals->n; i++) {
		address = &locals->list[i];
		link = find_link(local, address->address.family,
				 address->ifindex);
		if (link)
			link->stale = false;
		else if (local->n_links < LINKS_MAX)
			open_link(local, address->address.family,
				  address->ifindex);
	}
	for (link = TAILQ_FIRST(&local->links); link; link = next) {
		next = TAILQ_NEXT(link, entry);
		if (link->stale)
			close_link(local, link);
	}
}

static void ask(struct local_discovery *local,
		struct laya_mdns_message *message)
{
	struct link *link;

	if (message->n == 0)
		return;
	TAILQ_FOREACH(link, &local->links, entry)
		send_message(link, message);
	message->n = 0;
}

static void on_timer(void *data)
{
	struct local_discovery *local = data;
	struct node *node = local->node;
	struct laya_mdns_message message = { .n = 0 };
	const uint8_t *secret;
	struct peer *peer;

	TAILQ_FOREACH(peer, &node->peers, entry) {
		secret = signalling_is_up(peer) ? NULL : secret_of(peer);
		if (!secret)
			continue;
		laya_mdns_token(message.services[message.n++].token, secret,
				peer->handshake.key, period());
		if (message.n == LAYA_MDNS_TOKENS)
			ask(local, &message);
	}
	ask(local, &message);
	local->asked = node_now(node);
	timer_start(local->timer, backoff_next(&local->backoff));
}

static void look_anew(struct local_discovery *local)
{
	backoff_reset(&local->backoff);
	timer_start(local->timer, randombytes_uniform(ASK_SPREAD_MS));
}

/**
 * local_look() - a peer is wanted: ask at once, but not all the time
 * @node: ours
 */
void local_look(struct node *node)
{
	struct local_discovery *local = node->local;

	if (local && node_now(node) - local->asked >= ASK_FIRST_MS)
		look_anew(local);
}

/**
 * local_links_changed() - we are somewhere else
 * @node: ours
 */
void local_links_changed(struct node *node)
{
	if (!node->local)
		return;
	open_links(node->local);
	look_anew(node->local);
}

/**
 * local_start() - look for peers on each link, if the configuration says so
 * @node: ours
 *
 * Return: 0 or -ENOMEM.
 */
int local_start(struct node *node)
{
	struct local_discovery *local;

	if (!node->config.local_discovery)
		return 0;
	local = calloc(1, sizeof(*local));
	if (!local)
		return -ENOMEM;
	local->node = node;
	TAILQ_INIT(&local->links);
	backoff_init(&local->backoff, ASK_FIRST_MS, ASK_MAX_MS);
	local->timer = timer_new(node->loop, on_timer, local);
	if (!local->timer) {
		free(local);
		return -ENOMEM;
	}
	node->local = local;
	local_links_changed(node);
	return 0;
}

/**
 * local_stop() - look no more
 * @node: ours
 */
void local_stop(struct node *node)
{
	struct local_discovery *local = node->local;
	struct link *link;

	if (!local)
		return;
	while ((link = TAILQ_FIRST(&local->links)))
		close_link(local, link);
	timer_free(local->timer);
	node->local = NULL;
	free(local);
}
