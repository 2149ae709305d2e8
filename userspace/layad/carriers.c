// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carriers.h"
#include "log.h"

/* The kernel has 1024 for each device; the rest is for ours. */
#define MAX_CARRIERS	896
/* Who uses one is heard of at least as often as a label is renewed. */
#define SILENT_MS	180000

/**
 * struct carrier - a stream that the kernel has
 * @entry: in carriers->list
 * @carriers: ours
 * @id: of the kernel
 * @remote: from where
 * @pump: what is between it and the network, or NULL
 * @rx_packets: what had come when we last looked
 * @heard: when that was more than before
 * @seen: the kernel still has it
 */
struct carrier {
	TAILQ_ENTRY(carrier) entry;
	struct carriers *carriers;
	uint32_t id;
	struct laya_address remote;
	struct laya_pump *pump;
	uint64_t rx_packets;
	uint64_t heard;
	bool seen;
};

struct carriers {
	struct node *node;
	TAILQ_HEAD(, carrier) list;
	unsigned int n;
};

static struct carrier *find(struct carriers *carriers, uint32_t id)
{
	struct carrier *carrier;

	TAILQ_FOREACH(carrier, &carriers->list, entry) {
		if (carrier->id == id)
			return carrier;
	}
	return NULL;
}

static struct carrier *add(struct carriers *carriers, uint32_t id,
			   const struct laya_address *remote)
{
	struct carrier *carrier = calloc(1, sizeof(*carrier));

	if (!carrier)
		return NULL;
	carrier->carriers = carriers;
	carrier->id = id;
	carrier->remote = *remote;
	carrier->heard = node_now(carriers->node);
	TAILQ_INSERT_TAIL(&carriers->list, carrier, entry);
	carriers->n++;
	return carrier;
}

static void forget(struct carrier *carrier)
{
	struct carriers *carriers = carrier->carriers;

	TAILQ_REMOVE(&carriers->list, carrier, entry);
	carriers->n--;
	if (carrier->pump)
		laya_pump_close(carrier->pump);
	free(carrier);
}

/* The kernel reads what it brought, up to the end, and then says that. */
static void on_pump_closed(struct laya_pump *pump, int error, void *data)
{
	struct carrier *carrier = data;

	(void)pump;
	(void)error;
	carrier->pump = NULL;
}

static unsigned int count_from(const struct carriers *carriers,
			       const struct laya_address *remote)
{
	const struct carrier *carrier;
	unsigned int n = 0;

	TAILQ_FOREACH(carrier, &carriers->list, entry) {
		if (laya_address_same_source(&carrier->remote, remote))
			n++;
	}
	return n;
}

/**
 * carriers_take() - give a connection to the kernel
 * @carriers: ours
 * @accepted: the connection, a carrier; it is ours, or closed, after this
 * @most: how many its source may have
 *
 * Nothing is known of who opened it.  The kernel takes only what a session
 * seals or a label is for, as from anybody by UDP.
 */
void carriers_take(struct carriers *carriers,
		   const struct laya_accepted *accepted, unsigned int most)
{
	struct node *node = carriers->node;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct carrier *carrier;
	uint32_t id;
	int ret;

	laya_address_format(text, &accepted->remote);
	if (carriers->n >= MAX_CARRIERS ||
	    count_from(carriers, &accepted->remote) >= most) {
		laya_debug("no carrier for %s: there are too many", text);
		goto err_close;
	}
	ret = laya_nl_carrier_new_stream(node->nl, node->ifindex,
					 accepted->transport, accepted->fd,
					 &accepted->remote, &id);
	if (ret) {
		laya_warning("the kernel does not take a carrier of %s: %s",
			     text, laya_nl_strerror(node->nl));
		goto err_close;
	}
	carrier = add(carriers, id, &accepted->remote);
	if (!carrier) {
		laya_nl_carrier_del(node->nl, node->ifindex, id);
		goto err_close;
	}
	laya_debug("%s opened carrier %u, %s", text, id,
		   laya_transport_name(accepted->transport));
	carrier->pump = accepted->pump;
	if (carrier->pump)
		laya_pump_watch(carrier->pump, on_pump_closed, carrier);
	close(accepted->fd);
	return;

err_close:
	close(accepted->fd);
	if (accepted->pump)
		laya_pump_close(accepted->pump);
}

/**
 * carriers_lost() - the kernel says that a carrier is over
 * @carriers: ours
 * @carrier_id: which
 *
 * Return: whether it was one of these.
 */
bool carriers_lost(struct carriers *carriers, uint32_t carrier_id)
{
	struct carrier *carrier = find(carriers, carrier_id);

	if (!carrier)
		return false;
	forget(carrier);
	return true;
}

static int look_at(void *ctx, const struct laya_nl_carrier *event)
{
	struct carriers *carriers = ctx;
	struct carrier *carrier = find(carriers, event->carrier_id);

	if (!carrier)
		return 0;
	carrier->seen = true;
	if (carrier->rx_packets != event->rx_packets)
		carrier->heard = node_now(carriers->node);
	carrier->rx_packets = event->rx_packets;
	return 0;
}

/**
 * carriers_care() - end those that nobody uses
 * @carriers: ours
 */
void carriers_care(struct carriers *carriers)
{
	struct node *node = carriers->node;
	struct carrier *carrier;
	struct carrier *next;

	if (carriers->n == 0)
		return;
	TAILQ_FOREACH(carrier, &carriers->list, entry)
		carrier->seen = false;
	if (laya_nl_carrier_dump(node->nl, node->ifindex, look_at, carriers))
		return;
	for (carrier = TAILQ_FIRST(&carriers->list); carrier; carrier = next) {
		next = TAILQ_NEXT(carrier, entry);
		if (carrier->seen &&
		    node_now(node) - carrier->heard < SILENT_MS)
			continue;
		if (carrier->seen) {
			laya_debug("carrier %u was silent for too long",
				   carrier->id);
			laya_nl_carrier_del(node->nl, node->ifindex,
					    carrier->id);
		}
		forget(carrier);
	}
}

static int adopt(void *ctx, const struct laya_nl_carrier *carrier)
{
	if (carrier->type != LAYA_CARRIER_TYPE_UDP)
		add(ctx, carrier->carrier_id, &carrier->remote);
	return 0;
}

/**
 * carriers_new() - begin, with those that were there before a restart
 * @node: ours
 *
 * Those that we dialled ourselves are among them then: silence ends these, too.
 *
 * Return: them, or NULL without memory.
 */
struct carriers *carriers_new(struct node *node)
{
	struct carriers *carriers = calloc(1, sizeof(*carriers));

	if (!carriers)
		return NULL;
	carriers->node = node;
	TAILQ_INIT(&carriers->list);
	laya_nl_carrier_dump(node->nl, node->ifindex, adopt, carriers);
	return carriers;
}

/**
 * carriers_free() - leave them to the kernel, which ends those without an owner
 * @carriers: ours
 *
 * What is pumped ends now.
 */
void carriers_free(struct carriers *carriers)
{
	struct carrier *carrier;

	while ((carrier = TAILQ_FIRST(&carriers->list)))
		forget(carrier);
	free(carriers);
}
