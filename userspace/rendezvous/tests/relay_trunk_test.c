// SPDX-License-Identifier: GPL-2.0
/*
 * What a relay does not do for a host that names other forwarders; what it does is
 * selftests/network/forwarders_user.sh, for to loopback no trunk leads.
 *
 *	host, other ---- relay      127.0.0.1, on one loop
 */
#include "relay_peer.h"

struct fixture {
	uv_loop_t loop;
	struct node node;
	struct relay_limits limits;
	struct laya_addresses told;
	struct relay *relay;
	struct peer host;
	struct peer other;
	struct peer_socket *dialler;
	struct laya_address to;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct laya_address address;
	char msg[256];

	assert_non_null(f);
	assert_true(sodium_init() >= 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	make_node(&f->node);
	relay_limits_default(&f->limits);
	assert_int_equal(relay_new(&f->relay, &f->loop, f->node.private_key,
				   &f->limits, &f->told), 0);
	assert_int_equal(relay_open(f->relay, NULL, NULL, NULL, msg,
				    sizeof(msg)), 0);
	assert_int_equal(laya_address_parse(&address, "127.0.0.1:0"), 0);
	assert_int_equal(relay_listen(f->relay, &address, msg, sizeof(msg)),
			 0);
	f->to = address;
	f->to.port = f->relay->port;
	f->dialler = peer_socket_open("127.0.0.1:0");
	peer_init(&f->host, f->relay, "127.0.0.1:0");
	peer_init(&f->other, f->relay, "127.0.0.1:0");
	peer_attach(&f->host, &f->loop);
	peer_attach(&f->other, &f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	peer_free(&f->host);
	peer_free(&f->other);
	peer_socket_close(f->dialler);
	relay_stop(f->relay);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_true(TAILQ_EMPTY(&f->relay->trunks));
	assert_int_equal(f->relay->trunking.n, 0);
	relay_free(f->relay);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static struct relay_host *found(struct fixture *f, const struct peer *peer)
{
	return relay_host_find(f->relay, peer->node.public_key);
}

/* Return: the code of the error that the host is answered with. */
static uint32_t name(struct fixture *f, const char *address)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_TRUNK_REQUEST,
		.id = 1000 + f->host.messages,
		.trunk_request.addresses.n = 1,
	};
	unsigned int before = f->host.messages;

	memset(message.trunk_request.key, 9, LAYA_KEY_SIZE);
	assert_int_equal(laya_address_parse(&message.trunk_request.addresses.list[0],
					    address), 0);
	peer_send_message(&f->host, &message);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages > before);
	assert_int_equal(f->host.message.type, LAYA_MESSAGE_ERROR);
	assert_int_equal(f->host.message.id, message.id);
	assert_true(TAILQ_EMPTY(&f->relay->trunks));
	assert_int_equal(found(f, &f->host)->trunks.n, 0);
	return f->host.message.code;
}

static void trunk__leads_not_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(name(f, "127.0.0.1:5292"),
			 LAYA_MESSAGE_ERROR_UNREACHABLE);
	assert_int_equal(name(f, "10.0.0.1:5292"),
			 LAYA_MESSAGE_ERROR_UNREACHABLE);
	/* No socket of this relay goes there. */
	assert_int_equal(name(f, "[2001:db8::1]:5292"),
			 LAYA_MESSAGE_ERROR_UNREACHABLE);
	f->relay->trunk_to = LAYA_TRUNK_TO_NONE;
	assert_int_equal(name(f, "192.0.2.1:5292"),
			 LAYA_MESSAGE_ERROR_UNREACHABLE);
	assert_int_equal(f->relay->trunking.dialling, 0);
}

static void trunk__not_to_ourselves(void **state)
{
	struct fixture *f = *state;
	struct laya_message message = {
		.type = LAYA_MESSAGE_TRUNK_REQUEST,
		.id = 3,
		.trunk_request.addresses.n = 1,
	};

	memcpy(message.trunk_request.key, f->relay->self.public_key,
	       LAYA_KEY_SIZE);
	laya_address_parse(&message.trunk_request.addresses.list[0],
			   "192.0.2.1:5292");
	peer_send_message(&f->host, &message);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages == 1);
	assert_int_equal(f->host.message.type, LAYA_MESSAGE_ERROR);
	assert_int_equal(f->relay->trunking.n, 0);
}

static void trunk__too_many_at_once(void **state)
{
	struct fixture *f = *state;

	found(f, &f->host)->trunks.n = LAYA_TRUNK_MAX_HOST;
	f->host.messages = 0;
	peer_send_message(&f->host, &(struct laya_message){
		.type = LAYA_MESSAGE_TRUNK_REQUEST,
		.id = 3,
		.trunk_request.key = { 9 },
	});
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages == 1);
	assert_int_equal(f->host.message.type, LAYA_MESSAGE_ERROR);
	assert_int_equal(f->host.message.code,
			 LAYA_MESSAGE_ERROR_RATE_LIMITED);
	found(f, &f->host)->trunks.n = 0;
}

/* With a label that leads to the one, the other alone may send. */
static void label__of_its_user_alone(void **state)
{
	struct fixture *f = *state;
	unsigned int before = f->host.sock->n;
	struct relay_label *label;
	uint8_t packet[100];

	label = relay_label_set(&f->relay->table, &found(f, &f->host)->labels,
				f->other.node.public_key, f->relay->now);
	assert_non_null(label);
	label->user = &found(f, &f->other)->labels;

	make_packet(packet, sizeof(packet), label->issued.value, 0, 0, 1);
	peer_socket_send(f->dialler, &f->to, packet, sizeof(packet), 0);
	wait_for(&f->loop, f->relay->stats.wrong_sender == 1);
	make_packet(packet, sizeof(packet), label->issued.value, 0, 0, 2);
	peer_socket_send(f->other.sock, &f->to, packet, sizeof(packet), 0);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.sock->n > before);
	assert_int_equal(f->host.sock->n, before + 1);
	assert_memory_equal(peer_socket_last(f->host.sock)->data, packet,
			    sizeof(packet));
	assert_int_equal(f->relay->stats.wrong_sender, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trunk__leads_not_there, setup,
						teardown),
		cmocka_unit_test_setup_teardown(trunk__not_to_ourselves, setup,
						teardown),
		cmocka_unit_test_setup_teardown(trunk__too_many_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(label__of_its_user_alone, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("relay_trunk", tests, NULL, NULL);
}
