// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "address.h"
#include "config.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* A line longer than this is not ours. */
#define LINE_SIZE	(LAYA_CONFIG_PATH_SIZE + 128)

enum section {
	SECTION_NONE,
	SECTION_NODE,
	SECTION_RENDEZVOUS,
	SECTION_RELAY,
	SECTION_GATEWAY,
	SECTION_PEER,
};

/**
 * struct parser - where the parser is
 * @filename: for errors
 * @config: what it fills in
 * @error: where to say what is wrong
 * @section: the section that it is in
 * @section_line: where that began
 * @line: number of this line
 * @seen: keys of this section that were there, bit by place in keys[]
 */
struct parser {
	const char *filename;
	struct laya_config *config;
	struct laya_config_error *error;
	enum section section;
	unsigned int section_line;
	unsigned int line;
	uint64_t seen;
};

static const char *const section_names[] = {
	[SECTION_NODE] = "Node",
	[SECTION_RENDEZVOUS] = "Rendezvous",
	[SECTION_RELAY] = "Relay",
	[SECTION_GATEWAY] = "Gateway",
	[SECTION_PEER] = "Peer",
};

/* Say what is wrong; @line 0: with the file as a whole.  Return: -EINVAL. */
static int __attribute__((format(printf, 4, 5)))
fail(struct parser *p, unsigned int line, const char *key,
     const char *format, ...)
{
	struct laya_config_error *error = p->error;
	char what[LAYA_CONFIG_ERROR_SIZE];
	char where[16] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);

	error->line = line;
	snprintf(error->key, sizeof(error->key), "%s", key);
	if (line)
		snprintf(where, sizeof(where), "%u:", line);
	/* The place is at the front, so a long text loses only its end. */
	if (snprintf(error->text, sizeof(error->text), "%s:%s %s%s%s",
		     p->filename, where, key, *key ? ": " : "", what) < 0)
		error->text[0] = '\0';
	return -EINVAL;
}

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* A comment begins the line, or follows white space: keys have none in them */
static void cut_comment(char *text)
{
	char *c;

	for (c = text; *c; c++) {
		if ((*c == ';' || *c == '#') &&
		    (c == text || isspace((unsigned char)c[-1]))) {
			*c = '\0';
			return;
		}
	}
}

static int parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (*end || errno || *value > max)
		return -EINVAL;
	return 0;
}

static int parse_bool(const char *text, bool *value)
{
	*value = !strcasecmp(text, "yes");
	return *value || !strcasecmp(text, "no") ? 0 : -EINVAL;
}

/**
 * laya_config_parse_endpoint() - read "host:port" or "[v6]:port"
 * @text: the text
 * @host: where to put the host, without brackets
 * @host_size: size of @host
 * @port: where to put the port; what it was is the default, 0 for none
 *
 * Return: 0, or -EINVAL.
 */
int laya_config_parse_endpoint(const char *text, char *host, size_t host_size,
			       uint16_t *port)
{
	struct in6_addr in6;
	char default_port[8];
	uint64_t value;
	char number[8];
	const char *c;

	snprintf(default_port, sizeof(default_port), "%u", *port);
	if (laya_address_split(text, host, host_size, number, sizeof(number),
			       *port ? default_port : NULL) ||
	    parse_number(number, UINT16_MAX, &value) || !value)
		return -EINVAL;

	/* Brackets are for IPv6 addresses only, and those need them. */
	if (*text == '[' || strchr(host, ':')) {
		if (inet_pton(AF_INET6, host, &in6) != 1)
			return -EINVAL;
	} else {
		for (c = host; *c; c++)
			if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
				return -EINVAL;
	}
	*port = value;
	return 0;
}

/**
 * laya_config_name_valid() - tell whether a peer may have a name
 * @name: the name
 *
 * It becomes NAME.laya, so it is a DNS label in lower case.
 *
 * Return: true if it may.
 */
