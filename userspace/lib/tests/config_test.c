// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "../config.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define KEY1	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY2	"AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define ZERO	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NODE	"[Node]\nPrivateKeyFile = /k\n"

static struct laya_config config;
static struct laya_config_error error;

static int parse(const char *text)
{
	return laya_config_parse(text, strlen(text), "test.conf", &config,
				 &error);
}

static void good(const char *text)
{
	if (parse(text))
		fail_msg("%s", error.text);
}

static void parse__all_keys(void **state)
{
	(void)state;
	good("; all of it\r\n"
	     "[Node]\n"
	     "PrivateKey = " KEY1 "   ; secret\n"
	     "Device = laya7\n"
	     "ListenPort = 4000\n"
	     "Forward = peers\n"
	     "ForwardRate = 12500000\n"
	     "ForwardHosts = 4096\n"
	     "ForwardTo = any\n"
	     "ProbeMapped = no\n"
	     "Gateway = no\n"
	     "UseGateways = no\n"
	     "SignalListen = 192.0.2.1:443, [::]:444\n"
	     "LocalDiscovery = yes\n"
	     "# more\n"
	     "[Rendezvous]\nPublicKey=" KEY1 "\nAddress=r.example:443\n"
	     "[rendezvous]\npublickey = " KEY2 "\n"
	     "Address = [2001:db8::1]:5000\n"
	     "[Relay]\nPublicKey = " KEY1 "\nAddress = 192.0.2.1\n"
	     "[Gateway]\nPublicKey = " KEY2 "\n"
	     "[Peer]\nName = Bob\nPublicKey = " KEY1 "\n"
	     "PresharedKeyFile = /etc/a;b#c\n"
	     "Endpoint = [2001:db8::2]:443\n"
	     "[Peer]\nPublicKey = " KEY2);
	assert_true(config.have_private_key);
	assert_int_equal(config.private_key[1], 1);
	assert_null(config.private_key_file);
	assert_string_equal(config.device, "laya7");
	assert_int_equal(config.listen_port, 4000);
	assert_int_equal(config.forward, LAYA_FORWARD_PEERS);
	assert_int_equal(config.forward_rate, 12500000);
	assert_int_equal(config.forward_hosts, 4096);
	assert_int_equal(config.forward_to, LAYA_TRUNK_TO_ANY);
	assert_false(config.probe_mapped);
	assert_int_equal(config.n_rendezvous, 2);
	assert_string_equal(config.rendezvous[0].host, "r.example");
	assert_int_equal(config.rendezvous[0].port, 443);
	assert_string_equal(config.rendezvous[1].host, "2001:db8::1");
	assert_int_equal(config.rendezvous[1].port, 5000);
	assert_int_equal(config.n_relays, 1);
	assert_int_equal(config.relays[0].port, LAYA_DEFAULT_PORT);
	assert_false(config.gateway);
	assert_false(config.use_gateways);
	assert_true(config.local_discovery);
	assert_int_equal(config.n_listens, 2);
	assert_int_equal(config.listens[0].family, AF_INET);
	assert_int_equal(config.listens[0].port, 443);
	assert_true(laya_address_is_any(&config.listens[1]));
	assert_int_equal(config.listens[1].port, 444);
	assert_int_equal(config.n_gateways, 1);
	assert_int_equal(config.gateways[0].public_key[0], 1);
	assert_int_equal(config.n_peers, 2);
	assert_string_equal(config.peers[0].name, "bob");
	assert_string_equal(config.peers[0].psk_file, "/etc/a;b#c");
	assert_string_equal(config.peers[0].endpoint, "2001:db8::2");
	assert_int_equal(config.peers[0].endpoint_port, 443);
	assert_string_equal(config.peers[1].name, "");
	assert_string_equal(config.peers[1].endpoint, "");
	assert_int_equal(config.peers[1].public_key[0], 1);
	laya_config_free(&config);
	assert_int_equal(config.n_peers, 0);
	assert_true(laya_key_is_zero(config.private_key));
}

static void parse__defaults(void **state)
{
	(void)state;
	good(NODE);
	assert_string_equal(config.device, "laya0");
	assert_int_equal(config.listen_port, 0);
	assert_int_equal(config.forward, LAYA_FORWARD_NO);
	assert_true(config.probe_mapped);
	assert_false(config.gateway);
	assert_true(config.use_gateways);
	assert_false(config.have_private_key);
	assert_string_equal(config.private_key_file, "/k");
	assert_int_equal(config.node_line, 1);
	laya_config_free(&config);
}

