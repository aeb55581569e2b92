// SPDX-License-Identifier: GPL-2.0
/*
 * Rules by which a user says what is external: OCuLink and other links that
 * no firmware marks, or a marked port that is not to be unplugged.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "egpu.h"

static struct egpu_rule egpu_rules[EGPU_RULES_MAX];
static unsigned int egpu_n_rules;

/**
 * egpu_overrides - the rules
 * @n: set to their number
 *
 * Return: the first rule; valid while egpu_lock is held.
 */
const struct egpu_rule *egpu_overrides(unsigned int *n)
{
	lockdep_assert_held(&egpu_lock);
	*n = egpu_n_rules;
	return egpu_rules;
}

/**
 * egpu_override_set - make, change or take away a rule
 * @address: a GPU or a bridge above it; it need not be there now
 * @placement: what everything at and below it is; auto takes the rule away
 * @why: set to a sentence when an error is returned
 *
 * The caller holds egpu_lock and reclassifies.
 *
 * Return: 1 when the rules changed, 0 when it was so already, -ENOSPC.
 */
int egpu_override_set(const struct egpu_pci_address *address,
		      enum egpu_placement placement, const char **why)
{
	unsigned int i;

	lockdep_assert_held(&egpu_lock);
	for (i = 0; i < egpu_n_rules; i++)
		if (egpu_address_equal(&egpu_rules[i].address, address))
			break;
	if (placement == EGPU_PLACEMENT_AUTO) {
		if (i == egpu_n_rules)
			return 0;
		egpu_rules[i] = egpu_rules[--egpu_n_rules];
		return 1;
	}
	if (i < egpu_n_rules && egpu_rules[i].placement == placement)
		return 0;
	if (i == EGPU_RULES_MAX) {
		*why = "there are 64 rules already, take one away first";
		return -ENOSPC;
	}
	egpu_rules[i].address = *address;
	egpu_rules[i].placement = placement;
	egpu_n_rules = max(egpu_n_rules, i + 1);
	return 1;
}

static int parse_rule(char *text)
{
	struct egpu_pci_address address;
	enum egpu_placement placement;
	const char *why = "";
	char *word = text;
	char *at = strsep(&word, "=");
	int ret;

	if (!word || egpu_address_parse(at, &address))
		goto invalid;
	if (!strcmp(word, "external"))
		placement = EGPU_PLACEMENT_EXTERNAL;
	else if (!strcmp(word, "internal"))
		placement = EGPU_PLACEMENT_INTERNAL;
	else
		goto invalid;
	ret = egpu_override_set(&address, placement, &why);
	if (ret < 0)
		pr_err("egpu: parameter override: %s\n", why);
	return min(ret, 0);
invalid:
	pr_err("egpu: parameter override: expected 0000:00:04.0=external or =internal, found \"%s\"\n",
	       at);
	return -EINVAL;
}

/**
 * egpu_overrides_parse - read the module parameter override
 * @text: "0000:00:04.0=external,0000:00:05.0=internal", or NULL for none
 *
 * Return: 0, -EINVAL (said in the log), -ENOSPC or -ENOMEM.
 */
int egpu_overrides_parse(const char *text)
{
	char *copy, *rest, *rule;
	int ret = 0;

	if (!text || !*text)
		return 0;
	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	mutex_lock(&egpu_lock);
	while (!ret && (rule = strsep(&rest, ",")))
		ret = parse_rule(rule);
	mutex_unlock(&egpu_lock);
	kfree(copy);
	return ret;
}