bool laya_config_name_valid(const char *name)
{
	size_t len = strlen(name);
	size_t i;

	if (!len || len >= LAYA_CONFIG_NAME_SIZE || name[0] == '-' ||
	    name[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!islower((unsigned char)name[i]) &&
		    !isdigit((unsigned char)name[i]) && name[i] != '-')
			return false;
	return true;
}

static int set_public_key(struct parser *p, const char *key,
			  uint8_t public_key[LAYA_KEY_SIZE], const char *value)
{
	if (laya_key_decode(public_key, value))
		return fail(p, p->line, key,
			    "not a key: it should be the %d characters that layactl pubkey prints",
			    LAYA_KEY_TEXT_LEN);
	if (!laya_key_valid(public_key))
		return fail(p, p->line, key,
			    "a key that nobody can have (all zero, of low order or not canonical)");
	return 0;
}

static int set_path(struct parser *p, const char *key, char **path,
		    const char *value)
{
	if (strlen(value) >= LAYA_CONFIG_PATH_SIZE)
		return fail(p, p->line, key, "path is too long");
	*path = strdup(value);
	if (!*path)
		return fail(p, p->line, key, "out of memory");
	return 0;
}

static int node_private_key(struct parser *p, const char *key,
			    const char *value)
{
	/* The value is not repeated: it may be nearly right. */
	if (laya_key_decode(p->config->private_key, value) ||
	    laya_key_is_zero(p->config->private_key))
		return fail(p, p->line, key,
			    "not a key: it should be the %d characters that layactl genkey prints",
			    LAYA_KEY_TEXT_LEN);
	p->config->have_private_key = true;
	return 0;
}

static int node_private_key_file(struct parser *p, const char *key,
				 const char *value)
{
	return set_path(p, key, &p->config->private_key_file, value);
}

static int set_interface(struct parser *p, const char *key,
			 char name[IFNAMSIZ], const char *value)
{
	size_t len = strlen(value);
	size_t i;

	if (len >= IFNAMSIZ)
		return fail(p, p->line, key, "\"%s\" is longer than %d characters",
			    value, IFNAMSIZ - 1);
	if (!strcmp(value, ".") || !strcmp(value, ".."))
		return fail(p, p->line, key, "\"%s\" is no interface name",
			    value);
	/* It is part of a file name too. */
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) &&
		    !strchr("-_.", value[i]))
			return fail(p, p->line, key,
				    "\"%s\": letters, digits, \"-\", \"_\" and \".\" only",
				    value);
	memcpy(name, value, len + 1);
	return 0;
}

static int node_device(struct parser *p, const char *key, const char *value)
{
	return set_interface(p, key, p->config->device, value);
}

static int node_listen_port(struct parser *p, const char *key,
			    const char *value)
{
	uint64_t port;

	if (parse_number(value, UINT16_MAX, &port))
		return fail(p, p->line, key, "\"%s\" is not a port, 0 to 65535",
			    value);
	p->config->listen_port = port;
	return 0;
}

static int node_forward(struct parser *p, const char *key, const char *value)
{
	static const char *const names[] = {
		[LAYA_FORWARD_NO] = "no",
		[LAYA_FORWARD_PEERS] = "peers",
		[LAYA_FORWARD_PUBLIC] = "public",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcasecmp(value, names[i])) {
			p->config->forward = i;
			return 0;
		}
	}
	return fail(p, p->line, key, "\"%s\" is none of no, peers, public",
		    value);
}

static int node_forward_rate(struct parser *p, const char *key,
			     const char *value)
{
	uint64_t rate;

	if (parse_number(value, INT64_MAX, &rate))
		return fail(p, p->line, key,
			    "\"%s\" is not a number of bytes a second", value);
	p->config->forward_rate = rate;
	return 0;
}

static int node_host_name(struct parser *p, const char *key, const char *value)
{
	if (!laya_host_name_valid(value, strlen(value)))
		return fail(p, p->line, key,
			    "\"%s\" is not the name of a host, as relay.example.org, of at most %d characters",
			    value, LAYA_HOST_NAME_SIZE - 1);
	strcpy(p->config->host_name, value);
	return 0;
}

static int node_forward_hosts(struct parser *p, const char *key,
			      const char *value)
{
	uint64_t hosts;

	if (parse_number(value, LAYA_CONFIG_MAX_HOSTS, &hosts) || hosts == 0)
		return fail(p, p->line, key,
			    "\"%s\" is not a number from 1 to %d", value,
			    LAYA_CONFIG_MAX_HOSTS);
	p->config->forward_hosts = hosts;
	return 0;
}

