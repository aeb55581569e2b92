// SPDX-License-Identifier: GPL-2.0
/*
 * What is external and why a GPU leaves, over generated trees and facts.
 */
#include <kunit/test.h>

#ifdef MODULE
#include "../classify.c"
#else
#include "../classify.h"
#endif

#define DEPTH_MAX 5

/* A GPU below @bridges bridges; the GPU is function 1:00.0 of a deep tree. */
static void make_tree(struct egpu_topology *tree, unsigned int bridges)
{
	unsigned int i;

	memset(tree, 0, sizeof(*tree));
	tree->depth = bridges + 1;
	for (i = 0; i < tree->depth; i++)
		tree->node[i].address.bus = bridges - i;
}

static void set_markers(struct egpu_topology *tree, unsigned int markers)
{
	unsigned int i;

	for (i = 0; i < tree->depth; i++) {
		tree->node[i].removable = markers >> (2 * i) & 1;
		tree->node[i].thunderbolt = markers >> (2 * i + 1) & 1;
	}
}

static struct egpu_rule rule_at(const struct egpu_topology *tree,
				unsigned int level,
				enum egpu_placement placement)
{
	return (struct egpu_rule){
		.address = tree->node[level].address,
		.placement = placement,
	};
}

static struct egpu_placement_verdict expected(const struct egpu_topology *tree,
					      const struct egpu_rule *rule,
					      int rule_level)
{
	struct egpu_placement_verdict verdict = {};
	unsigned int i;

	if (rule_level >= 0) {
		verdict.external = rule->placement == EGPU_PLACEMENT_EXTERNAL;
		verdict.marker = EGPU_MARKER_OVERRIDE;
		return verdict;
	}
	if (tree->node[0].removable) {
		verdict.external = true;
		verdict.marker = EGPU_MARKER_REMOVABLE;
		return verdict;
	}
	for (i = 0; i < tree->depth; i++)
		if (tree->node[i].thunderbolt) {
			verdict.external = true;
			verdict.marker = EGPU_MARKER_THUNDERBOLT;
			break;
		}
	return verdict;
}

static void check_tree(struct kunit *test, const struct egpu_topology *tree)
{
	struct egpu_placement_verdict got, want;
	struct egpu_rule rule = {};
	int level, placement;

	for (level = -1; level < (int)tree->depth; level++)
		for (placement = EGPU_PLACEMENT_EXTERNAL;
		     placement <= EGPU_PLACEMENT_INTERNAL; placement++) {
			if (level >= 0)
				rule = rule_at(tree, level, placement);
			got = egpu_classify_placement(tree, &rule, level >= 0);
			want = expected(tree, &rule, level);
			KUNIT_ASSERT_EQ(test, got.external, want.external);
			KUNIT_ASSERT_EQ(test, got.marker, want.marker);
		}
}

/* Every depth to 5, every combination of markers at every level. */
static void placement_over_all_trees(struct kunit *test)
{
	unsigned int bridges, markers;
	struct egpu_topology tree;

	for (bridges = 0; bridges <= 4; bridges++)
		for (markers = 0; markers < 1U << (2 * (bridges + 1));
		     markers++) {
			make_tree(&tree, bridges);
			set_markers(&tree, markers);
			check_tree(test, &tree);
		}
}

/**
 * struct class_case - a class code and whether it is a GPU's
 * @name: as lspci names it
 * @class: the code
 * @gpu: it is one
 */
struct class_case {
	const char *name;
	u32 class;
	bool gpu;
};

static const struct class_case class_cases[] = {
	{ "VGA controller", 0x030000, true },
	{ "XGA controller", 0x030100, true },
	{ "3D controller", 0x030200, true },
	{ "display controller", 0x038000, true },
	{ "highest display class", 0x03ffff, true },
	{ "processing accelerator", 0x120000, true },
	{ "highest accelerator class", 0x12ffff, true },
	{ "old VGA device", 0x000100, false },
	{ "highest network class", 0x02ffff, false },
	{ "lowest multimedia class", 0x040000, false },
	{ "HDMI audio", 0x040300, false },
	{ "PCI bridge", 0x060400, false },
	{ "NVM controller", 0x010802, false },
	{ "highest below accelerators", 0x11ffff, false },
	{ "lowest above accelerators", 0x130000, false },
	{ "unassigned", 0xff0000, false },
	{ "nothing", 0, false },
	{ "display class in the wrong byte", 0x000300, false },
	{ "accelerator in the wrong byte", 0x000012, false },
};

