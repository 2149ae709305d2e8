/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration of a node: one INI file.
 *
 *	[Node]			; once
 *	[Rendezvous]		; as often as there are some
 *	[Relay]			; likewise
 *	[Gateway]		; likewise
 *	[Peer]			; likewise
 *
 * Comments begin with ";" or "#", at the start of a line or after white
 * space.  Whatever is not understood is an error that names file, line and
 * key: a setting that is silently ignored is worse than none.
 */
#ifndef LAYA_CONFIG_H
#define LAYA_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "key.h"
#include "transport.h"
#include "trunk.h"

#define LAYA_DEFAULT_CONFIG	"/etc/laya/laya.conf"
#define LAYA_DEFAULT_DEVICE	"laya0"
#define LAYA_DEFAULT_PORT	5292	/* of forwarders, UDP and TCP */

#define LAYA_CONFIG_MAX_FILE	(1024 * 1024)
#define LAYA_CONFIG_NAME_SIZE	64	/* a DNS label and a NUL */
#define LAYA_CONFIG_HOST_SIZE	256	/* a DNS name and a NUL */
#define LAYA_CONFIG_PATH_SIZE	4096
#define LAYA_CONFIG_INTERFACES	16
#define LAYA_CONFIG_LISTENS	8
#define LAYA_CONFIG_GATEWAY_KEYS	64
#define LAYA_CONFIG_HOSTS	4096	/* attached to one node, unless told */
#define LAYA_CONFIG_MAX_HOSTS	65536
#define LAYA_CONFIG_ERROR_SIZE	512

enum laya_forward {
	LAYA_FORWARD_NO,
	LAYA_FORWARD_PEERS,
	LAYA_FORWARD_PUBLIC,
};

/**
 * struct laya_config_error - what is wrong, and where
 * @line: line of the file, from 1; 0 is the file as a whole
 * @key: key at fault, or empty
 * @text: the whole message for a person: "file:line: key: what"
 */
struct laya_config_error {
	unsigned int line;
	char key[LAYA_CONFIG_NAME_SIZE];
	char text[LAYA_CONFIG_ERROR_SIZE];
};

/**
 * struct laya_config_server - a [Rendezvous] or a [Relay]
 * @public_key: its key
 * @host: name or address, without brackets
 * @port: port, host byte order
 * @host_name: HostName: what TLS, HTTP and proxies call it; or empty
 * @line: where its section begins
 */
struct laya_config_server {
	uint8_t public_key[LAYA_KEY_SIZE];
	char host[LAYA_CONFIG_HOST_SIZE];
	uint16_t port;
	char host_name[LAYA_CONFIG_HOST_SIZE];
	unsigned int line;
};

/**
 * struct laya_config_gateway - a [Gateway]
 * @public_key: its key
 * @identify: Identify: we attach under our own key, not an ephemeral one
 * @line: where its section begins
 */
struct laya_config_gateway {
	uint8_t public_key[LAYA_KEY_SIZE];
	bool identify;
	unsigned int line;
};

/**
 * struct laya_config_peer - a [Peer]
 * @name: a DNS label in lower case, or empty
 * @public_key: its key
 * @have_psk: PresharedKeyFile is there, and @psk was read by
 *	laya_config_load()
 * @psk_file: the file; empty when there is none
 * @psk: the pre-shared key; zero when there is none
 * @endpoint: Endpoint: name or address, without brackets; or empty
 * @endpoint_port: its port, host byte order
 * @line: where its section begins
 */
struct laya_config_peer {
	char name[LAYA_CONFIG_NAME_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	bool have_psk;
	char *psk_file;
	uint8_t psk[LAYA_KEY_SIZE];
	char endpoint[LAYA_CONFIG_HOST_SIZE];
	uint16_t endpoint_port;
	unsigned int line;
};

/**
 * struct laya_config - a parsed configuration
 * @private_key: from PrivateKey, or from the file by laya_config_load()
 * @have_private_key: @private_key is set
 * @private_key_file: PrivateKeyFile, or NULL
 * @device: Device
 * @listen_port: ListenPort; 0 is ephemeral, or LAYA_DEFAULT_PORT with
 *	Forward = public or Gateway = yes
 * @forward: Forward
 * @forward_rate: ForwardRate, bytes a second for each label; 0 is not set
 * @host_name: HostName, or empty
 * @forward_hosts: ForwardHosts; 0 is not set
 * @forward_to: ForwardTo
 * @probe_mapped: ProbeMapped
 * @proxy: Proxy: a URL, "environment" or "none"; NULL is "environment"
 * @transports: Transports: bit by enum laya_transport
 * @tls_certificate: TlsCertificate, or NULL
 * @tls_key: TlsKey, or NULL
 * @tls_ca_file: TlsCaFile, or NULL
 * @gateway: Gateway
 * @interfaces: GatewayInterface
 * @n_interfaces: how many; 0 when it is not set
 * @gateway_keys: GatewayKeys
 * @n_gateway_keys: how many; 0 when it is not set
 * @use_gateways: UseGateways
 * @local_discovery: LocalDiscovery
 * @listens: SignalListen
 * @n_listens: how many
 * @node_line: where [Node] begins
 */
struct laya_config {
	uint8_t private_key[LAYA_KEY_SIZE];
	bool have_private_key;
	char *private_key_file;
	char device[IFNAMSIZ];
	uint16_t listen_port;
	enum laya_forward forward;
	uint64_t forward_rate;
	uint64_t forward_hosts;
	enum laya_trunk_to forward_to;
	char host_name[LAYA_HOST_NAME_SIZE];
	bool probe_mapped;
	char *proxy;
	unsigned int transports;
	char *tls_certificate;
	char *tls_key;
	char *tls_ca_file;
	bool gateway;
	char interfaces[LAYA_CONFIG_INTERFACES][IFNAMSIZ];
	size_t n_interfaces;
	uint8_t gateway_keys[LAYA_CONFIG_GATEWAY_KEYS][LAYA_KEY_SIZE];
	size_t n_gateway_keys;
	bool use_gateways;
	bool local_discovery;
	struct laya_address listens[LAYA_CONFIG_LISTENS];
	size_t n_listens;
	unsigned int node_line;

	struct laya_config_server *rendezvous;
	size_t n_rendezvous;
	struct laya_config_server *relays;
	size_t n_relays;
	struct laya_config_gateway *gateways;
	size_t n_gateways;
	struct laya_config_peer *peers;
	size_t n_peers;
};

int laya_config_parse(const char *buf, size_t len, const char *filename,
		      struct laya_config *config,
		      struct laya_config_error *error);
int laya_config_load(const char *filename, struct laya_config *config,
		     struct laya_config_error *error);
int laya_config_load_names(const char *filename, struct laya_config *config,
			   struct laya_config_error *error);
void laya_config_free(struct laya_config *config);

const struct laya_config_peer *
laya_config_find_peer(const struct laya_config *config, const char *name);

int laya_config_parse_endpoint(const char *text, char *host, size_t host_size,
			       uint16_t *port);
bool laya_config_name_valid(const char *name);

#endif /* LAYA_CONFIG_H */
