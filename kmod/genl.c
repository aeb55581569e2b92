// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/egpu.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl.h"

#include <uapi/linux/egpu.h>

/* Integer value ranges */
static const struct netlink_range_validation egpu_a_removal_timeout_ms_range = {
	.max	= 600000ULL,
};

static const struct netlink_range_validation egpu_a_quiesce_timeout_ms_range = {
	.min	= 1ULL,
	.max	= 600000ULL,
};

static const struct netlink_range_validation egpu_a_settings_eject_ms_range = {
	.min	= 1ULL,
	.max	= 600000ULL,
};

static const struct netlink_range_validation egpu_a_settings_drain_ms_range = {
	.max	= 60000ULL,
};

/* EGPU_CMD_DEVICE_GET - do */
static const struct nla_policy egpu_device_get_nl_policy[EGPU_A_DEVICE_ADDRESS + 1] = {
	[EGPU_A_DEVICE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[EGPU_A_DEVICE_ADDRESS] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* EGPU_CMD_CLIENT_GET - dump */
static const struct nla_policy egpu_client_get_nl_policy[EGPU_A_CLIENT_COOKIE + 1] = {
	[EGPU_A_CLIENT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[EGPU_A_CLIENT_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
};

/* EGPU_CMD_REMOVAL_GET - do */
static const struct nla_policy egpu_removal_get_nl_policy[EGPU_A_REMOVAL_COOKIE + 1] = {
	[EGPU_A_REMOVAL_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
};

/* EGPU_CMD_EJECT - do */
static const struct nla_policy egpu_eject_nl_policy[EGPU_A_REMOVAL_TIMEOUT_MS + 1] = {
	[EGPU_A_REMOVAL_ID] = { .type = NLA_U32, },
	[EGPU_A_REMOVAL_TIMEOUT_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &egpu_a_removal_timeout_ms_range),
	[EGPU_A_REMOVAL_FORCE] = { .type = NLA_FLAG, },
};

/* EGPU_CMD_ACCEPT - do */
static const struct nla_policy egpu_accept_nl_policy[EGPU_A_REMOVAL_COOKIE + 1] = {
	[EGPU_A_REMOVAL_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
};

/* EGPU_CMD_ACK - do */
static const struct nla_policy egpu_ack_nl_policy[EGPU_A_REMOVAL_VOUCHED + 1] = {
	[EGPU_A_REMOVAL_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
	[EGPU_A_REMOVAL_VOUCHED] = { .type = NLA_FLAG, },
};

/* EGPU_CMD_CANCEL - do */
static const struct nla_policy egpu_cancel_nl_policy[EGPU_A_REMOVAL_REASON + 1] = {
	[EGPU_A_REMOVAL_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
	[EGPU_A_REMOVAL_REASON] = { .type = NLA_NUL_STRING, .len = 127, },
};

/* EGPU_CMD_SETTINGS_SET - do */
static const struct nla_policy egpu_settings_set_nl_policy[EGPU_A_SETTINGS_DRAIN_MS + 1] = {
	[EGPU_A_SETTINGS_HOLD_MS] = NLA_POLICY_MAX(NLA_U32, 5000),
	[EGPU_A_SETTINGS_ACCEPT_MS] = NLA_POLICY_MAX(NLA_U32, 5000),
	[EGPU_A_SETTINGS_EJECT_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &egpu_a_settings_eject_ms_range),
	[EGPU_A_SETTINGS_DRAIN_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &egpu_a_settings_drain_ms_range),
};

/* EGPU_CMD_OVERRIDE_SET - do */
static const struct nla_policy egpu_override_set_nl_policy[EGPU_A_OVERRIDE_PLACEMENT + 1] = {
	[EGPU_A_OVERRIDE_ADDRESS] = { .type = NLA_NUL_STRING, .len = 31, },
	[EGPU_A_OVERRIDE_PLACEMENT] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* EGPU_CMD_REFUSE - do */
static const struct nla_policy egpu_refuse_nl_policy[EGPU_A_REMOVAL_REASON + 1] = {
	[EGPU_A_REMOVAL_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
	[EGPU_A_REMOVAL_REASON] = { .type = NLA_NUL_STRING, .len = 127, },
};

/* EGPU_CMD_REPORT - do */
static const struct nla_policy egpu_report_nl_policy[EGPU_A_REMOVAL_STEP + 1] = {
	[EGPU_A_REMOVAL_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
	[EGPU_A_REMOVAL_STEP] = NLA_POLICY_MAX(NLA_U32, 5),
};

/* EGPU_CMD_BUFFER_GET - dump */
static const struct nla_policy egpu_buffer_get_nl_policy[EGPU_A_BUFFER_ID + 1] = {
	[EGPU_A_BUFFER_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* EGPU_CMD_QUIESCE_GET - do */
static const struct nla_policy egpu_quiesce_get_nl_policy[EGPU_A_QUIESCE_ID + 1] = {
	[EGPU_A_QUIESCE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* EGPU_CMD_FENCE - do */
static const struct nla_policy egpu_fence_nl_policy[EGPU_A_QUIESCE_ID + 1] = {
	[EGPU_A_QUIESCE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* EGPU_CMD_DRAIN - do */
static const struct nla_policy egpu_drain_nl_policy[EGPU_A_QUIESCE_TIMEOUT_MS + 1] = {
	[EGPU_A_QUIESCE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[EGPU_A_QUIESCE_TIMEOUT_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &egpu_a_quiesce_timeout_ms_range),
};

/* EGPU_CMD_RESUME - do */
static const struct nla_policy egpu_resume_nl_policy[EGPU_A_QUIESCE_ID + 1] = {
	[EGPU_A_QUIESCE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* EGPU_CMD_MIGRATE - do */
static const struct nla_policy egpu_migrate_nl_policy[EGPU_A_MIGRATION_REASON + 1] = {
	[EGPU_A_MIGRATION_MIGRATION] = NLA_POLICY_MIN(NLA_U64, 1),
	[EGPU_A_MIGRATION_PHASE] = NLA_POLICY_MAX(NLA_U32, 3),
	[EGPU_A_MIGRATION_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[EGPU_A_MIGRATION_TARGET] = NLA_POLICY_MIN(NLA_U32, 1),
	[EGPU_A_MIGRATION_CPU] = { .type = NLA_FLAG, },
	[EGPU_A_MIGRATION_COOKIE] = NLA_POLICY_MIN(NLA_U64, 1),
	[EGPU_A_MIGRATION_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[EGPU_A_MIGRATION_COMM] = { .type = NLA_NUL_STRING, .len = 15, },
	[EGPU_A_MIGRATION_BYTES] = { .type = NLA_U64, },
	[EGPU_A_MIGRATION_DURATION] = { .type = NLA_U64, },
	[EGPU_A_MIGRATION_STILL] = { .type = NLA_U64, },
	[EGPU_A_MIGRATION_LOST] = { .type = NLA_U64, },
	[EGPU_A_MIGRATION_CHECKPOINT] = { .type = NLA_NUL_STRING, .len = 39, },
	[EGPU_A_MIGRATION_REASON] = { .type = NLA_NUL_STRING, .len = 127, },
};

/* Ops table for egpu */
static const struct genl_split_ops egpu_nl_ops[] = {
	{
		.cmd		= EGPU_CMD_DEVICE_GET,
		.doit		= egpu_nl_device_get_doit,
		.policy		= egpu_device_get_nl_policy,
		.maxattr	= EGPU_A_DEVICE_ADDRESS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= EGPU_CMD_DEVICE_GET,
		.dumpit	= egpu_nl_device_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= EGPU_CMD_CLIENT_GET,
		.start		= egpu_nl_client_start,
		.dumpit		= egpu_nl_client_get_dumpit,
		.done		= egpu_nl_client_done,
		.policy		= egpu_client_get_nl_policy,
		.maxattr	= EGPU_A_CLIENT_COOKIE,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= EGPU_CMD_REMOVAL_GET,
		.doit		= egpu_nl_removal_get_doit,
		.policy		= egpu_removal_get_nl_policy,
		.maxattr	= EGPU_A_REMOVAL_COOKIE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= EGPU_CMD_REMOVAL_GET,
		.dumpit	= egpu_nl_removal_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= EGPU_CMD_EJECT,
		.doit		= egpu_nl_eject_doit,
		.policy		= egpu_eject_nl_policy,
		.maxattr	= EGPU_A_REMOVAL_TIMEOUT_MS,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_ACCEPT,
		.doit		= egpu_nl_accept_doit,
		.policy		= egpu_accept_nl_policy,
		.maxattr	= EGPU_A_REMOVAL_COOKIE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_ACK,
		.doit		= egpu_nl_ack_doit,
		.policy		= egpu_ack_nl_policy,
		.maxattr	= EGPU_A_REMOVAL_VOUCHED,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_CANCEL,
		.doit		= egpu_nl_cancel_doit,
		.policy		= egpu_cancel_nl_policy,
		.maxattr	= EGPU_A_REMOVAL_REASON,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= EGPU_CMD_SETTINGS_GET,
		.doit	= egpu_nl_settings_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_SETTINGS_SET,
		.doit		= egpu_nl_settings_set_doit,
		.policy		= egpu_settings_set_nl_policy,
		.maxattr	= EGPU_A_SETTINGS_DRAIN_MS,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= EGPU_CMD_OVERRIDE_GET,
		.dumpit	= egpu_nl_override_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= EGPU_CMD_OVERRIDE_SET,
		.doit		= egpu_nl_override_set_doit,
		.policy		= egpu_override_set_nl_policy,
		.maxattr	= EGPU_A_OVERRIDE_PLACEMENT,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_REFUSE,
		.doit		= egpu_nl_refuse_doit,
		.policy		= egpu_refuse_nl_policy,
		.maxattr	= EGPU_A_REMOVAL_REASON,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_REPORT,
		.doit		= egpu_nl_report_doit,
		.policy		= egpu_report_nl_policy,
		.maxattr	= EGPU_A_REMOVAL_STEP,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_BUFFER_GET,
		.start		= egpu_nl_buffer_start,
		.dumpit		= egpu_nl_buffer_get_dumpit,
		.done		= egpu_nl_buffer_done,
		.policy		= egpu_buffer_get_nl_policy,
		.maxattr	= EGPU_A_BUFFER_ID,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= EGPU_CMD_QUIESCE_GET,
		.doit		= egpu_nl_quiesce_get_doit,
		.policy		= egpu_quiesce_get_nl_policy,
		.maxattr	= EGPU_A_QUIESCE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= EGPU_CMD_QUIESCE_GET,
		.dumpit	= egpu_nl_quiesce_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= EGPU_CMD_FENCE,
		.doit		= egpu_nl_fence_doit,
		.policy		= egpu_fence_nl_policy,
		.maxattr	= EGPU_A_QUIESCE_ID,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_DRAIN,
		.doit		= egpu_nl_drain_doit,
		.policy		= egpu_drain_nl_policy,
		.maxattr	= EGPU_A_QUIESCE_TIMEOUT_MS,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_RESUME,
		.doit		= egpu_nl_resume_doit,
		.policy		= egpu_resume_nl_policy,
		.maxattr	= EGPU_A_QUIESCE_ID,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= EGPU_CMD_MIGRATE,
		.doit		= egpu_nl_migrate_doit,
		.policy		= egpu_migrate_nl_policy,
		.maxattr	= EGPU_A_MIGRATION_REASON,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group egpu_nl_mcgrps[] = {
	[EGPU_NLGRP_EVENTS] = { "events", },
	[EGPU_NLGRP_HELPER] = { "helper", },
};

struct genl_family egpu_nl_family __ro_after_init = {
	.name		= EGPU_FAMILY_NAME,
	.version	= EGPU_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= egpu_nl_ops,
	.n_split_ops	= ARRAY_SIZE(egpu_nl_ops),
	.mcgrps		= egpu_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(egpu_nl_mcgrps),
};