static void class_name(const struct class_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(class, class_cases, class_name);

static void class_tells_a_gpu(struct kunit *test)
{
	const struct class_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, egpu_classify_class(c->class), c->gpu);
}

/* Numbers from 1 on as parameters, and their names. */
static const void *next_number(const void *before, unsigned long last,
			       const char *what, char *desc)
{
	unsigned long number = (unsigned long)before + 1;

	if (number > last)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s %lu", what, number);
	return (void *)number;
}

static const void *depth_gen_params(const void *before, char *desc)
{
	return next_number(before, DEPTH_MAX, "depth", desc);
}

/*
 * What the documents say of one rule, or of none, and of two: the nearer one
 * counts alone, and auto is no rule.
 */
static void check_rules(struct kunit *test, const struct egpu_topology *tree,
			const struct egpu_rule *rules, const int *levels)
{
	bool second = rules[0].placement == EGPU_PLACEMENT_AUTO ||
		      (levels[1] < levels[0] &&
		       rules[1].placement != EGPU_PLACEMENT_AUTO);
	const struct egpu_rule *counts = &rules[second];
	struct egpu_placement_verdict alone, both, swapped;
	const struct egpu_rule turned[] = { rules[1], rules[0] };

	if (levels[0] == levels[1])
		return;
	alone = egpu_classify_placement(tree, counts, 1);
	both = egpu_classify_placement(tree, rules, 2);
	swapped = egpu_classify_placement(tree, turned, 2);
	KUNIT_ASSERT_EQ(test, both.external, alone.external);
	KUNIT_ASSERT_EQ(test, both.marker, alone.marker);
	KUNIT_ASSERT_EQ(test, swapped.external, alone.external);
	KUNIT_ASSERT_EQ(test, swapped.marker, alone.marker);
	if (counts->placement != EGPU_PLACEMENT_AUTO)
		return;
	alone = egpu_classify_placement(tree, NULL, 0);
	KUNIT_ASSERT_EQ(test, both.external, alone.external);
	KUNIT_ASSERT_EQ(test, both.marker, alone.marker);
}

/* Two rules of every kind at every two levels of a marked tree. */
static void placement_over_all_rules(struct kunit *test)
{
	unsigned long depth = (unsigned long)test->param_value;
	struct egpu_topology tree;
	struct egpu_rule rules[2];
	unsigned int markers, kinds;
	int levels[2];

	make_tree(&tree, depth - 1);
	for (markers = 0; markers < 16; markers++) {
		/* The GPU's own, and those of the bridge farthest away. */
		set_markers(&tree, (markers & 3) | (markers >> 2)
							   << 2 * (depth - 1));
		for (levels[0] = 0; levels[0] < depth; levels[0]++)
			for (levels[1] = 0; levels[1] < depth; levels[1]++)
				for (kinds = 0; kinds < 9; kinds++) {
					rules[0] = rule_at(&tree, levels[0],
							   kinds % 3);
					rules[1] = rule_at(&tree, levels[1],
							   kinds / 3);
					check_rules(test, &tree, rules, levels);
				}
	}
}

