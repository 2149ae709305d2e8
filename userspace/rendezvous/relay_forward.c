// SPDX-License-Identifier: GPL-2.0
/*
 * As kernel/forward.c: packets that carry a label of ours go on, unchanged save
 * for return labels on their first way.  Those of a run that go the same way leave
 * as a run.
 */
#include "relay.h"
#include "relay_attach.h"
#include "relay_forward.h"

/**
 * struct run - packets of an arrival that have the same shims
 * @arrival: with which they came
 * @at: where they begin
 * @len: their length
 * @shims: theirs
 */
struct run {
	const struct relay_arrival *arrival;
	size_t at;
	size_t len;
	struct laya_shims shims;
};

static uint64_t packets_of(const struct run *run)
{
	return (run->len + run->arrival->segment - 1) / run->arrival->segment;
}

static void send_on(struct relay *relay, const struct run *run,
		    const struct relay_endpoint *to)
{
	relay->stats.forwarded += packets_of(run);
	relay->stats.forwarded_bytes += run->len;
	relay_socket_forward(to, run->arrival, run->at, run->len);
}

static void fill(const struct run *run, unsigned int shim, uint64_t value)
{
	const struct relay_arrival *arrival = run->arrival;
	size_t at;

	for (at = run->at; at < run->at + run->len; at += arrival->segment)
		laya_shims_fill(arrival->data + at, shim, value);
}

/* From a dialler, with @label: to the host that holds it. */
static void forward_down(struct relay *relay, const struct run *run,
			 struct relay_label *label, unsigned int at)
{
	const struct relay_endpoint *from = &run->arrival->from;
	const struct relay_endpoint *to;
	struct relay_flow *flow;
	uint64_t previous;
	int slot;

	if (label->user && !relay_host_is_at(relay_host_of(label->user), from)) {
		relay->stats.wrong_sender += packets_of(run);
		return;
	}
	if (!relay_label_pay(&relay->table, label, run->len, relay->now)) {
		relay->stats.over_rate += packets_of(run);
		return;
	}
	to = relay_host_endpoint(relay_host_of(label->holder));
	if (!to) {
		relay->stats.no_path += packets_of(run);
		return;
	}
	slot = relay_label_slot(&relay->table, label, &run->shims, at, from,
				relay->now, &previous, &flow);
	if (slot >= 0) {
		flow = relay_flow_bind(&relay->table, label, previous, from,
				       relay->now);
		if (!flow) {
			relay->stats.no_flow += packets_of(run);
			return;
		}
		relay_flow_prove(&relay->table, flow, run->shims.returns[slot]);
		fill(run, run->shims.n_labels + slot, flow->issued.value);
	} else if (flow && relay_endpoint_is_stream(from)) {
		relay_flow_prove(&relay->table, flow, flow->proof);
	}
	if (flow)
		relay_flow_credit(flow, run->len, relay->now);
	send_on(relay, run, to);
}

/* From a host, with the return label of @flow: to the dialler. */
static void forward_back(struct relay *relay, const struct run *run,
			 struct relay_flow *flow, unsigned int at)
{
	struct relay_label *label = flow->label;

	if (!relay_host_is_at(relay_host_of(label->holder),
			      &run->arrival->from)) {
		relay->stats.wrong_sender += packets_of(run);
		return;
	}
	if (!relay_label_pay(&relay->table, label, run->len, relay->now)) {
		relay->stats.over_rate += packets_of(run);
		return;
	}
	if (!relay_flow_debit(flow, run->len, relay->now)) {
		relay->stats.amplified += packets_of(run);
		return;
	}
	if (!relay_flow_proven(flow))
		fill(run, at, flow->proof);
	send_on(relay, run, &flow->key.from);
}

static void forward_run(struct relay *relay, const struct run *run)
{
	const struct relay_arrival *arrival = run->arrival;
	struct relay_issued *issued = NULL;
	unsigned int i;
	size_t at;

	for (i = 0; i < run->shims.n_labels; i++) {
		issued = relay_table_find(&relay->table, run->shims.labels[i],
					  relay->now);
		if (issued)
			break;
	}
	if (issued && arrival->ttl <= 1) {
		relay->stats.looped += packets_of(run);
	} else if (issued && issued->is_flow) {
		forward_back(relay, run, relay_flow_of(issued), i);
	} else if (issued) {
		forward_down(relay, run, relay_label_of(issued), i);
	} else if (run->shims.n_returns > 0) {
		relay->stats.unknown += packets_of(run);
	} else {
		for (at = run->at; at < run->at + run->len;
		     at += arrival->segment)
			relay_host_receive(relay, &arrival->from, &run->shims,
					   arrival->data + at,
					   run->at + run->len - at <
					   arrival->segment ?
					   run->at + run->len - at :
					   arrival->segment);
	}
}

/**
 * relay_forward() - packets came in
 * @relay: ours
 * @arrival: the packets
 */
void relay_forward(struct relay *relay, const struct relay_arrival *arrival)
{
	struct run run = { .arrival = arrival };
	size_t left;
	size_t len;

	for (; run.at < arrival->len; run.at += run.len) {
		left = arrival->len - run.at;
		len = left < arrival->segment ? left : arrival->segment;
		if (laya_shims_parse(&run.shims, arrival->data + run.at, len)) {
			if (!relay_attach_packet(relay, &arrival->from,
						 arrival->data + run.at, len))
				relay->stats.malformed++;
			run.len = len;
			continue;
		}
		run.len = laya_shims_run(arrival->data + run.at, left,
					 arrival->segment);
		forward_run(relay, &run);
	}
}