static void parse__transports(void **state)
{
	(void)state;
	good(NODE);
	assert_null(config.proxy);
	assert_int_equal(config.transports, 0x3e);
	assert_null(config.tls_certificate);
	laya_config_free(&config);

	good(NODE "Proxy = http://me:hush@proxy.example:3128\n"
	     "Transports = udp,TCP , wss\n"
	     "TlsCertificate = /c\nTlsKey = /k\nTlsCaFile = /a\n"
	     "[Rendezvous]\nPublicKey=" KEY1 "\nAddress=192.0.2.1:443\n"
	     "HostName = r.example\n"
	     "[Relay]\nPublicKey=" KEY2 "\nAddress=192.0.2.2\n");
	assert_string_equal(config.proxy,
			    "http://me:hush@proxy.example:3128");
	assert_int_equal(config.transports, 1 << LAYA_TRANSPORT_UDP |
					    1 << LAYA_TRANSPORT_TCP |
					    1 << LAYA_TRANSPORT_WSS);
	assert_string_equal(config.tls_certificate, "/c");
	assert_string_equal(config.tls_key, "/k");
	assert_string_equal(config.tls_ca_file, "/a");
	assert_string_equal(config.rendezvous[0].host_name, "r.example");
	assert_string_equal(config.relays[0].host_name, "");
	laya_config_free(&config);
	good(NODE "Proxy = none\n");
	assert_string_equal(config.proxy, "none");
	laya_config_free(&config);
}

static void parse__public_has_a_port_and_a_name(void **state)
{
	(void)state;
	good(NODE "Forward = public\n");
	assert_int_equal(config.listen_port, LAYA_DEFAULT_PORT);
	assert_string_equal(config.host_name, "");
	laya_config_free(&config);
	good(NODE "Forward = public\nListenPort = 9\nHostName = r.example\n");
	assert_int_equal(config.listen_port, 9);
	assert_string_equal(config.host_name, "r.example");
	laya_config_free(&config);
}

static void parse__gateway(void **state)
{
	(void)state;
	good(NODE "Gateway = yes\nGatewayInterface = lan0  br-guest\n");
	assert_true(config.gateway);
	assert_int_equal(config.listen_port, LAYA_DEFAULT_PORT);
	assert_int_equal(config.n_interfaces, 2);
	assert_string_equal(config.interfaces[0], "lan0");
	assert_string_equal(config.interfaces[1], "br-guest");
	assert_int_equal(config.n_gateway_keys, 0);
	laya_config_free(&config);
	good(NODE "Gateway = yes\nGatewayKeys = " KEY1 "  " KEY2 "\n"
	     "[Gateway]\nPublicKey = " KEY1 "\n"
	     "[Gateway]\nPublicKey = " KEY2 "\nIdentify = yes\n");
	assert_int_equal(config.n_gateway_keys, 2);
	assert_int_equal(config.gateway_keys[1][0], 1);
	assert_false(config.gateways[0].identify);
	assert_true(config.gateways[1].identify);
	laya_config_free(&config);
}

static void parse__gateway_keys_end(void **state)
{
	char text[LAYA_CONFIG_PATH_SIZE] = NODE "Gateway = yes\nGatewayKeys =";
	unsigned int i;

	(void)state;
	for (i = 0; i < LAYA_CONFIG_GATEWAY_KEYS; i++)
		strcat(text, " " KEY1);
	good(text);
	laya_config_free(&config);
	strcat(text, " " KEY2);
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(error.text,
			       "test.conf:4: GatewayKeys: more than 64 keys"));
}