/* What must hold of every tree, whatever the code thinks of it. */
static void placement_has_its_properties(struct kunit *test)
{
	unsigned long depth = (unsigned long)test->param_value;
	struct egpu_placement_verdict verdict, more;
	struct egpu_topology tree;
	unsigned int markers, i;

	make_tree(&tree, depth - 1);
	for (markers = 0; markers < 1U << 2 * depth; markers++) {
		set_markers(&tree, markers);
		verdict = egpu_classify_placement(&tree, NULL, 0);
		/* External is what has a marker that counts. */
		KUNIT_ASSERT_EQ(test, verdict.external,
				verdict.marker != EGPU_MARKER_NONE);
		KUNIT_ASSERT_NE(test, verdict.marker, EGPU_MARKER_OVERRIDE);
		for (i = 0; i < depth; i++) {
			/* One more mark makes nothing internal. */
			set_markers(&tree, markers | 2U << 2 * i);
			more = egpu_classify_placement(&tree, NULL, 0);
			KUNIT_ASSERT_TRUE(test, more.external);
			/* Removable above the GPU says nothing. */
			if (!i)
				continue;
			set_markers(&tree, markers ^ 1U << 2 * i);
			more = egpu_classify_placement(&tree, NULL, 0);
			KUNIT_ASSERT_EQ(test, more.external, verdict.external);
			KUNIT_ASSERT_EQ(test, more.marker, verdict.marker);
		}
	}
}

/* The bridge is marked removable, the GPU is not: the host's own controller. */
static void removable_counts_on_the_gpu_only(struct kunit *test)
{
	struct egpu_topology tree;
	struct egpu_placement_verdict verdict;

	make_tree(&tree, 2);
	tree.node[1].removable = true;
	verdict = egpu_classify_placement(&tree, NULL, 0);
	KUNIT_EXPECT_FALSE(test, verdict.external);
	KUNIT_EXPECT_EQ(test, verdict.marker, EGPU_MARKER_NONE);
}

static void nearest_rule_wins(struct kunit *test)
{
	struct egpu_topology tree;
	struct egpu_placement_verdict verdict;
	struct egpu_rule rules[2];

	make_tree(&tree, 3);
	rules[0] = rule_at(&tree, 3, EGPU_PLACEMENT_EXTERNAL);
	rules[1] = rule_at(&tree, 1, EGPU_PLACEMENT_INTERNAL);
	verdict = egpu_classify_placement(&tree, rules, 2);
	KUNIT_EXPECT_FALSE(test, verdict.external);
	KUNIT_EXPECT_EQ(test, verdict.marker, EGPU_MARKER_OVERRIDE);
	rules[1].placement = EGPU_PLACEMENT_AUTO;
	verdict = egpu_classify_placement(&tree, rules, 2);
	KUNIT_EXPECT_TRUE(test, verdict.external);
}

static void rule_elsewhere_is_nothing(struct kunit *test)
{
	struct egpu_topology tree;
	struct egpu_placement_verdict verdict;
	struct egpu_rule rule;

	make_tree(&tree, 1);
	rule = rule_at(&tree, 1, EGPU_PLACEMENT_EXTERNAL);
	rule.address.domain = 1;
	verdict = egpu_classify_placement(&tree, &rule, 1);
	KUNIT_EXPECT_FALSE(test, verdict.external);
}

/* A depth that cannot be must not be followed. */
static void absurd_depth_is_bounded(struct kunit *test)
{
	struct egpu_topology *tree =
		kunit_kzalloc(test, sizeof(*tree), GFP_KERNEL);
	struct egpu_placement_verdict verdict;

	KUNIT_ASSERT_NOT_NULL(test, tree);
	tree->depth = UINT_MAX;
	verdict = egpu_classify_placement(tree, NULL, 0);
	KUNIT_EXPECT_FALSE(test, verdict.external);
}

/* What the rules say, in other words than the code. */
static enum egpu_cause cause_wanted(const struct egpu_cause_facts *f)
{
	bool silent = f->probed && !f->answered;
	bool empty = f->slot_known && f->slot_empty;
	bool driver_only = f->initiator == EGPU_INITIATOR_DRIVER_UNLOAD ||
			   f->initiator == EGPU_INITIATOR_USER_TASK;

	if (f->marked || (silent && (!f->frozen || empty)))
		return EGPU_CAUSE_SURPRISE;
	return driver_only && !f->no_driver ? EGPU_CAUSE_UNBIND :
					      EGPU_CAUSE_GRACEFUL;
}

