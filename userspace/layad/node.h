/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The node: what all parts of layad share.
 *
 *	main.c			options, signals
 *	node.c			the node, its candidates, its state on disk
 *	peer.c			other nodes: sessions and paths wanted, had, lost
 *	offer.c			handshakes that we begin
 *	answer.c		handshakes that others begin
 *	courier.c		what carries these: rendezvous servers and others
 *	rendezvous.c		connections to rendezvous servers
 *	signalling.c		connections between peers, for the same
 *	local.c			finding peers on a LAN
 *	contact.c		a connection that is kept
 *	forwarder.c		our attachments to forwarders
 *	known.c			peers that were met before, without rendezvous
 *	reach.c			connections to servers, by whichever transport works
 *	carrier.c		stream carriers, where UDP does not pass
 *	gateway.c		gateways: finding ours, being one
 *	outside.c		and whether they can be reached
 *	attach.c		attachments of others to us
 *	listener.c		how we listen
 *	control_port.c		messages inside of sessions: port 1
 *	kernel.c		the kernel module: device, events, adoption
 *	kernel_peer.c		and requests about one peer
 *	addresses.c routers.c	our addresses and routers, by rtnetlink
 *	suspend.c		this machine was suspended
 *	control_socket.c	layactl
 *	explain.c		why a peer is reached, or is not
 *	candidates.c choice.c backoff.c timer.c		tools
 *
 * Everything runs on one loop, on one thread.  What is freed at run time
 * (peers, attachments, channels) is never freed in the middle of a call that
 * still uses it: peer_del() is called from timers, events and messages as
 * their last act.
 */
#ifndef LAYAD_NODE_H
#define LAYAD_NODE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "candidates.h"
#include "config.h"
#include "handshake.h"
#include "message.h"
#include "nat64.h"
#include "netlink.h"
#include "peer_table.h"
#include "routers.h"
#include "stamp.h"
#include "timer.h"

struct peer;
struct rendezvous;
struct courier;
struct forwarder;
struct carrier;
struct detour;
struct trunking;
struct hall;
struct known_state;
struct local_discovery;
struct suspend;

TAILQ_HEAD(peer_list, peer);
TAILQ_HEAD(rendezvous_list, rendezvous);
TAILQ_HEAD(courier_list, courier);
TAILQ_HEAD(forwarder_list, forwarder);
TAILQ_HEAD(carrier_list, carrier);
TAILQ_HEAD(detour_list, detour);

/**
 * struct node - this node
 * @loop: the loop
 * @config: the configuration
 * @self: our identity
 * @stamp: stamps of our offers
 * @state_dir: where stamps are kept; empty if nowhere
 * @peers: all nodes that we shake hands with
 * @by_key: the same
 * @rendezvous: all rendezvous servers of the configuration; never shrinks
 * @couriers: what carries offers to peers; likewise
 * @forwarders: all forwarders that we know of
 * @trunks: those that hosts of ours have named
 * @trunking: of trunking.c; NULL unless we lead hosts anywhere
 * @detours: forwarders of peers, by way of ours
 * @carriers: stream carriers that we dial
 * @n_carriers: how many
 * @nl: the kernel
 * @ifindex: our device
 * @port: of the UDP carrier
 * @locals: our addresses
 * @nat64: how IPv4 is reached from here, if its length is not 0
 * @nat64_query: looks for that
 * @nat64_asked: it does
 * @routers: our default routers
 * @reached: where somebody outside has reached us by a gateway
 * @look: looks whether somebody has
 * @looks: how often it did since relays were told where to try
 * @kernel: of kernel.c
 * @addresses: of addresses.c
 * @suspend: of suspend.c
 * @attach: of attach.c; NULL unless we forward
 * @hall: of signalling.c
 * @local: of local.c; NULL without LocalDiscovery
 * @control_port: of control_port.c
 * @control_socket: of control_socket.c
 * @known: of known.c
 * @update: tells candidates, soon
 * @save: writes the stamps that were seen, soon
 * @strangers: offers that were ignored, since they are of none of our peers
 * @stranger: whom the last one claims to be from; only a hint
 * @began: when the loop began, milliseconds of uv_now()
 */
struct node {
	uv_loop_t *loop;
	struct laya_config config;
	struct laya_identity self;
	struct laya_stamp stamp;
	char state_dir[PATH_MAX - 64];
	struct peer_list peers;
	struct peer_table by_key;
	struct rendezvous_list rendezvous;
	struct courier_list couriers;
	struct forwarder_list forwarders;
	struct forwarder_list trunks;
	struct trunking *trunking;
	struct detour_list detours;
	struct carrier_list carriers;
	unsigned int n_carriers;
	struct laya_nl *nl;
	uint32_t ifindex;
	uint16_t port;
	struct locals locals;
	struct laya_nat64_prefix nat64;
	struct laya_nat64_query nat64_query;
	bool nat64_asked;
	struct routers routers;
	struct laya_addresses reached;
	struct timer *look;
	unsigned int looks;
	struct kernel *kernel;
	struct addresses *addresses;
	struct suspend *suspend;
	struct attach *attach;
	struct hall *hall;
	struct local_discovery *local;
	struct control_port *control_port;
	struct control_socket *control_socket;
	struct known_state *known;
	struct timer *update;
	struct timer *save;
	unsigned int strangers;
	uint8_t stranger[LAYA_KEY_SIZE];
	uint64_t began;
};

int node_init(struct node *node, uv_loop_t *loop);
int node_start(struct node *node);
void node_stop(struct node *node);

bool node_is_relay(const struct node *node);
bool node_has_udp(const struct node *node);
bool node_forwards(const struct node *node);
void node_translate(const struct node *node, struct laya_address *address);
void node_candidates_changed(struct node *node);
void node_addresses_changed(struct node *node);
void node_resumed(struct node *node, uint64_t slept_ms);
void node_candidates(struct node *node, const struct peer *peer,
		     bool forwarders_only, struct laya_candidates *candidates);
void node_stamp_seen(struct node *node);
uint64_t node_now(const struct node *node);
uint32_t node_random_index(void);

#endif /* LAYAD_NODE_H */