static const struct bad {
	const char *text;
	const char *message;	/* begins so */
} bad[] = {
	{ "", "test.conf: no [Node] section" },
	{ "[Peer]\nPublicKey = " KEY1, "test.conf: no [Node] section" },
	{ "[Node]\n", "test.conf:1: PrivateKeyFile: missing" },
	{ "\n[Node]\nPrivateKeyFile=/k\nPrivateKey=" KEY1,
	  "test.conf:2: PrivateKey: PrivateKeyFile is there too" },
	{ NODE NODE, "test.conf:3: a second [Node]" },
	{ NODE "[Peers]\n", "test.conf:3: unknown section [Peers]" },
	{ NODE "[Peer\n", "test.conf:3: \"[Peer\": no \"]\"" },
	{ "[\n", "test.conf:1: " },
	{ NODE "Colour = red\n", "test.conf:3: Colour: unknown key in [Node]" },
	{ NODE "MTU = 1280\n", "test.conf:3: MTU: unknown key" },
	{ NODE "Name = x\n", "test.conf:3: Name: unknown key in [Node]" },
	{ NODE "Device = a\nDevice = b\n",
	  "test.conf:4: Device: a second time" },
	{ NODE "Device =\n", "test.conf:3: Device: no value" },
	{ NODE "Device = ; laya0\n", "test.conf:3: Device: no value" },
	{ NODE "Device = sixteen-letters-\n", "test.conf:3: Device: " },
	{ NODE "Device = a/b\n", "test.conf:3: Device: " },
	{ NODE "Device = ..\n", "test.conf:3: Device: " },
	{ NODE "hello\n", "test.conf:3: neither a [Section]" },
	{ NODE "= 3\n", "test.conf:3: no key before" },
	{ "Device = a\n", "test.conf:1: Device: before the first [Section]" },
	{ NODE "ListenPort = 65536\n", "test.conf:3: ListenPort: " },
	{ NODE "ListenPort = -1\n", "test.conf:3: ListenPort: " },
	{ NODE "ListenPort = 1x\n", "test.conf:3: ListenPort: " },
	{ NODE "ListenPort = 0x10\n", "test.conf:3: ListenPort: " },
	{ NODE "Forward = maybe\n", "test.conf:3: Forward: \"maybe\" is none" },
	{ NODE "ForwardRate = 99999999999999999999\n",
	  "test.conf:3: ForwardRate: " },
	{ NODE "ProbeMapped = 2\n", "test.conf:3: ProbeMapped: " },
	{ NODE "Proxy = maybe\n", "test.conf:3: Proxy: neither environment" },
	{ NODE "Proxy = ftp://a\n", "test.conf:3: Proxy: neither" },
	{ NODE "Proxy = socks5h://\n", "test.conf:3: Proxy: neither" },
	{ NODE "Transports = udp quic\n",
	  "test.conf:3: Transports: \"quic\" is none of udp" },
	{ NODE "Transports = ,\n", "test.conf:3: Transports: \"\" is none" },
	{ NODE "TlsKey = /k\n", "test.conf:1: TlsKey: there is no" },
	{ NODE "Forward = public\nHostName = localhost\n",
	  "test.conf:4: HostName: \"localhost\" is not the name of a host" },
	{ NODE "HostName = r.example\n",
	  "test.conf:1: HostName: without Forward = public" },
	{ NODE "[Relay]\nHostName = a b\n", "test.conf:4: HostName: " },
	{ NODE "[Peer]\nHostName = a\n", "test.conf:4: HostName: unknown" },
	{ NODE "ForwardHosts = 0\n", "test.conf:3: ForwardHosts: " },
	{ NODE "ForwardHosts = 65537\n", "test.conf:3: ForwardHosts: " },
	{ NODE "ForwardTo = yes\n", "test.conf:3: ForwardTo: " },
	{ NODE "Gateway = maybe\n", "test.conf:3: Gateway: " },
	{ NODE "UseGateways = 1.5\n", "test.conf:3: UseGateways: " },
	{ NODE "GatewayInterface = lan0\n",
	  "test.conf:1: GatewayInterface: without Gateway = yes" },
	{ NODE "Gateway = yes\nGatewayInterface = lan0 a/b\n",
	  "test.conf:4: GatewayInterface: " },
	{ NODE "Gateway = yes\nGatewayInterface = a b c d e f g h i j k l m n o p q\n",
	  "test.conf:4: GatewayInterface: more than 16" },
	{ NODE "GatewayKeys = " KEY1 "\n",
	  "test.conf:1: GatewayKeys: without Gateway = yes" },
	{ NODE "Gateway = yes\nGatewayKeys = " KEY1 " x\n",
	  "test.conf:4: GatewayKeys: not a key" },
	{ NODE "[Gateway]\nPublicKey = " KEY1 "\nIdentify = perhaps\n",
	  "test.conf:5: Identify: " },
	{ NODE "Gateway = yes\nListenPort = 9\n",
	  "test.conf:1: ListenPort: with Gateway = yes it has to be 5292" },
	{ NODE "[Gateway]\n", "test.conf:3: PublicKey: missing in [Gateway]" },
	{ NODE "[Gateway]\nPublicKey = x\n", "test.conf:4: PublicKey: " },
	{ NODE "[Gateway]\nAddress = 192.0.2.1\n",
	  "test.conf:4: Address: unknown key in [Gateway]" },
	{ NODE "LocalDiscovery = 1", "test.conf:3: LocalDiscovery: \"1\"" },
	{ NODE "SignalListen = here:443", "test.conf:3: SignalListen: \"here" },
	{ NODE "SignalListen = 0.0.0.0", "test.conf:3: SignalListen: \"0.0" },
	{ NODE "SignalListen = [::]:0", "test.conf:3: SignalListen: \"[::]" },
	{ NODE "SignalListen = [::]:4 [::]:4",
	  "test.conf:3: SignalListen: \"[::]:4\" is there twice" },
	{ NODE "[Peer]\nPublicKey = " KEY1 "\nEndpoint = a.example\n",
	  "test.conf:5: Endpoint: \"a.example\" is not an address" },
	{ "[Node]\nPrivateKey = xyz\n", "test.conf:2: PrivateKey: not a key" },
	{ "[Node]\nPrivateKey = " ZERO, "test.conf:2: PrivateKey: not a key" },
	{ NODE "[Peer]\n", "test.conf:3: PublicKey: missing in [Peer]" },
	{ NODE "[Peer]\nName = a\n[Peer]\n",
	  "test.conf:3: PublicKey: missing in [Peer]" },
	{ NODE "[Peer]\nPublicKey = " ZERO,
	  "test.conf:4: PublicKey: a key that nobody can have" },
	{ NODE "[Peer]\nPublicKey = x\n", "test.conf:4: PublicKey: not a key" },
	{ NODE "[Peer]\nPublicKey=" KEY1 "\n[Peer]\nPublicKey=" KEY1,
	  "test.conf:6: PublicKey: the peer in line 3 has this key" },
	{ NODE "[Peer]\nName=A\nPublicKey=" KEY1 "\n[Peer]\nName=a\n",
	  "test.conf:7: Name: the peer in line 3 is \"a\" already" },
	{ NODE "[Peer]\nName = a b\n", "test.conf:4: Name: " },
	{ NODE "[Peer]\nName = -a\n", "test.conf:4: Name: " },
	{ NODE "[Peer]\nName = a.b\n", "test.conf:4: Name: " },
	{ NODE "[Rendezvous]\nPublicKey = " KEY1,
	  "test.conf:3: Address: missing in [Rendezvous]" },
	{ NODE "[Rendezvous]\nAddress = host\n", "test.conf:4: Address: " },
	{ NODE "[Rendezvous]\nAddress = host:0\n", "test.conf:4: Address: " },
	{ NODE "[Relay]\nAddress = 2001:db8::1:99999:1\n",
	  "test.conf:4: Address: " },
	{ NODE "[Relay]\nAddress = [host]:1\n", "test.conf:4: Address: " },
	{ NODE "[Relay]\nAddress = ho st:1\n", "test.conf:4: Address: " },
	{ NODE "[Relay]\nAddress = [::1\n", "test.conf:4: Address: " },
};