static struct egpu_cause_facts facts_of(unsigned int bits, int initiator)
{
	return (struct egpu_cause_facts){
		.initiator = initiator,
		.marked = bits & BIT(0),
		.probed = bits & BIT(1),
		.answered = bits & BIT(2),
		.frozen = bits & BIT(3),
		.slot_known = bits & BIT(4),
		.slot_empty = bits & BIT(5),
		.link_down = bits & BIT(6),
		.no_driver = bits & BIT(7),
	};
}

static void check_evidence(struct kunit *test, const struct egpu_cause_facts *f,
			   u32 evidence)
{
	KUNIT_EXPECT_EQ(test, !!(evidence & EGPU_EVIDENCE_MARKED), f->marked);
	KUNIT_EXPECT_EQ(test, !!(evidence & EGPU_EVIDENCE_PRESENT),
			f->probed && f->answered);
	KUNIT_EXPECT_EQ(test, !!(evidence & EGPU_EVIDENCE_ABSENT),
			f->probed && !f->answered);
	KUNIT_EXPECT_EQ(test, !!(evidence & EGPU_EVIDENCE_FROZEN), f->frozen);
	KUNIT_EXPECT_EQ(test, !!(evidence & EGPU_EVIDENCE_SLOT_EMPTY),
			f->slot_known && f->slot_empty);
	KUNIT_EXPECT_EQ(test, !!(evidence & EGPU_EVIDENCE_LINK_DOWN),
			f->slot_known && f->link_down);
	KUNIT_EXPECT_EQ(test, !!(evidence & EGPU_EVIDENCE_NO_DRIVER),
			f->no_driver);
	KUNIT_EXPECT_FALSE(test, evidence & EGPU_EVIDENCE_OVERTAKEN);
}

static void cause_over_all_facts(struct kunit *test)
{
	struct egpu_cause_verdict verdict;
	struct egpu_cause_facts facts;
	unsigned int bits;
	int initiator;

	for (initiator = EGPU_INITIATOR_UNKNOWN;
	     initiator <= EGPU_INITIATOR_USER_TASK; initiator++)
		for (bits = 0; bits < BIT(8); bits++) {
			facts = facts_of(bits, initiator);
			verdict = egpu_classify_cause(&facts);
			KUNIT_ASSERT_EQ(test, verdict.cause,
					cause_wanted(&facts));
			KUNIT_ASSERT_EQ(test, egpu_facts_say_gone(&facts),
					verdict.cause == EGPU_CAUSE_SURPRISE);
			check_evidence(test, &facts, verdict.evidence);
		}
}

/**
 * struct situation - what happened, and what it has to be called
 * @name: what happened
 * @facts: what is seen of it
 * @cause: expected
 */
struct situation {
	const char *name;
	struct egpu_cause_facts facts;
	enum egpu_cause cause;
};

#define THREAD	EGPU_INITIATOR_HOTPLUG_THREAD
#define PRESENT .probed = true, .answered = true
#define SILENT	.probed = true
#define EMPTY	.slot_known = true, .slot_empty = true

