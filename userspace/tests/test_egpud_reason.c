// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reasons for which an eject is refused: they fit, and they can be printed,
 * whatever a process calls itself.
 */
#include <string.h>

#include "../common/text.h"
#include "../egpud/egpud.h"
#include "test.h"

static char reason[EGPU_REASON_LEN + 1];

static bool everybody(const struct holder *holder, const void *arg)
{
	(void)holder;
	(void)arg;
	return true;
}

static struct holder holder_called(const char *comm)
{
	struct holder holder = { .process.pid = 4711, .how = HOLDER_NODE };

	strncpy(holder.process.comm, comm, sizeof(holder.process.comm) - 1);
	return holder;
}

static void who_and_how(void **state)
{
	struct holder list[3];
	struct holders holders = { .n = 1, .item = list };

	(void)state;
	list[0] = holder_called("blender");
	reason_holders(reason, &holders, everybody, NULL);
	assert_string_equal(reason,
			    "blender (pid 4711) still uses the GPU: node");
	list[0].how = HOLDER_SOUND | HOLDER_MAPPED;
	list[0].role = ROLE_DISPLAY_SERVER;
	list[1] = holder_called("second");
	list[2] = holder_called("third");
	holders.n = 3;
	reason_holders(reason, &holders, everybody, NULL);
	assert_string_equal(reason, "display-server blender (pid 4711) still "
				    "uses the GPU: mapped, sound, and 2 more");
}

static void no_name(void **state)
{
	struct holder list[1] = { holder_called("") };
	struct holders holders = { .n = 1, .item = list };

	(void)state;
	reason_holders(reason, &holders, everybody, NULL);
	assert_string_equal(reason,
			    "a process (pid 4711) still uses the GPU: node");
}

static void only_clients(void **state)
{
	struct holders holders = { .unnamed = 2 };

	(void)state;
	reason_holders(reason, &holders, everybody, NULL);
	assert_non_null(strstr(reason, "2 clients"));
}

static void hostile_names(void **state)
{
	struct holder list[1] = { holder_called("\033[2J\nx\xff%s") };
	struct holders holders = { .n = 1, .item = list };

	(void)state;
	reason_holders(reason, &holders, everybody, NULL);
	assert_string_equal(reason,
			    "?[2J?x?%s (pid 4711) still uses the GPU: node");
}

/* Cut where a character ends. */
static void too_long(void **state)
{
	char text[400];
	size_t i;

	(void)state;
	for (i = 0; i < 199; i++)
		memcpy(text + 2 * i, "\xc3\xa4", 2);
	text[398] = '\0';
	reason_set(reason, "%s", text);
	assert_int_equal(strlen(reason), EGPU_REASON_LEN - 1);
	assert_int_equal(text_utf8_length(reason + strlen(reason) - 2), 2);
}

static void culprits(void **state)
{
	struct egpu_quiesce quiesce = { .pending = 7 };

	(void)state;
	reason_culprits(reason, &quiesce);
	assert_string_equal(reason, "7 fences did not signal in time");
	quiesce.n_culprits = 3;
	quiesce.culprits[0].pid = 42;
	quiesce.culprits[0].fences = 1;
	strcpy(quiesce.culprits[0].comm, "spinner");
	reason_culprits(reason, &quiesce);
	assert_string_equal(reason, "work of spinner (pid 42) does not end: 1 "
				    "fence not signalled, and 2 more");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(who_and_how),	cmocka_unit_test(no_name),
	cmocka_unit_test(only_clients), cmocka_unit_test(hostile_names),
	cmocka_unit_test(too_long),	cmocka_unit_test(culprits),
};

TEST_MAIN(tests, NULL, NULL)