static int node_forward_to(struct parser *p, const char *key,
			   const char *value)
{
	if (laya_trunk_to_parse(&p->config->forward_to, value))
		return fail(p, p->line, key, "\"%s\" is none of public, any, no",
			    value);
	return 0;
}

static int set_bool(struct parser *p, const char *key, bool *yes,
		    const char *value)
{
	if (parse_bool(value, yes))
		return fail(p, p->line, key, "\"%s\" is neither yes nor no",
			    value);
	return 0;
}

static int node_probe_mapped(struct parser *p, const char *key,
			     const char *value)
{
	return set_bool(p, key, &p->config->probe_mapped, value);
}

static int node_gateway(struct parser *p, const char *key, const char *value)
{
	return set_bool(p, key, &p->config->gateway, value);
}

static int node_use_gateways(struct parser *p, const char *key,
			     const char *value)
{
	return set_bool(p, key, &p->config->use_gateways, value);
}

/* A value of several words, each of which is for @set */
static int each_word(struct parser *p, const char *key, const char *value,
		     int (*set)(struct parser *p, const char *key,
				const char *word))
{
	char words[LINE_SIZE];
	int err = 0;
	char *rest;
	char *word;

	snprintf(words, sizeof(words), "%s", value);
	for (word = strtok_r(words, " \t", &rest); word && !err;
	     word = strtok_r(NULL, " \t", &rest))
		err = set(p, key, word);
	return err;
}

static int add_interface(struct parser *p, const char *key, const char *name)
{
	struct laya_config *config = p->config;

	if (config->n_interfaces == LAYA_CONFIG_INTERFACES)
		return fail(p, p->line, key, "more than %d interfaces",
			    LAYA_CONFIG_INTERFACES);
	return set_interface(p, key,
			     config->interfaces[config->n_interfaces++], name);
}

static int node_gateway_interface(struct parser *p, const char *key,
				  const char *value)
{
	return each_word(p, key, value, add_interface);
}

static int add_gateway_key(struct parser *p, const char *key, const char *text)
{
	struct laya_config *config = p->config;

	if (config->n_gateway_keys == LAYA_CONFIG_GATEWAY_KEYS)
		return fail(p, p->line, key, "more than %d keys",
			    LAYA_CONFIG_GATEWAY_KEYS);
	return set_public_key(p, key,
			      config->gateway_keys[config->n_gateway_keys++],
			      text);
}

static int node_gateway_keys(struct parser *p, const char *key,
			     const char *value)
{
	return each_word(p, key, value, add_gateway_key);
}

static int node_local_discovery(struct parser *p, const char *key,
				const char *value)
{
	return set_bool(p, key, &p->config->local_discovery, value);
}

static int node_signal_listen(struct parser *p, const char *key,
			      const char *value)
{
	struct laya_config *config = p->config;
	struct laya_address *address;
	char list[LINE_SIZE];
	char *rest;
	char *text;
	size_t i;

	snprintf(list, sizeof(list), "%s", value);
	for (text = strtok_r(list, ", \t", &rest); text;
	     text = strtok_r(NULL, ", \t", &rest)) {
		if (config->n_listens == LAYA_CONFIG_LISTENS)
			return fail(p, p->line, key, "more than %d addresses",
				    LAYA_CONFIG_LISTENS);
		address = &config->listens[config->n_listens];
		if (laya_address_parse(address, text) || !address->port)
			return fail(p, p->line, key,
				    "\"%s\" is not an address and a port: 192.0.2.1:5292, or [2001:db8::1]:5292; 0.0.0.0 and [::] are all addresses",
				    text);
		for (i = 0; i < config->n_listens; i++)
			if (laya_address_equal(&config->listens[i], address))
				return fail(p, p->line, key,
					    "\"%s\" is there twice", text);
		config->n_listens++;
	}
	return 0;
}

/* What libcurl understands, and may be given credentials */
static bool is_proxy_url(const char *value)
{
	static const char *const schemes[] = {
		"http://", "https://", "socks5h://",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(schemes); i++)
		if (!strncasecmp(value, schemes[i], strlen(schemes[i])))
			return value[strlen(schemes[i])] != '\0';
	return false;
}