static const struct situation situations[] = {
	{ "cable pulled",
	  { THREAD, .marked = true, SILENT, EMPTY },
	  EGPU_CAUSE_SURPRISE },
	{ "cable pulled, not marked yet",
	  { THREAD, SILENT, EMPTY },
	  EGPU_CAUSE_SURPRISE },
	{ "cable pulled, no slot to ask",
	  { THREAD, SILENT },
	  EGPU_CAUSE_SURPRISE },
	{ "cable pulled and put back",
	  { THREAD, .marked = true, PRESENT },
	  EGPU_CAUSE_SURPRISE },
	{ "cable pulled while a user unbinds",
	  { EGPU_INITIATOR_USER_TASK, SILENT },
	  EGPU_CAUSE_SURPRISE },
	{ "cable pulled while it is ejected",
	  { EGPU_INITIATOR_EJECT, .marked = true },
	  EGPU_CAUSE_SURPRISE },
	{ "cable pulled without a driver",
	  { THREAD, SILENT, .no_driver = true },
	  EGPU_CAUSE_SURPRISE },
	{ "button pressed", { THREAD, PRESENT }, EGPU_CAUSE_GRACEFUL },
	{ "button pressed, link down by now",
	  { THREAD, PRESENT, .slot_known = true, .link_down = true },
	  EGPU_CAUSE_GRACEFUL },
	{ "device asleep, nothing was probed", { THREAD }, EGPU_CAUSE_GRACEFUL },
	{ "ejected", { EGPU_INITIATOR_EJECT, PRESENT }, EGPU_CAUSE_GRACEFUL },
	{ "remove file",
	  { EGPU_INITIATOR_SYSFS_REMOVE, PRESENT },
	  EGPU_CAUSE_GRACEFUL },
	{ "error recovery gives up",
	  { THREAD, SILENT, .frozen = true },
	  EGPU_CAUSE_GRACEFUL },
	{ "error recovery, the card is gone",
	  { THREAD, SILENT, .frozen = true, EMPTY },
	  EGPU_CAUSE_SURPRISE },
	{ "error recovery, the slot is full",
	  { THREAD, SILENT, .frozen = true, .slot_known = true },
	  EGPU_CAUSE_GRACEFUL },
	{ "error recovery, a slot that does not answer",
	  { THREAD, SILENT, .frozen = true, .slot_empty = true },
	  EGPU_CAUSE_GRACEFUL },
	{ "driver unloaded",
	  { EGPU_INITIATOR_DRIVER_UNLOAD, PRESENT },
	  EGPU_CAUSE_UNBIND },
	{ "unbind file",
	  { EGPU_INITIATOR_USER_TASK, PRESENT },
	  EGPU_CAUSE_UNBIND },
	{ "taken off the bus without a driver",
	  { EGPU_INITIATOR_USER_TASK, PRESENT, .no_driver = true },
	  EGPU_CAUSE_GRACEFUL },
};

static void situation_name(const struct situation *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(situation, situations, situation_name);

static void situation_has_its_cause(struct kunit *test)
{
	const struct situation *c = test->param_value;

	KUNIT_EXPECT_EQ(test, egpu_classify_cause(&c->facts).cause, c->cause);
}

static const void *initiator_gen_params(const void *before, char *desc)
{
	return next_number(before, EGPU_INITIATOR_USER_TASK + 1, "initiator",
			   desc);
}

static enum egpu_cause cause_with(const struct egpu_cause_facts *facts,
				  void (*change)(struct egpu_cause_facts *))
{
	struct egpu_cause_facts changed = *facts;

	change(&changed);
	return egpu_classify_cause(&changed).cause;
}

static void mark(struct egpu_cause_facts *facts)
{
	facts->marked = true;
}

static void turn_link(struct egpu_cause_facts *facts)
{
	facts->link_down = !facts->link_down;
}

static void turn_unknown_slot(struct egpu_cause_facts *facts)
{
	if (!facts->slot_known)
		facts->slot_empty = !facts->slot_empty;
}

static void turn_answer_nobody_asked_for(struct egpu_cause_facts *facts)
{
	if (!facts->probed)
		facts->answered = !facts->answered;
}

static void see_it_there(struct egpu_cause_facts *facts)
{
	facts->marked = false;
	facts->probed = true;
	facts->answered = true;
}

/* What must hold of all facts, whatever the code thinks of them. */
static void cause_has_its_properties(struct kunit *test)
{
	int initiator = (unsigned long)test->param_value - 1;
	struct egpu_cause_facts facts;
	enum egpu_cause cause;
	unsigned int bits;

	for (bits = 0; bits < BIT(8); bits++) {
		facts = facts_of(bits, initiator);
		cause = egpu_classify_cause(&facts).cause;
		KUNIT_ASSERT_NE(test, cause, EGPU_CAUSE_UNKNOWN);
		KUNIT_ASSERT_EQ(test, cause_with(&facts, mark),
				EGPU_CAUSE_SURPRISE);
		KUNIT_ASSERT_NE(test, cause_with(&facts, see_it_there),
				EGPU_CAUSE_SURPRISE);
		KUNIT_ASSERT_EQ(test, cause_with(&facts, turn_link), cause);
		KUNIT_ASSERT_EQ(test, cause_with(&facts, turn_unknown_slot),
				cause);
		KUNIT_ASSERT_EQ(test, cause,
				cause_with(&facts, turn_answer_nobody_asked_for));
	}
}

/**
 * struct initiator_case - one initiator, one flag
 * @initiator: who called for the removal
 * @evidence: the flag that says so
 */
struct initiator_case {
	enum egpu_initiator initiator;
	u32 evidence;
};

static void each_initiator_has_its_flag(struct kunit *test)
{
	static const struct initiator_case cases[] = {
		{ EGPU_INITIATOR_UNKNOWN, 0 },
		{ EGPU_INITIATOR_EJECT, EGPU_EVIDENCE_EJECT },
		{ EGPU_INITIATOR_HOTPLUG_THREAD, EGPU_EVIDENCE_HOTPLUG_THREAD },
		{ EGPU_INITIATOR_SYSFS_REMOVE, EGPU_EVIDENCE_SYSFS_REMOVE },
		{ EGPU_INITIATOR_DRIVER_UNLOAD, EGPU_EVIDENCE_DRIVER_UNLOAD },
		{ EGPU_INITIATOR_USER_TASK, EGPU_EVIDENCE_USER_TASK },
	};
	struct egpu_cause_facts facts;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		facts = facts_of(0, cases[i].initiator);
		KUNIT_EXPECT_EQ(test, egpu_classify_cause(&facts).evidence,
				cases[i].evidence);
	}
}

