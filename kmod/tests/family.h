/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink family for suites: as a module with a copy of its code over a
 * registry without GPUs, built in with that of the running egpu. Ids and
 * cookies that a suite makes up are unknown in both.
 */
#ifndef _EGPU_TESTS_FAMILY_H
#define _EGPU_TESTS_FAMILY_H

#include "../compat/genl_split.h"
#include "../egpu.h"
#include "../genl.h"

#ifdef MODULE

#include "../classify.c"
#include "../compat/genl_split.c"
#include "../genl.c"
#include "../netlink.c"
#include "../netlink_migrate.c"
#include "../netlink_quiesce.c"
#include "../netlink_requests.c"

/* Guards what the stand-ins below do not have. */
DEFINE_MUTEX(egpu_lock);

struct egpu_device *egpu_device_find_id(u32 id)
{
	return NULL;
}

struct egpu_device *egpu_device_find_address(const struct egpu_pci_address *at)
{
	return NULL;
}

bool egpu_device_was_there(u32 id)
{
	return false;
}

struct egpu_device *egpu_device_after(u32 id)
{
	return NULL;
}

void egpu_device_get(struct egpu_device *edev)
{
}

void egpu_device_put(struct egpu_device *edev)
{
}

void egpu_device_refresh(struct egpu_device *edev)
{
}

void egpu_devices_reclassify(void)
{
}

int egpu_put_device(struct sk_buff *skb, const struct egpu_device *edev)
{
	return 0;
}

int egpu_put_removal(struct sk_buff *skb, const struct egpu_request *req,
		     bool with_minors)
{
	return 0;
}

struct egpu_request *egpu_request_find(u64 cookie)
{
	return NULL;
}

bool egpu_request_was_there(u64 cookie)
{
	return false;
}

struct egpu_request *egpu_request_after(u64 cookie)
{
	return NULL;
}

int egpu_request_step(struct egpu_request *req, enum egpu_fsm_input input,
		      u32 port, const char **why)
{
	return 0;
}

void egpu_requests_helper_gone(u32 port)
{
}

int egpu_eject_begin(struct egpu_device *edev, u32 wait_ms, bool force,
		     u64 *cookie, const char **why)
{
	return 0;
}

int egpu_quiesce_fence(struct egpu_device *edev, u32 port, const char **why)
{
	return 0;
}

int egpu_quiesce_drain(struct egpu_device *edev, u32 port, u32 wait_ms,
		       const char **why)
{
	return 0;
}

int egpu_quiesce_resume(struct egpu_device *edev, u32 port, const char **why)
{
	return 0;
}

void egpu_quiesce_helper_gone(u32 port)
{
}

int egpu_put_quiesce(struct sk_buff *skb, const struct egpu_device *edev)
{
	return 0;
}

bool egpu_client_visible(const struct egpu_client *client, bool all)
{
	return true;
}

u32 egpu_client_pid(const struct egpu_client *client)
{
	return 0;
}

int egpu_put_minor(struct sk_buff *skb, int attr, const struct egpu_minor *minor)
{
	return 0;
}

const struct egpu_rule *egpu_overrides(unsigned int *n)
{
	*n = 0;
	return NULL;
}

int egpu_override_set(const struct egpu_pci_address *address,
		      enum egpu_placement placement, const char **why)
{
	return 0;
}

u64 egpu_event_seq(void)
{
	return 0;
}

void egpu_event_migration(const struct egpu_migration *said)
{
}

u64 egpu_instance(void)
{
	return 1;
}

bool egpu_helper_listens(void)
{
	return false;
}

int egpu_nl_client_start(struct netlink_callback *cb)
{
	return 0;
}

int egpu_nl_client_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return 0;
}

int egpu_nl_client_done(struct netlink_callback *cb)
{
	return 0;
}

int egpu_nl_buffer_start(struct netlink_callback *cb)
{
	return 0;
}

int egpu_nl_buffer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return 0;
}

int egpu_nl_buffer_done(struct netlink_callback *cb)
{
	return 0;
}

#endif /* MODULE */

#endif /* _EGPU_TESTS_FAMILY_H */