static int node_proxy(struct parser *p, const char *key, const char *value)
{
	/* It is not repeated: there may be a password in it. */
	if (strcmp(value, "environment") && strcmp(value, "none") &&
	    !is_proxy_url(value))
		return fail(p, p->line, key,
			    "neither environment, nor none, nor a URL with http, https or socks5h");
	return set_path(p, key, &p->config->proxy, value);
}

static int node_transports(struct parser *p, const char *key,
			   const char *value)
{
	enum laya_transport transport;
	char word[16];
	size_t len;

	p->config->transports = 0;
	while (*value) {
		len = strcspn(value, ", \t");
		snprintf(word, sizeof(word), "%.*s", (int)len, value);
		if (len >= sizeof(word) ||
		    laya_transport_parse(&transport, word))
			return fail(p, p->line, key,
				    "\"%s\" is none of udp, tcp, tls, wss, https",
				    word);
		p->config->transports |= 1u << transport;
		value += len;
		value += strspn(value, ", \t");
	}
	return 0;
}

static int node_tls_certificate(struct parser *p, const char *key,
				const char *value)
{
	return set_path(p, key, &p->config->tls_certificate, value);
}

static int node_tls_key(struct parser *p, const char *key, const char *value)
{
	return set_path(p, key, &p->config->tls_key, value);
}

static int node_tls_ca_file(struct parser *p, const char *key,
			    const char *value)
{
	return set_path(p, key, &p->config->tls_ca_file, value);
}

static struct laya_config_server *server(struct parser *p)
{
	struct laya_config *config = p->config;

	return p->section == SECTION_RELAY ?
		&config->relays[config->n_relays - 1] :
		&config->rendezvous[config->n_rendezvous - 1];
}

static int server_public_key(struct parser *p, const char *key,
			     const char *value)
{
	return set_public_key(p, key, server(p)->public_key, value);
}

static int server_address(struct parser *p, const char *key, const char *value)
{
	struct laya_config_server *s = server(p);

	s->port = p->section == SECTION_RELAY ? LAYA_DEFAULT_PORT : 0;
	if (laya_config_parse_endpoint(value, s->host, sizeof(s->host),
				       &s->port))
		return fail(p, p->line, key,
			    "\"%s\" is not an address: host:port, or [IPv6 address]:port",
			    value);
	return 0;
}