/**
 * struct address_case - a text and whether it is an address
 * @text: the text
 * @valid: it is one
 * @address: which
 */
struct address_case {
	const char *text;
	bool valid;
	struct egpu_pci_address address;
};

static const struct address_case address_cases[] = {
	{ "0000:00:04.0", true, { 0, 0, 0x20 } },
	{ "0000:ff:1f.7", true, { 0, 0xff, 0xff } },
	{ "10000:01:00.0", true, { 0x10000, 1, 0 } },
	{ "0000:00:20.0", false },
	{ "0000:00:04.8", false },
	{ "00:04.0", false },
	{ "0000:00:04", false },
	{ "0000:00:04.0 ", false },
	{ "0000:00:04.0,", false },
	{ "", false },
	{ "hello", false },
};

static void address_name(const struct address_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "'%s'", c->text);
}

KUNIT_ARRAY_PARAM(address, address_cases, address_name);

static void address_is_parsed(struct kunit *test)
{
	const struct address_case *c = test->param_value;
	struct egpu_pci_address address = { 0xdead, 0xbe, 0xef };
	struct egpu_pci_address untouched = address;

	KUNIT_EXPECT_EQ(test, egpu_address_parse(c->text, &address),
			c->valid ? 0 : -EINVAL);
	KUNIT_EXPECT_TRUE(test,
			  egpu_address_equal(&address, c->valid ? &c->address :
								  &untouched));
}

static struct kunit_case classify_cases[] = {
	KUNIT_CASE_PARAM(class_tells_a_gpu, class_gen_params),
	KUNIT_CASE(placement_over_all_trees),
	KUNIT_CASE_PARAM(placement_over_all_rules, depth_gen_params),
	KUNIT_CASE_PARAM(placement_has_its_properties, depth_gen_params),
	KUNIT_CASE(removable_counts_on_the_gpu_only),
	KUNIT_CASE(nearest_rule_wins),
	KUNIT_CASE(rule_elsewhere_is_nothing),
	KUNIT_CASE(absurd_depth_is_bounded),
	KUNIT_CASE(cause_over_all_facts),
	KUNIT_CASE_PARAM(situation_has_its_cause, situation_gen_params),
	KUNIT_CASE_PARAM(cause_has_its_properties, initiator_gen_params),
	KUNIT_CASE(each_initiator_has_its_flag),
	KUNIT_CASE_PARAM(address_is_parsed, address_gen_params),
	{}
};

static struct kunit_suite classify_suite = {
	.name = "egpu_classify",
	.test_cases = classify_cases,
};

kunit_test_suite(classify_suite);

MODULE_DESCRIPTION("KUnit tests of egpu's classification");
MODULE_LICENSE("GPL");
