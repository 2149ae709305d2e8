/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Transport addresses, as they travel in messages.
 */
#ifndef LAYA_ADDRESS_H
#define LAYA_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* "[" IPv6 "%" scope "]:" port NUL */
#define LAYA_ADDRESS_TEXT_SIZE	(INET6_ADDRSTRLEN + 19)
/* A name as long as all software takes it (RFC 1123, 2.1), and NUL */
#define LAYA_HOST_NAME_SIZE	64

/**
 * struct laya_address - an IP address and a port
 * @family: AF_INET or AF_INET6
 * @port: port, host byte order
 * @addr: address, network byte order; an IPv4 address stands in the first
 *	four bytes and the rest is zero, so that two are equal when their
 *	members are
 * @scope: of a link-local address: the interface; never in a message
 */
struct laya_address {
	uint16_t family;
	uint16_t port;
	uint8_t addr[16];
	uint32_t scope;
};

int laya_address_from_sockaddr(struct laya_address *address,
			       const struct sockaddr *sa);
socklen_t laya_address_to_sockaddr(const struct laya_address *address,
				   struct sockaddr_storage *ss);
size_t laya_address_size(const struct laya_address *address);
bool laya_address_equal(const struct laya_address *a,
			const struct laya_address *b);
bool laya_address_is_link_local(const struct laya_address *address);
bool laya_address_is_near(const struct laya_address *claimed,
			  const struct laya_address *seen);
bool laya_address_same_source(const struct laya_address *a,
			      const struct laya_address *b);
bool laya_address_is_any(const struct laya_address *address);
bool laya_address_is_dialable(const struct laya_address *address);
bool laya_address_is_private(const struct laya_address *address);
int laya_address_parse(struct laya_address *address, const char *text);
void laya_address_format(char text[LAYA_ADDRESS_TEXT_SIZE],
			 const struct laya_address *address);
int laya_address_split(const char *text, char *host, size_t host_size,
		       char *port, size_t port_size, const char *default_port);
bool laya_host_name_valid(const char *name, size_t len);

#endif /* LAYA_ADDRESS_H */