static int server_host_name(struct parser *p, const char *key,
			    const char *value)
{
	struct laya_config_server *s = server(p);
	const char *c;

	for (c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
			return fail(p, p->line, key,
				    "\"%s\" is not a host name", value);
	if (strlen(value) >= sizeof(s->host_name))
		return fail(p, p->line, key, "longer than %zu characters",
			    sizeof(s->host_name) - 1);
	strcpy(s->host_name, value);
	return 0;
}

static int gateway_public_key(struct parser *p, const char *key,
			      const char *value)
{
	struct laya_config *config = p->config;

	return set_public_key(p, key,
			      config->gateways[config->n_gateways - 1].public_key,
			      value);
}

static int gateway_identify(struct parser *p, const char *key,
			    const char *value)
{
	struct laya_config *config = p->config;

	return set_bool(p, key,
			&config->gateways[config->n_gateways - 1].identify,
			value);
}

static struct laya_config_peer *peer(struct parser *p)
{
	return &p->config->peers[p->config->n_peers - 1];
}

static int peer_name(struct parser *p, const char *key, const char *value)
{
	struct laya_config_peer *this = peer(p);
	struct laya_config_peer *other;
	size_t i;

	if (strlen(value) >= sizeof(this->name))
		return fail(p, p->line, key, "longer than %zu characters",
			    sizeof(this->name) - 1);
	for (i = 0; i <= strlen(value); i++)
		this->name[i] = tolower((unsigned char)value[i]);
	if (!laya_config_name_valid(this->name))
		return fail(p, p->line, key,
			    "\"%s\": letters, digits and, inside, \"-\" only",
			    value);
	for (other = p->config->peers; other < this; other++)
		if (!strcmp(other->name, this->name))
			return fail(p, p->line, key,
				    "the peer in line %u is \"%s\" already",
				    other->line, value);
	return 0;
}

static int peer_public_key(struct parser *p, const char *key,
			   const char *value)
{
	struct laya_config_peer *this = peer(p);
	struct laya_config_peer *other;
	int err;

	err = set_public_key(p, key, this->public_key, value);
	if (err)
		return err;
	for (other = p->config->peers; other < this; other++)
		if (laya_key_equal(other->public_key, this->public_key))
			return fail(p, p->line, key,
				    "the peer in line %u has this key already",
				    other->line);
	return 0;
}

static int peer_psk_file(struct parser *p, const char *key, const char *value)
{
	return set_path(p, key, &peer(p)->psk_file, value);
}

static int peer_endpoint(struct parser *p, const char *key, const char *value)
{
	struct laya_config_peer *this = peer(p);

	if (laya_config_parse_endpoint(value, this->endpoint,
				       sizeof(this->endpoint),
				       &this->endpoint_port))
		return fail(p, p->line, key,
			    "\"%s\" is not an address: host:port, or [IPv6 address]:port",
			    value);
	return 0;
}

/* The keys of all sections, and whether a section may be without */
static const struct key {
	enum section section;
	const char *name;
	bool required;
	int (*set)(struct parser *p, const char *key, const char *value);
} keys[] = {
	{ SECTION_NODE, "PrivateKey", false, node_private_key },
	{ SECTION_NODE, "PrivateKeyFile", false, node_private_key_file },
	{ SECTION_NODE, "Device", false, node_device },
	{ SECTION_NODE, "ListenPort", false, node_listen_port },
	{ SECTION_NODE, "Forward", false, node_forward },
	{ SECTION_NODE, "ForwardRate", false, node_forward_rate },
	{ SECTION_NODE, "ForwardHosts", false, node_forward_hosts },
	{ SECTION_NODE, "ForwardTo", false, node_forward_to },
	{ SECTION_NODE, "HostName", false, node_host_name },
	{ SECTION_NODE, "ProbeMapped", false, node_probe_mapped },
	{ SECTION_NODE, "Proxy", false, node_proxy },
	{ SECTION_NODE, "Transports", false, node_transports },
	{ SECTION_NODE, "TlsCertificate", false, node_tls_certificate },
	{ SECTION_NODE, "TlsKey", false, node_tls_key },
	{ SECTION_NODE, "TlsCaFile", false, node_tls_ca_file },
	{ SECTION_NODE, "Gateway", false, node_gateway },
	{ SECTION_NODE, "GatewayInterface", false, node_gateway_interface },
	{ SECTION_NODE, "GatewayKeys", false, node_gateway_keys },
	{ SECTION_NODE, "UseGateways", false, node_use_gateways },
	{ SECTION_NODE, "SignalListen", false, node_signal_listen },
	{ SECTION_NODE, "LocalDiscovery", false, node_local_discovery },
	{ SECTION_RENDEZVOUS, "PublicKey", true, server_public_key },
	{ SECTION_RENDEZVOUS, "Address", true, server_address },
	{ SECTION_RENDEZVOUS, "HostName", false, server_host_name },
	{ SECTION_RELAY, "PublicKey", true, server_public_key },
	{ SECTION_RELAY, "Address", true, server_address },
	{ SECTION_RELAY, "HostName", false, server_host_name },
	{ SECTION_GATEWAY, "PublicKey", true, gateway_public_key },
	{ SECTION_GATEWAY, "Identify", false, gateway_identify },
	{ SECTION_PEER, "Name", false, peer_name },
	{ SECTION_PEER, "PublicKey", true, peer_public_key },
	{ SECTION_PEER, "PresharedKeyFile", false, peer_psk_file },
	{ SECTION_PEER, "Endpoint", false, peer_endpoint },
};

_Static_assert(ARRAY_SIZE(keys) <= 64, "struct parser, seen");

/* What can only be seen at the end of a section */
static int end_section(struct parser *p)
{
	struct laya_config *config = p->config;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].section == p->section && keys[i].required &&
		    !(p->seen & 1ull << i))
			return fail(p, p->section_line, keys[i].name,
				    "missing in [%s]",
				    section_names[p->section]);
	if (p->section == SECTION_NODE) {
		if (config->have_private_key && config->private_key_file)
			return fail(p, p->section_line, "PrivateKey",
				    "PrivateKeyFile is there too: which is it?");
		if (config->tls_key && !config->tls_certificate)
			return fail(p, p->section_line, "TlsKey",
				    "there is no TlsCertificate that it belongs to");
		if (!config->have_private_key && !config->private_key_file)
			return fail(p, p->section_line, "PrivateKeyFile",
				    "missing in [Node]; make a key with: layactl genkey");
		if (config->host_name[0] &&
		    config->forward != LAYA_FORWARD_PUBLIC)
			return fail(p, p->section_line, "HostName",
				    "without Forward = public nobody is told");
		if (config->n_interfaces && !config->gateway)
			return fail(p, p->section_line, "GatewayInterface",
				    "without Gateway = yes");
		if (config->n_gateway_keys && !config->gateway)
			return fail(p, p->section_line, "GatewayKeys",
				    "without Gateway = yes");
		if (config->gateway && config->listen_port &&
		    config->listen_port != LAYA_DEFAULT_PORT)
			return fail(p, p->section_line, "ListenPort",
				    "with Gateway = yes it has to be %d, where hosts look for gateways",
				    LAYA_DEFAULT_PORT);
	}
	return 0;
}

