// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "orchid.h"

static void get_in6(const struct laya_address *address, struct in6_addr *in6)
{
	memcpy(in6, address->addr, sizeof(*in6));
}

/**
 * laya_address_from_sockaddr() - take an address from the socket layer
 * @address: where to put it
 * @sa: struct sockaddr_in or sockaddr_in6; an IPv4-mapped one, as a dual-stack
 *	socket gives it, becomes IPv4
 *
 * Return: 0, or -EAFNOSUPPORT.
 */
int laya_address_from_sockaddr(struct laya_address *address,
			       const struct sockaddr *sa)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;

	memset(address, 0, sizeof(*address));
	switch (sa->sa_family) {
	case AF_INET:
		address->family = AF_INET;
		address->port = ntohs(sin->sin_port);
		memcpy(address->addr, &sin->sin_addr, 4);
		return 0;
	case AF_INET6:
		address->port = ntohs(sin6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
			address->family = AF_INET;
			memcpy(address->addr, &sin6->sin6_addr.s6_addr[12], 4);
		} else {
			address->family = AF_INET6;
			memcpy(address->addr, &sin6->sin6_addr, 16);
			if (laya_address_is_link_local(address))
				address->scope = sin6->sin6_scope_id;
		}
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

/**
 * laya_address_to_sockaddr() - give an address to the socket layer
 * @address: the address
 * @ss: where to put it
 *
 * Return: length of the sockaddr; 0 if the family is unknown.
 */
socklen_t laya_address_to_sockaddr(const struct laya_address *address,
				   struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	switch (address->family) {
	case AF_INET:
		sin->sin_family = AF_INET;
		sin->sin_port = htons(address->port);
		memcpy(&sin->sin_addr, address->addr, 4);
		return sizeof(*sin);
	case AF_INET6:
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(address->port);
		memcpy(&sin6->sin6_addr, address->addr, 16);
		sin6->sin6_scope_id = address->scope;
		return sizeof(*sin6);
	default:
		return 0;
	}
}

/**
 * laya_address_size() - bytes that the address has, without the port
 * @address: the address
 *
 * Return: 4 or 16; 0 if the family is unknown.
 */
size_t laya_address_size(const struct laya_address *address)
{
	switch (address->family) {
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return 0;
	}
}

/**
 * laya_address_equal() - compare address and port
 * @a: one
 * @b: the other
 *
 * Return: whether they are the same.
 */
bool laya_address_equal(const struct laya_address *a,
			const struct laya_address *b)
{
	return a->family == b->family && a->port == b->port &&
	       a->scope == b->scope &&
	       memcmp(a->addr, b->addr, laya_address_size(a)) == 0;
}

/**
 * laya_address_is_link_local() - does it say nothing beyond one link
 * @address: the address
 *
 * Return: whether it is of fe80::/10.
 */
bool laya_address_is_link_local(const struct laya_address *address)
{
	return address->family == AF_INET6 && address->addr[0] == 0xfe &&
	       (address->addr[1] & 0xc0) == 0x80;
}

/**
 * laya_address_is_near() - may an address be that of somebody's gateway
 * @claimed: the address
 * @seen: where we see whoever claims it
 *
 * Return: whether it may: IPv4 is behind the gateway's NAT, so that both are the
 * same; IPv6 is of the same provider, to which registries give a /32 or more.
 */
bool laya_address_is_near(const struct laya_address *claimed,
			  const struct laya_address *seen)
{
	return claimed->family == seen->family &&
	       memcmp(claimed->addr, seen->addr, 4) == 0;
}

/**
 * laya_address_same_source() - are two of one network, as far as can be told
 * @a: one
 * @b: other
 *
 * Return: whether they have one IPv4 address, or one IPv6 /64.
 */
bool laya_address_same_source(const struct laya_address *a,
			      const struct laya_address *b)
{
	return a->family == b->family &&
	       memcmp(a->addr, b->addr, a->family == AF_INET ? 4 : 8) == 0;
}

/**
 * laya_address_is_any() - is it 0.0.0.0 or ::, which in messages stands for
 *			   "where you see me"
 * @address: the address
 *
 * Return: whether it is.
 */
bool laya_address_is_any(const struct laya_address *address)
{
	static const uint8_t zero[16];

	return memcmp(address->addr, zero, laya_address_size(address)) == 0;
}

/**
 * laya_address_is_dialable() - may a packet be sent there because a message
 *				says so
 * @address: the address
 *
 * Private and documentation prefixes may be: probes judge them.  Loopback,
 * multicast, broadcast, unspecified and ORCHIDs never are, nor IPv4 in the
 * clothes of IPv6, which would get around these.
 *
 * Return: whether it may.
 */
bool laya_address_is_dialable(const struct laya_address *address)
{
	struct in6_addr in6;

	if (address->port == 0)
		return false;
	switch (address->family) {
	case AF_INET:
		return address->addr[0] != 0 && address->addr[0] != 127 &&
		       (address->addr[0] & 0xf0) != 0xe0 &&
		       memcmp(address->addr, "\xff\xff\xff\xff", 4) != 0;
	case AF_INET6:
		get_in6(address, &in6);
		return !IN6_IS_ADDR_UNSPECIFIED(&in6) &&
		       !IN6_IS_ADDR_LOOPBACK(&in6) &&
		       !IN6_IS_ADDR_MULTICAST(&in6) &&
		       !IN6_IS_ADDR_V4MAPPED(&in6) &&
		       !IN6_IS_ADDR_V4COMPAT(&in6) && !laya_orchid_is(&in6);
	default:
		return false;
	}
}

/**
 * laya_address_is_private() - is an address one that others may have as well
 * @address: the address
 *
 * Return: whether it is of RFC 1918, RFC 6598, RFC 3927 or RFC 4193.
 */
bool laya_address_is_private(const struct laya_address *address)
{
	const uint8_t *a = address->addr;

	if (address->family == AF_INET6)
		return (a[0] & 0xfe) == 0xfc;
	return a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
	       (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 100 && (a[1] & 0xc0) == 64) ||
	       (a[0] == 169 && a[1] == 254);
}

/**
 * laya_address_split() - split "HOST:PORT", "[HOST]:PORT", "HOST" or "[HOST]"
 * @text: the text; an IPv6 address with a port needs its brackets
 * @host: where to put the host, without brackets
 * @host_size: size of @host
 * @port: where to put the port
 * @port_size: size of @port
 * @default_port: what @port is when there is none; NULL if there has to be one
 *
 * Return: 0, or -EINVAL.
 */
int laya_address_split(const char *text, char *host, size_t host_size,
		       char *port, size_t port_size, const char *default_port)
{
	const char *begin = text;
	const char *colon;
	const char *end;

	if (*text == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = strchr(text, ':');
		/* two colons without brackets: an IPv6 address, no port */
		if (colon && strchr(colon + 1, ':'))
			colon = NULL;
		end = colon ? colon : text + strlen(text);
	}

	if (colon)
		default_port = colon + 1;
	if (!default_port || *default_port == '\0' || end == begin ||
	    (size_t)(end - begin) >= host_size ||
	    strlen(default_port) >= port_size)
		return -EINVAL;
	memcpy(host, begin, end - begin);
	host[end - begin] = '\0';
	strcpy(port, default_port);
	return 0;
}

static int parse_scope(struct laya_address *address, const char *text)
{
	unsigned long value;
	char *end;

	if (text[0] < '0' || text[0] > '9' ||
	    !laya_address_is_link_local(address))
		return -EINVAL;
	value = strtoul(text, &end, 10);
	if (*end != '\0' || value > UINT32_MAX)
		return -EINVAL;
	address->scope = value;
	return 0;
}

/**
 * laya_address_parse() - read "192.0.2.1:5292", "[2001:db8::1]:5292" or
 *			  "[fe80::1%2]:5292"
 * @address: where to put it
 * @text: the text
 *
 * Return: 0, or -EINVAL.
 */
int laya_address_parse(struct laya_address *address, const char *text)
{
	char host[LAYA_ADDRESS_TEXT_SIZE];
	char *scope;
	char port[6];
	char *end;
	long value;

	memset(address, 0, sizeof(*address));
	if (laya_address_split(text, host, sizeof(host), port, sizeof(port),
			       NULL))
		return -EINVAL;
	if (port[0] < '0' || port[0] > '9')
		return -EINVAL;
	value = strtol(port, &end, 10);
	if (*end != '\0' || value > UINT16_MAX)
		return -EINVAL;
	address->port = value;
	scope = strchr(host, '%');
	if (scope)
		*scope++ = '\0';
	if (*text != '[' && inet_pton(AF_INET, host, address->addr) == 1)
		address->family = AF_INET;
	else if (inet_pton(AF_INET6, host, address->addr) == 1)
		address->family = AF_INET6;
	else
		return -EINVAL;
	return scope ? parse_scope(address, scope) : 0;
}

/**
 * laya_address_format() - write what laya_address_parse() reads
 * @text: where to put it
 * @address: the address
 */
void laya_address_format(char text[LAYA_ADDRESS_TEXT_SIZE],
			 const struct laya_address *address)
{
	char host[LAYA_ADDRESS_TEXT_SIZE];

	if (!inet_ntop(address->family, address->addr, host, sizeof(host)))
		strcpy(host, "?");
	if (address->scope)
		sprintf(host + strlen(host), "%%%u", address->scope);
	snprintf(text, LAYA_ADDRESS_TEXT_SIZE,
		 address->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
		 address->port);
}

/* RFC 1123, 2.1 */
static bool label_valid(const char *label, size_t len)
{
	size_t i;

	if (len == 0 || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-')
			return false;
	return true;
}

/**
 * laya_host_name_valid() - is this the name of a public host?
 * @name: not trusted; need not end with NUL
 * @len: its length
 *
 * That is, a name of RFC 1123 with a dot in it, which no address looks like: one
 * without a dot means something else to everybody.
 *
 * Return: true if it is.
 */
bool laya_host_name_valid(const char *name, size_t len)
{
	size_t begin = 0;
	size_t i;

	if (len >= LAYA_HOST_NAME_SIZE)
		return false;
	for (i = 0; i < len; i++) {
		if (name[i] != '.')
			continue;
		if (!label_valid(name + begin, i - begin))
			return false;
		begin = i + 1;
	}
	/* A top-level domain begins with a letter, what ends an address does not */
	return begin > 0 && label_valid(name + begin, len - begin) &&
	       !isdigit((unsigned char)name[begin]);
}
