// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/laya.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/laya_netlink.h>

/* Integer value ranges */
static struct netlink_range_validation laya_a_path_path_id_range = {
	.min	= 1ULL,
	.max	= 65535ULL,
};

/* LAYA_CMD_DEVICE_GET - do */
const struct nla_policy laya_device_get_nl_policy[LAYA_A_DEVICE_IFNAME + 1] = {
	[LAYA_A_DEVICE_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* LAYA_CMD_DEVICE_SET - do */
const struct nla_policy laya_device_set_nl_policy[LAYA_A_DEVICE_USER_TIMEOUT + 1] = {
	[LAYA_A_DEVICE_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[LAYA_A_DEVICE_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_DEVICE_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[LAYA_A_DEVICE_FWMARK] = { .type = NLA_U32, },
	[LAYA_A_DEVICE_USER_TIMEOUT] = { .type = NLA_U32, },
};

/* LAYA_CMD_DEVICE_CLAIM - do */
const struct nla_policy laya_device_claim_nl_policy[LAYA_A_DEVICE_IFNAME + 1] = {
	[LAYA_A_DEVICE_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_DEVICE_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* LAYA_CMD_PEER_NEW - do */
const struct nla_policy laya_peer_new_nl_policy[LAYA_A_PEER_LOCAL_KEY + 1] = {
	[LAYA_A_PEER_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_PEER_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_PEER_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x7),
	[LAYA_A_PEER_LOCAL_KEY] = NLA_POLICY_EXACT_LEN(32),
};

/* LAYA_CMD_PEER_SET - do */
const struct nla_policy laya_peer_set_nl_policy[LAYA_A_PEER_ERROR + 1] = {
	[LAYA_A_PEER_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_PEER_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_PEER_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x7),
	[LAYA_A_PEER_ERROR] = NLA_POLICY_MAX(NLA_U32, 4095),
};

/* LAYA_CMD_PEER_DEL - do */
const struct nla_policy laya_peer_del_nl_policy[LAYA_A_PEER_PUBLIC_KEY + 1] = {
	[LAYA_A_PEER_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_PEER_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
};

/* LAYA_CMD_PEER_GET - do */
const struct nla_policy laya_peer_get_nl_policy[LAYA_A_PEER_PUBLIC_KEY + 1] = {
	[LAYA_A_PEER_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_PEER_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
};

/* LAYA_CMD_SESSION_NEW - do */
const struct nla_policy laya_session_new_nl_policy[LAYA_A_SESSION_CONFIRMED + 1] = {
	[LAYA_A_SESSION_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_SESSION_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_SESSION_CIPHER] = NLA_POLICY_RANGE(NLA_U32, 1, 2),
	[LAYA_A_SESSION_RX_INDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[LAYA_A_SESSION_TX_INDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[LAYA_A_SESSION_RX_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_SESSION_TX_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_SESSION_INITIATOR] = { .type = NLA_FLAG, },
	[LAYA_A_SESSION_CONFIRMED] = { .type = NLA_FLAG, },
};

/* LAYA_CMD_SESSION_SET - do */
const struct nla_policy laya_session_set_nl_policy[LAYA_A_SESSION_CONFIRMED + 1] = {
	[LAYA_A_SESSION_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_SESSION_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_SESSION_RX_INDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[LAYA_A_SESSION_CONFIRMED] = { .type = NLA_FLAG, },
};

/* LAYA_CMD_SESSION_DEL - do */
const struct nla_policy laya_session_del_nl_policy[LAYA_A_SESSION_RX_INDEX + 1] = {
	[LAYA_A_SESSION_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_SESSION_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_SESSION_RX_INDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* LAYA_CMD_SESSION_GET - do */
const struct nla_policy laya_session_get_nl_policy[LAYA_A_SESSION_RX_INDEX + 1] = {
	[LAYA_A_SESSION_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_SESSION_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_SESSION_RX_INDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* LAYA_CMD_PATH_NEW - do */
const struct nla_policy laya_path_new_nl_policy[LAYA_A_PATH_FORWARDER + 1] = {
	[LAYA_A_PATH_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_PATH_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_PATH_KIND] = NLA_POLICY_RANGE(NLA_U32, 1, 6),
	[LAYA_A_PATH_CARRIER_ID] = { .type = NLA_U32, },
	[LAYA_A_PATH_REMOTE] = { .type = NLA_BINARY, },
	[LAYA_A_PATH_LOCAL] = { .type = NLA_BINARY, },
	[LAYA_A_PATH_OIF] = { .type = NLA_U32, },
	[LAYA_A_PATH_LABELS] = { .type = NLA_BINARY, },
	[LAYA_A_PATH_FORWARDER] = NLA_POLICY_EXACT_LEN(32),
};

/* LAYA_CMD_PATH_DEL - do */
const struct nla_policy laya_path_del_nl_policy[LAYA_A_PATH_PATH_ID + 1] = {
	[LAYA_A_PATH_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_PATH_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_PATH_PATH_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &laya_a_path_path_id_range),
};

/* LAYA_CMD_PATH_GET - do */
const struct nla_policy laya_path_get_nl_policy[LAYA_A_PATH_PATH_ID + 1] = {
	[LAYA_A_PATH_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_PATH_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_PATH_PATH_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &laya_a_path_path_id_range),
};

/* LAYA_CMD_CARRIER_NEW - do */
const struct nla_policy laya_carrier_new_nl_policy[LAYA_A_CARRIER_REMOTE + 1] = {
	[LAYA_A_CARRIER_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_CARRIER_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 5),
	[LAYA_A_CARRIER_PORT] = { .type = NLA_U16, },
	[LAYA_A_CARRIER_FD] = { .type = NLA_U32, },
	[LAYA_A_CARRIER_REMOTE] = { .type = NLA_BINARY, },
};

/* LAYA_CMD_CARRIER_DEL - do */
const struct nla_policy laya_carrier_del_nl_policy[LAYA_A_CARRIER_CARRIER_ID + 1] = {
	[LAYA_A_CARRIER_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_CARRIER_CARRIER_ID] = { .type = NLA_U32, },
};

/* LAYA_CMD_CARRIER_GET - do */
const struct nla_policy laya_carrier_get_nl_policy[LAYA_A_CARRIER_CARRIER_ID + 1] = {
	[LAYA_A_CARRIER_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_CARRIER_CARRIER_ID] = { .type = NLA_U32, },
};

/* LAYA_CMD_LABEL_NEW - do */
const struct nla_policy laya_label_new_nl_policy[LAYA_A_LABEL_BOUND + 1] = {
	[LAYA_A_LABEL_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_LABEL_LABEL] = NLA_POLICY_EXACT_LEN(6),
	[LAYA_A_LABEL_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_LABEL_FOR_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_LABEL_RATE] = { .type = NLA_U64, },
	[LAYA_A_LABEL_BURST] = { .type = NLA_U32, },
	[LAYA_A_LABEL_EXPIRES_MS] = { .type = NLA_U32, },
	[LAYA_A_LABEL_BOUND] = { .type = NLA_FLAG, },
};

/* LAYA_CMD_LABEL_DEL - do */
const struct nla_policy laya_label_del_nl_policy[LAYA_A_LABEL_LABEL + 1] = {
	[LAYA_A_LABEL_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_LABEL_LABEL] = NLA_POLICY_EXACT_LEN(6),
};

/* LAYA_CMD_LABEL_GET - do */
const struct nla_policy laya_label_get_nl_policy[LAYA_A_LABEL_PUBLIC_KEY + 1] = {
	[LAYA_A_LABEL_IFINDEX] = { .type = NLA_U32, },
	[LAYA_A_LABEL_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(32),
	[LAYA_A_LABEL_LABEL] = NLA_POLICY_EXACT_LEN(6),
};

/* Ops table for laya */
const struct genl_ops laya_nl_ops[20] = {
	{
		.cmd		= LAYA_CMD_DEVICE_GET,
		.doit		= laya_nl_device_get_doit,
		.dumpit		= laya_nl_device_get_dumpit,
		.policy		= laya_device_get_nl_policy,
		.maxattr	= LAYA_A_DEVICE_IFNAME,
	},
	{
		.cmd		= LAYA_CMD_DEVICE_SET,
		.doit		= laya_nl_device_set_doit,
		.policy		= laya_device_set_nl_policy,
		.maxattr	= LAYA_A_DEVICE_USER_TIMEOUT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_DEVICE_CLAIM,
		.doit		= laya_nl_device_claim_doit,
		.policy		= laya_device_claim_nl_policy,
		.maxattr	= LAYA_A_DEVICE_IFNAME,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_PEER_NEW,
		.doit		= laya_nl_peer_new_doit,
		.policy		= laya_peer_new_nl_policy,
		.maxattr	= LAYA_A_PEER_LOCAL_KEY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_PEER_SET,
		.doit		= laya_nl_peer_set_doit,
		.policy		= laya_peer_set_nl_policy,
		.maxattr	= LAYA_A_PEER_ERROR,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_PEER_DEL,
		.doit		= laya_nl_peer_del_doit,
		.policy		= laya_peer_del_nl_policy,
		.maxattr	= LAYA_A_PEER_PUBLIC_KEY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_PEER_GET,
		.doit		= laya_nl_peer_get_doit,
		.dumpit		= laya_nl_peer_get_dumpit,
		.policy		= laya_peer_get_nl_policy,
		.maxattr	= LAYA_A_PEER_PUBLIC_KEY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_SESSION_NEW,
		.doit		= laya_nl_session_new_doit,
		.policy		= laya_session_new_nl_policy,
		.maxattr	= LAYA_A_SESSION_CONFIRMED,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_SESSION_SET,
		.doit		= laya_nl_session_set_doit,
		.policy		= laya_session_set_nl_policy,
		.maxattr	= LAYA_A_SESSION_CONFIRMED,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_SESSION_DEL,
		.doit		= laya_nl_session_del_doit,
		.policy		= laya_session_del_nl_policy,
		.maxattr	= LAYA_A_SESSION_RX_INDEX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_SESSION_GET,
		.doit		= laya_nl_session_get_doit,
		.dumpit		= laya_nl_session_get_dumpit,
		.policy		= laya_session_get_nl_policy,
		.maxattr	= LAYA_A_SESSION_RX_INDEX,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_PATH_NEW,
		.doit		= laya_nl_path_new_doit,
		.policy		= laya_path_new_nl_policy,
		.maxattr	= LAYA_A_PATH_FORWARDER,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_PATH_DEL,
		.doit		= laya_nl_path_del_doit,
		.policy		= laya_path_del_nl_policy,
		.maxattr	= LAYA_A_PATH_PATH_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_PATH_GET,
		.doit		= laya_nl_path_get_doit,
		.dumpit		= laya_nl_path_get_dumpit,
		.policy		= laya_path_get_nl_policy,
		.maxattr	= LAYA_A_PATH_PATH_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_CARRIER_NEW,
		.doit		= laya_nl_carrier_new_doit,
		.policy		= laya_carrier_new_nl_policy,
		.maxattr	= LAYA_A_CARRIER_REMOTE,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_CARRIER_DEL,
		.doit		= laya_nl_carrier_del_doit,
		.policy		= laya_carrier_del_nl_policy,
		.maxattr	= LAYA_A_CARRIER_CARRIER_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_CARRIER_GET,
		.doit		= laya_nl_carrier_get_doit,
		.dumpit		= laya_nl_carrier_get_dumpit,
		.policy		= laya_carrier_get_nl_policy,
		.maxattr	= LAYA_A_CARRIER_CARRIER_ID,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_LABEL_NEW,
		.doit		= laya_nl_label_new_doit,
		.policy		= laya_label_new_nl_policy,
		.maxattr	= LAYA_A_LABEL_BOUND,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_LABEL_DEL,
		.doit		= laya_nl_label_del_doit,
		.policy		= laya_label_del_nl_policy,
		.maxattr	= LAYA_A_LABEL_LABEL,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= LAYA_CMD_LABEL_GET,
		.doit		= laya_nl_label_get_doit,
		.dumpit		= laya_nl_label_get_dumpit,
		.policy		= laya_label_get_nl_policy,
		.maxattr	= LAYA_A_LABEL_PUBLIC_KEY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};