/* A copy with one more element, zeroed; the old array is wiped, for its keys */
static void *grow(void *old, size_t n, size_t size)
{
	void *new = calloc(n + 1, size);

	if (new && n) {
		memcpy(new, old, n * size);
		sodium_memzero(old, n * size);
		free(old);
	}
	return new;
}

static int add_server(struct laya_config_server **servers, size_t *n,
		      unsigned int line)
{
	struct laya_config_server *new = grow(*servers, *n, sizeof(*new));

	if (!new)
		return -ENOMEM;
	*servers = new;
	new[(*n)++].line = line;
	return 0;
}

static int add_gateway(struct laya_config *config, unsigned int line)
{
	struct laya_config_gateway *new;

	new = grow(config->gateways, config->n_gateways, sizeof(*new));
	if (!new)
		return -ENOMEM;
	config->gateways = new;
	new[config->n_gateways++].line = line;
	return 0;
}

static int add_peer(struct laya_config *config, unsigned int line)
{
	struct laya_config_peer *new;

	new = grow(config->peers, config->n_peers, sizeof(*new));
	if (!new)
		return -ENOMEM;
	config->peers = new;
	new[config->n_peers++].line = line;
	return 0;
}

static int begin_section(struct parser *p, char *text)
{
	struct laya_config *config = p->config;
	size_t len = strlen(text);
	const char *name;
	int err = 0;
	size_t i;

	if (text[len - 1] != ']')
		return fail(p, p->line, "", "\"%s\": no \"]\" at the end", text);
	text[len - 1] = '\0';
	name = trim(text + 1);

	err = end_section(p);
	if (err)
		return err;
	p->section = SECTION_NONE;
	for (i = SECTION_NODE; i < ARRAY_SIZE(section_names); i++)
		if (!strcasecmp(name, section_names[i]))
			p->section = i;
	p->section_line = p->line;
	p->seen = 0;

	switch (p->section) {
	case SECTION_NONE:
		return fail(p, p->line, "",
			    "unknown section [%s]; there are [Node], [Rendezvous], [Relay], [Gateway] and [Peer]",
			    name);
	case SECTION_NODE:
		if (config->node_line)
			return fail(p, p->line, "",
				    "a second [Node]; the first is in line %u",
				    config->node_line);
		config->node_line = p->line;
		break;
	case SECTION_RENDEZVOUS:
		err = add_server(&config->rendezvous, &config->n_rendezvous,
				 p->line);
		break;
	case SECTION_RELAY:
		err = add_server(&config->relays, &config->n_relays, p->line);
		break;
	case SECTION_GATEWAY:
		err = add_gateway(config, p->line);
		break;
	case SECTION_PEER:
		err = add_peer(config, p->line);
		break;
	}
	return err ? fail(p, p->line, "", "out of memory") : 0;
}

static int parse_setting(struct parser *p, char *text)
{
	char *equals = strchr(text, '=');
	char *name, *value;
	size_t i;

	if (!equals)
		return fail(p, p->line, "",
			    "neither a [Section] nor Key = value");
	*equals = '\0';
	name = trim(text);
	value = trim(equals + 1);
	if (!*name)
		return fail(p, p->line, "", "no key before \"=\"");
	if (p->section == SECTION_NONE)
		return fail(p, p->line, name, "before the first [Section]");

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].section == p->section &&
		    !strcasecmp(name, keys[i].name))
			break;
	if (i == ARRAY_SIZE(keys))
		return fail(p, p->line, name, "unknown key in [%s]",
			    section_names[p->section]);
	if (p->seen & 1ull << i)
		return fail(p, p->line, keys[i].name,
			    "a second time in this [%s]",
			    section_names[p->section]);
	p->seen |= 1ull << i;
	if (!*value)
		return fail(p, p->line, keys[i].name, "no value");
	return keys[i].set(p, keys[i].name, value);
}