static void parse__errors(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i].text) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		if (strncmp(error.text, bad[i].message,
			    strlen(bad[i].message)))
			fail_msg("\"%s\", not \"%s\"", error.text,
				 bad[i].message);
		assert_int_equal(config.n_peers, 0);
		assert_null(config.peers);
	}
}

static void parse__secret_is_not_repeated(void **state)
{
	(void)state;
	assert_int_equal(parse("[Node]\nPrivateKey = hush\n"), -EINVAL);
	assert_null(strstr(error.text, "hush"));
	assert_int_equal(parse(NODE "Proxy = htp://me:hush@a\n"), -EINVAL);
	assert_null(strstr(error.text, "hush"));
}

static void parse__nul_and_long_lines(void **state)
{
	static const char nul[] = "[Node]\nDev\0ice = a\n";
	char *text = malloc(8192);

	(void)state;
	assert_int_equal(laya_config_parse(nul, sizeof(nul) - 1, "f", &config,
					   &error), -EINVAL);
	assert_int_equal(error.line, 2);
	memset(text, 'x', 8192);
	assert_int_equal(laya_config_parse(text, 8192, "f", &config, &error),
			 -EINVAL);
	assert_int_equal(error.line, 1);
	free(text);
}

/* Every prefix of a good file is parsed or refused, without a leak. */
static void parse__truncated(void **state)
{
	static const char text[] =
		NODE "[Rendezvous]\nPublicKey=" KEY1 "\nAddress=a:1\n"
		"[Peer]\nName = bob\nPublicKey = " KEY2 "\n"
		"PresharedKeyFile = /p\n";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		char *copy = malloc(i ? i : 1);

		memcpy(copy, text, i);
		if (!laya_config_parse(copy, i, "f", &config, &error))
			laya_config_free(&config);
		free(copy);
	}
}

