/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/laya.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_LAYA_GEN_H
#define _LINUX_LAYA_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/laya_netlink.h>

extern const struct nla_policy laya_device_get_nl_policy[LAYA_A_DEVICE_IFNAME + 1];

extern const struct nla_policy laya_device_set_nl_policy[LAYA_A_DEVICE_USER_TIMEOUT + 1];

extern const struct nla_policy laya_device_claim_nl_policy[LAYA_A_DEVICE_IFNAME + 1];

extern const struct nla_policy laya_peer_new_nl_policy[LAYA_A_PEER_LOCAL_KEY + 1];

extern const struct nla_policy laya_peer_set_nl_policy[LAYA_A_PEER_ERROR + 1];

extern const struct nla_policy laya_peer_del_nl_policy[LAYA_A_PEER_PUBLIC_KEY + 1];

extern const struct nla_policy laya_peer_get_nl_policy[LAYA_A_PEER_PUBLIC_KEY + 1];

extern const struct nla_policy laya_session_new_nl_policy[LAYA_A_SESSION_CONFIRMED + 1];

extern const struct nla_policy laya_session_set_nl_policy[LAYA_A_SESSION_CONFIRMED + 1];

extern const struct nla_policy laya_session_del_nl_policy[LAYA_A_SESSION_RX_INDEX + 1];

extern const struct nla_policy laya_session_get_nl_policy[LAYA_A_SESSION_RX_INDEX + 1];

extern const struct nla_policy laya_path_new_nl_policy[LAYA_A_PATH_FORWARDER + 1];

extern const struct nla_policy laya_path_del_nl_policy[LAYA_A_PATH_PATH_ID + 1];

extern const struct nla_policy laya_path_get_nl_policy[LAYA_A_PATH_PATH_ID + 1];

extern const struct nla_policy laya_carrier_new_nl_policy[LAYA_A_CARRIER_REMOTE + 1];

extern const struct nla_policy laya_carrier_del_nl_policy[LAYA_A_CARRIER_CARRIER_ID + 1];

extern const struct nla_policy laya_carrier_get_nl_policy[LAYA_A_CARRIER_CARRIER_ID + 1];

extern const struct nla_policy laya_label_new_nl_policy[LAYA_A_LABEL_BOUND + 1];

extern const struct nla_policy laya_label_del_nl_policy[LAYA_A_LABEL_LABEL + 1];

extern const struct nla_policy laya_label_get_nl_policy[LAYA_A_LABEL_PUBLIC_KEY + 1];

/* Ops table for laya */
extern const struct genl_ops laya_nl_ops[20];

int laya_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int laya_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_device_claim_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int laya_nl_session_new_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_session_set_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_session_del_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_session_get_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_session_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int laya_nl_path_new_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_path_del_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_path_get_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_path_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int laya_nl_carrier_new_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_carrier_del_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_carrier_get_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_carrier_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int laya_nl_label_new_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_label_del_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_label_get_doit(struct sk_buff *skb, struct genl_info *info);
int laya_nl_label_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	LAYA_NLGRP_MONITOR,
};

#endif /* _LINUX_LAYA_GEN_H */