static int parse_line(struct parser *p, const char *from, size_t len)
{
	char line[LINE_SIZE];
	char *text;
	int err;

	if (len >= sizeof(line))
		return fail(p, p->line, "", "the line is too long");
	if (memchr(from, '\0', len))
		return fail(p, p->line, "", "a NUL byte: not a text file");
	memcpy(line, from, len);
	line[len] = '\0';
	cut_comment(line);
	text = trim(line);

	if (!*text)
		err = 0;
	else if (*text == '[')
		err = begin_section(p, text);
	else
		err = parse_setting(p, text);
	sodium_memzero(line, sizeof(line));
	return err;
}

/**
 * laya_config_parse() - read a configuration from memory
 * @buf: the text
 * @len: how long it is
 * @filename: what to call it in errors
 * @config: filled in; laya_config_free() it after success
 * @error: says what is wrong
 *
 * A pure function: files that the configuration names are not read.
 *
 * Return: 0, or -EINVAL; @config is then empty.
 */
int laya_config_parse(const char *buf, size_t len, const char *filename,
		      struct laya_config *config,
		      struct laya_config_error *error)
{
	struct parser p = {
		.filename = filename,
		.config = config,
		.error = error,
	};
	int err = 0;

	memset(error, 0, sizeof(*error));
	memset(config, 0, sizeof(*config));
	strcpy(config->device, LAYA_DEFAULT_DEVICE);
	config->probe_mapped = true;
	config->transports = (1u << LAYA_TRANSPORT_END) -
			     (1u << LAYA_TRANSPORT_UDP);
	config->use_gateways = true;

	if (len > LAYA_CONFIG_MAX_FILE)
		err = fail(&p, 0, "", "larger than %d bytes",
			   LAYA_CONFIG_MAX_FILE);
	while (!err && len) {
		const char *end = memchr(buf, '\n', len);
		size_t n = end ? (size_t)(end - buf) : len;

		p.line++;
		err = parse_line(&p, buf, n);
		n += end ? 1 : 0;
		buf += n;
		len -= n;
	}
	if (!err)
		err = end_section(&p);
	if (!err && !config->node_line)
		err = fail(&p, 0, "", "no [Node] section");
	if (err) {
		laya_config_free(config);
		return err;
	}
	/* Others have to find it. */
	if ((config->forward == LAYA_FORWARD_PUBLIC || config->gateway) &&
	    !config->listen_port)
		config->listen_port = LAYA_DEFAULT_PORT;
	return 0;
}

/* The file into a buffer of its own, which the caller wipes and frees */
static int read_config(struct parser *p, char **out, size_t *out_len,
		       struct stat *st)
{
	size_t size = LAYA_CONFIG_MAX_FILE + 1;
	size_t len = 0;
	char *buf;
	int err;
	int fd;

	fd = open(p->filename, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, st)) {
		err = -errno;
		fail(p, 0, "", "cannot open: %s", strerror(-err));
		goto err_close;
	}
	buf = malloc(size);
	if (!buf) {
		err = -ENOMEM;
		fail(p, 0, "", "out of memory");
		goto err_close;
	}
	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			fail(p, 0, "", "cannot read: %s", strerror(-err));
			goto err_free;
		}
		if (n == 0)
			break;
		len += n;
	}
	close(fd);
	*out = buf;
	*out_len = len;
	return 0;

err_free:
	sodium_memzero(buf, size);
	free(buf);
err_close:
	if (fd >= 0)
		close(fd);
	return err;
}