static void parse_endpoint__cases(void **state)
{
	char host[LAYA_CONFIG_HOST_SIZE];
	uint16_t port = 0;

	(void)state;
	assert_int_equal(laya_config_parse_endpoint("[::1]:80", host,
						    sizeof(host), &port), 0);
	assert_string_equal(host, "::1");
	assert_int_equal(port, 80);
	port = 7;
	assert_int_equal(laya_config_parse_endpoint("a.example", host,
						    sizeof(host), &port), 0);
	assert_int_equal(port, 7);
	assert_int_equal(laya_config_parse_endpoint("2001:db8::1", host,
						    sizeof(host), &port), 0);
	assert_string_equal(host, "2001:db8::1");
	assert_int_equal(laya_config_parse_endpoint(":80", host, sizeof(host),
						    &port), -EINVAL);
	assert_int_equal(laya_config_parse_endpoint("a:+1", host,
						    sizeof(host), &port),
			 -EINVAL);
}

static char directory[] = "/tmp/laya-config-XXXXXX";

static const char *put(const char *name, const char *text, mode_t mode)
{
	static char path[2][128];
	static unsigned int which;
	FILE *file;

	which = !which;
	snprintf(path[which], sizeof(path[which]), "%s/%s", directory, name);
	file = fopen(path[which], "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path[which], mode), 0);
	return path[which];
}

static void load__reads_keys(void **state)
{
	char text[1024];
	const char *conf;

	(void)state;
	snprintf(text, sizeof(text),
		 "[Node]\nPrivateKeyFile = %s\n[Peer]\nName = bob\n"
		 "PublicKey = " KEY1 "\nPresharedKeyFile = %s/psk\n",
		 put("key", KEY2 "\n", 0600), directory);
	put("psk", KEY1 "\n", 0600);
	conf = put("laya.conf", text, 0644);
	if (laya_config_load(conf, &config, &error))
		fail_msg("%s", error.text);
	assert_true(config.have_private_key);
	assert_int_equal(config.private_key[0], 1);
	assert_true(config.peers[0].have_psk);
	assert_int_equal(config.peers[0].psk[1], 1);
	assert_ptr_equal(laya_config_find_peer(&config, "BOB.laya"),
			 &config.peers[0]);
	assert_null(laya_config_find_peer(&config, "alice"));
	assert_null(laya_config_find_peer(&config, ".laya"));
	laya_config_free(&config);

	put("psk", "nonsense\n", 0600);
	assert_int_not_equal(laya_config_load(conf, &config, &error), 0);
	assert_string_equal(error.key, "PresharedKeyFile");
	assert_int_equal(error.line, 3);
	assert_int_equal(laya_config_load_names(conf, &config, &error), 0);
	assert_false(config.have_private_key);
	laya_config_free(&config);
}

static void load__errors(void **state)
{
	const char *conf;

	(void)state;
	assert_int_equal(laya_config_load("/nonexistent", &config, &error),
			 -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent"));
	assert_int_not_equal(laya_config_load("/tmp", &config, &error), 0);

	conf = put("open.conf", "[Node]\nPrivateKey = " KEY2 "\n", 0644);
	assert_int_equal(laya_config_load(conf, &config, &error), -EACCES);

	conf = put("own.conf", "[Node]\nPrivateKey = "
		   "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"
		   "[Peer]\nPublicKey = "
		   "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n", 0600);
	assert_int_equal(laya_config_load(conf, &config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "own key"));
	assert_int_equal(error.line, 3);
}

static int setup(void **state)
{
	(void)state;
	return sodium_init() < 0 || !mkdtemp(directory);
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"key", "psk", "laya.conf", "open.conf", "own.conf",
	};
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__all_keys),
		cmocka_unit_test(parse__defaults),
		cmocka_unit_test(parse__transports),
		cmocka_unit_test(parse__public_has_a_port_and_a_name),
		cmocka_unit_test(parse__gateway),
		cmocka_unit_test(parse__gateway_keys_end),
		cmocka_unit_test(parse__errors),
		cmocka_unit_test(parse__secret_is_not_repeated),
		cmocka_unit_test(parse__nul_and_long_lines),
		cmocka_unit_test(parse__truncated),
		cmocka_unit_test(parse_endpoint__cases),
		cmocka_unit_test(load__reads_keys),
		cmocka_unit_test(load__errors),
	};

	return cmocka_run_group_tests_name("config", tests, setup, teardown);
}
