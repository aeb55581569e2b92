// SPDX-License-Identifier: GPL-2.0
/*
 * What a helper tells everybody of a program's way to another device. The
 * kernel moves nothing: it looks at what is said, and passes it on as an event
 * that has its place among all others.
 */
#include <linux/pid.h>
#include <linux/sched.h>

#include "egpu.h"
#include "genl.h"

static int check_gpu(struct genl_info *info, int attr)
{
	struct nlattr *id = info->attrs[attr];

	if (!id || egpu_device_was_there(nla_get_u32(id)))
		return 0;
	return egpu_error(info, attr, -ENODEV,
			  "there is no such GPU, and there was none");
}

/* What no policy can say of one attribute; egpu_lock held. */
static int check_migration(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	int ret;

	if (!egpu_helper_listens())
		return egpu_error(info, 0, -EPERM,
				  "only a helper tells of migrations, and none has joined its group");
	if (attrs[EGPU_A_MIGRATION_CPU] && attrs[EGPU_A_MIGRATION_TARGET])
		return egpu_error(info, EGPU_A_MIGRATION_CPU, -EINVAL,
				  "the work goes to a GPU or into memory, not both");
	ret = check_gpu(info, EGPU_A_MIGRATION_ID);
	if (!ret)
		ret = check_gpu(info, EGPU_A_MIGRATION_TARGET);
	if (ret || !attrs[EGPU_A_MIGRATION_COOKIE])
		return ret;
	if (egpu_request_was_there(nla_get_u64(attrs[EGPU_A_MIGRATION_COOKIE])))
		return 0;
	return egpu_error(info, EGPU_A_MIGRATION_COOKIE, -ENOENT,
			  "there is no such removal, and there was none");
}

/*
 * One message goes to all listeners, so it has the number of the initial
 * namespace. Who is not there any more has none.
 */
static u32 initial_pid(const struct nlattr *attr)
{
	struct pid *pid;
	u32 number = 0;

	if (!attr)
		return 0;
	rcu_read_lock();
	pid = find_vpid(nla_get_u32(attr));
	if (pid && pid_has_task(pid, PIDTYPE_TGID))
		number = pid_nr(pid);
	rcu_read_unlock();
	return number;
}

static int pass_u32(struct sk_buff *skb, int type, const struct nlattr *attr)
{
	return attr ? nla_put_u32(skb, type, nla_get_u32(attr)) : 0;
}

static int pass_u64(struct sk_buff *skb, int type, const struct nlattr *attr)
{
	return attr ? nla_put_u64_64bit(skb, type, nla_get_u64(attr),
					EGPU_A_MIGRATION_PAD) :
		      0;
}

static int pass_text(struct sk_buff *skb, int type, const struct nlattr *attr)
{
	return attr ? nla_put_string(skb, type, nla_data(attr)) : 0;
}

/**
 * egpu_put_migration - put what a helper has said of a migration
 * @skb: the message
 * @said: what it has said; the policy has looked at the attributes
 *
 * Return: 0 or -EMSGSIZE.
 */
int egpu_put_migration(struct sk_buff *skb, const struct egpu_migration *said)
{
	static const u8 u64s[] = {
		EGPU_A_MIGRATION_MIGRATION, EGPU_A_MIGRATION_COOKIE,
		EGPU_A_MIGRATION_BYTES,	    EGPU_A_MIGRATION_DURATION,
		EGPU_A_MIGRATION_STILL,	    EGPU_A_MIGRATION_LOST,
	};
	static const u8 u32s[] = {
		EGPU_A_MIGRATION_PHASE,
		EGPU_A_MIGRATION_ID,
		EGPU_A_MIGRATION_TARGET,
	};
	static const u8 texts[] = {
		EGPU_A_MIGRATION_COMM,
		EGPU_A_MIGRATION_CHECKPOINT,
		EGPU_A_MIGRATION_REASON,
	};
	struct nlattr **attrs = said->attrs;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(u64s); i++)
		if (pass_u64(skb, u64s[i], attrs[u64s[i]]))
			return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(u32s); i++)
		if (pass_u32(skb, u32s[i], attrs[u32s[i]]))
			return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (pass_text(skb, texts[i], attrs[texts[i]]))
			return -EMSGSIZE;
	if (attrs[EGPU_A_MIGRATION_CPU] &&
	    nla_put_flag(skb, EGPU_A_MIGRATION_CPU))
		return -EMSGSIZE;
	if (said->pid && nla_put_u32(skb, EGPU_A_MIGRATION_PID, said->pid))
		return -EMSGSIZE;
	return nla_put_u32(skb, EGPU_A_MIGRATION_HELPER, said->helper);
}

int egpu_nl_migrate_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct egpu_migration said = {
		.attrs = info->attrs,
		.helper = info->snd_portid,
	};
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_MIGRATION_MIGRATION))
		return egpu_error(info, 0, -EINVAL,
				  "say which migration by its number");
	if (GENL_REQ_ATTR_CHECK(info, EGPU_A_MIGRATION_PHASE))
		return egpu_error(info, 0, -EINVAL, "say which phase");
	said.pid = initial_pid(info->attrs[EGPU_A_MIGRATION_PID]);
	mutex_lock(&egpu_lock);
	ret = check_migration(info);
	if (!ret)
		egpu_event_migration(&said);
	mutex_unlock(&egpu_lock);
	return ret;
}