static int load_secrets(struct parser *p)
{
	struct laya_config *config = p->config;
	uint8_t own[LAYA_KEY_SIZE];
	char msg[LAYA_CONFIG_ERROR_SIZE - 64];
	size_t i;
	int err;

	if (config->private_key_file) {
		err = laya_key_read_file(config->private_key,
					 config->private_key_file, msg,
					 sizeof(msg));
		if (err) {
			fail(p, config->node_line, "PrivateKeyFile", "%s", msg);
			return err;
		}
		config->have_private_key = true;
	}
	err = laya_key_public(own, config->private_key);
	if (err)
		return fail(p, 0, "PrivateKey", "not usable");

	for (i = 0; i < config->n_peers; i++) {
		struct laya_config_peer *this = &config->peers[i];

		if (laya_key_equal(this->public_key, own))
			return fail(p, this->line, "PublicKey",
				    "that is this node's own key");
		if (!this->psk_file)
			continue;
		err = laya_key_read_file(this->psk, this->psk_file, msg,
					 sizeof(msg));
		if (err) {
			fail(p, this->line, "PresharedKeyFile", "%s", msg);
			return err;
		}
		this->have_psk = true;
	}
	return 0;
}

static int load(const char *filename, struct laya_config *config,
		struct laya_config_error *error, bool secrets)
{
	struct parser p = {
		.filename = filename,
		.config = config,
		.error = error,
	};
	struct stat st;
	char *buf = NULL;
	size_t len = 0;
	int err;

	memset(config, 0, sizeof(*config));
	memset(error, 0, sizeof(*error));
	if (sodium_init() < 0) {
		fail(&p, 0, "", "libsodium cannot start");
		return -EIO;
	}
	err = read_config(&p, &buf, &len, &st);
	if (err)
		return err;
	err = laya_config_parse(buf, len, filename, config, error);
	sodium_memzero(buf, len);
	free(buf);
	if (err || !secrets)
		return err;

	if (config->have_private_key && S_ISREG(st.st_mode) &&
	    st.st_mode & (S_IRWXG | S_IRWXO)) {
		fail(&p, 0, "PrivateKey",
		     "others may read the file; do: chmod 600 %s", filename);
		err = -EACCES;
	} else {
		err = load_secrets(&p);
	}
	if (err)
		laya_config_free(config);
	return err;
}

/**
 * laya_config_load() - read a configuration and the keys that it names
 * @filename: the file
 * @config: filled in; laya_config_free() it after success
 * @error: says what is wrong
 *
 * Return: 0 or a negative errno; @config is then empty.
 */
int laya_config_load(const char *filename, struct laya_config *config,
		     struct laya_config_error *error)
{
	return load(filename, config, error, true);
}

/**
 * laya_config_load_names() - read a configuration for its names only
 * @filename: the file
 * @config: filled in; laya_config_free() it after success
 * @error: says what is wrong
 *
 * No key file is read.
 *
 * Return: 0 or a negative errno; @config is then empty.
 */
int laya_config_load_names(const char *filename, struct laya_config *config,
			   struct laya_config_error *error)
{
	return load(filename, config, error, false);
}

/**
 * laya_config_free() - wipe the secrets and free the rest
 * @config: the configuration; empty afterwards
 */
void laya_config_free(struct laya_config *config)
{
	size_t i;

	for (i = 0; i < config->n_peers; i++)
		free(config->peers[i].psk_file);
	if (config->n_peers)
		sodium_memzero(config->peers,
			       config->n_peers * sizeof(*config->peers));
	free(config->peers);
	free(config->rendezvous);
	free(config->relays);
	free(config->gateways);
	free(config->private_key_file);
	if (config->proxy)
		sodium_memzero(config->proxy, strlen(config->proxy));
	free(config->proxy);
	free(config->tls_certificate);
	free(config->tls_key);
	free(config->tls_ca_file);
	sodium_memzero(config, sizeof(*config));
}

/**
 * laya_config_find_peer() - find a peer by its name
 * @config: in this configuration
 * @name: the name, in any case; with or without ".laya"
 *
 * Return: the peer, or NULL.
 */
const struct laya_config_peer *
laya_config_find_peer(const struct laya_config *config, const char *name)
{
	size_t len = strlen(name);
	size_t i;

	if (len > 5 && !strcasecmp(name + len - 5, ".laya"))
		len -= 5;
	for (i = 0; len && i < config->n_peers; i++)
		if (strlen(config->peers[i].name) == len &&
		    !strncasecmp(config->peers[i].name, name, len))
			return &config->peers[i];
	return NULL;
}
