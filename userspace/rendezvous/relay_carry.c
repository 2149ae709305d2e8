// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "channel.h"
#include "relay.h"
#include "relay_carry.h"
#include "relay_control.h"
#include "relay_host.h"

/* Between two offers to one host of one other; they are repeated each second. */
#define CARRY_MS	300

static int carry_offer(struct relay *relay, struct laya_channel *channel,
		       struct relay_caller *caller,
		       const struct laya_message *message)
{
	const uint8_t *from = laya_channel_remote_key(channel);
	struct laya_message out = *message;
	struct relay_label *label = NULL;
	struct relay_host *to;

	to = relay_host_find(relay, message->sealed.key);
	/* A label for somebody says that he is welcome. */
	if (to)
		label = relay_label_for(&to->labels, from);
	if (!label)
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	if (++caller->offers > RELAY_CALLER_OFFERS ||
	    (label->carried && relay->now - label->carried < CARRY_MS))
		return LAYA_MESSAGE_ERROR_RATE_LIMITED;
	label->carried = relay->now;
	if (!caller->channel) {
		caller->channel = channel;
		LIST_INSERT_HEAD(&relay->carrying, caller, entry);
	}
	caller->id = message->id;
	memcpy(caller->to, message->sealed.key, LAYA_KEY_SIZE);
	memcpy(out.sealed.key, from, LAYA_KEY_SIZE);
	relay_control_send(to, &out);
	return 0;
}

static void carry_followup(struct relay *relay, struct laya_channel *channel,
			   struct relay_caller *caller,
			   const struct laya_message *message)
{
	struct laya_message out = *message;
	struct relay_host *to;

	to = relay_host_find(relay, message->sealed.key);
	if (!to || !caller->channel || caller->id != message->id ||
	    !laya_key_equal(caller->to, message->sealed.key))
		return;
	/* Once: it is the last word. */
	relay_caller_end(caller);
	memcpy(out.sealed.key, laya_channel_remote_key(channel),
	       LAYA_KEY_SIZE);
	relay_control_send(to, &out);
}

/**
 * relay_carry() - something came that is for a host
 * @relay: ours
 * @channel: of who says it
 * @caller: the same
 * @message: OFFER or FOLLOWUP
 *
 * Return: 0, or the code of an error to answer with.
 */
int relay_carry(struct relay *relay, struct laya_channel *channel,
		struct relay_caller *caller,
		const struct laya_message *message)
{
	if (message->type == LAYA_MESSAGE_OFFER)
		return carry_offer(relay, channel, caller, message);
	carry_followup(relay, channel, caller, message);
	return 0;
}

/**
 * relay_carry_back() - a host answers what was carried to it
 * @host: the host
 * @answer: ANSWER, to nobody if no such offer came
 */
void relay_carry_back(struct relay_host *host,
		      const struct laya_message *answer)
{
	struct laya_message out = *answer;
	struct relay_caller *caller;

	memcpy(out.sealed.key, host->handshake.key, LAYA_KEY_SIZE);
	LIST_FOREACH(caller, &host->relay->carrying, entry) {
		if (caller->id == answer->id &&
		    laya_key_equal(caller->to, host->handshake.key) &&
		    laya_key_equal(laya_channel_remote_key(caller->channel),
				   answer->sealed.key))
			laya_channel_send(caller->channel, &out);
	}
}

/**
 * relay_caller_end() - nothing is carried back any more
 * @caller: the caller
 */
void relay_caller_end(struct relay_caller *caller)
{
	if (caller->channel)
		LIST_REMOVE(caller, entry);
	caller->channel = NULL;
}
