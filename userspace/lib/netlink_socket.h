/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests and answers of any netlink family: what netlink.c, netlink_event.c
 * and netlink_link.c share.
 */
#ifndef LAYA_NETLINK_SOCKET_H
#define LAYA_NETLINK_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netlink/netlink.h>

#include "netlink.h"
#include "netlink_attrs.h"

#define LAYA_NL_ERROR_SIZE	512
#define LAYA_NL_NOT_LOADED	"the laya module is not loaded: modprobe laya"

/**
 * struct laya_nl_messages - netlink messages, one behind the other
 * @data: the messages, each aligned
 * @len: bytes used
 * @size: bytes allocated
 */
struct laya_nl_messages {
	uint8_t *data;
	size_t len;
	size_t size;
};

/**
 * struct laya_nl - connection to the kernel
 * @family: number of the family "laya"
 * @monitor: number of its multicast group
 * @requests: socket for requests
 * @events: socket for events, or NULL
 * @route: socket for rtnetlink, or NULL
 * @claimed: @events owns a device
 * @overrun: events were lost and the owner has not been told
 * @queue: events that arrived while a request waited for its answer
 * @event_fd: readable while @queue is not empty
 * @epoll_fd: readable when @event_fd or @events is
 * @ops: what to do about events
 * @ctx: for @ops
 * @error: what failed last
 */
struct laya_nl {
	int family;
	int monitor;
	struct nl_sock *requests;
	struct nl_sock *events;
	struct nl_sock *route;
	bool claimed;
	bool overrun;
	struct laya_nl_messages queue;
	int event_fd;
	int epoll_fd;
	struct laya_nl_event_ops ops;
	void *ctx;
	char error[LAYA_NL_ERROR_SIZE];
};

int laya_nl_fail(struct laya_nl *nl, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct nl_sock *laya_nl_socket(int protocol, int *err);
int laya_nl_read(struct laya_nl *nl, struct nl_sock *sock,
		 struct laya_nl_messages *messages);
int laya_nl_messages_add(struct laya_nl_messages *messages,
			 const struct nlmsghdr *message);
void laya_nl_messages_free(struct laya_nl_messages *messages);
void laya_nl_event_queue(struct laya_nl *nl, const struct nlmsghdr *message);
int laya_nl_drain(struct laya_nl *nl);
int laya_nl_transact(struct laya_nl *nl, struct nl_sock *sock,
		     struct nl_msg *msg, const char *what, int set,
		     struct laya_nl_messages *replies);

#endif /* LAYA_NETLINK_SOCKET_H */
