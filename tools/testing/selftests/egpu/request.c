// SPDX-License-Identifier: GPL-2.0
/*
 * One request, for scenarios: prints the reply or the error.
 *
 *   request eject id=3 [timeout-ms=500] [force]
 *   request accept|ack|removal-get cookie=1
 *   request cancel cookie=1 [reason=TEXT]
 *   request settings-set [hold-ms=N] [accept-ms=N] [eject-ms=N]
 *   request settings-get
 *   request override-set address=0000:00:04.0 placement=0|1|2
 *   request device-get id=3|address=0000:01:00.0
 *   request open-dump      begin a dump of clients and keep it open until killed
 *
 * Prints "cookie=1" and the like, one line; or "error=16 message" to standard
 * output with exit code 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family.h"

enum kind { FLAG, U32, U64, TEXT };

struct word {
	const char *name;
	uint16_t attr;
	enum kind kind;
};

struct command {
	const char *name;
	uint8_t cmd;
	struct word word[4];
};

static const struct command commands[] = {
	{ "eject",
	  EGPU_CMD_EJECT,
	  { { "id", EGPU_A_REMOVAL_ID, U32 },
	    { "timeout-ms", EGPU_A_REMOVAL_TIMEOUT_MS, U32 },
	    { "force", EGPU_A_REMOVAL_FORCE, FLAG } } },
	{ "accept",
	  EGPU_CMD_ACCEPT,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 } } },
	{ "ack", EGPU_CMD_ACK, { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 } } },
	{ "cancel",
	  EGPU_CMD_CANCEL,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 },
	    { "reason", EGPU_A_REMOVAL_REASON, TEXT } } },
	{ "removal-get",
	  EGPU_CMD_REMOVAL_GET,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 } } },
	{ "settings-set",
	  EGPU_CMD_SETTINGS_SET,
	  { { "hold-ms", EGPU_A_SETTINGS_HOLD_MS, U32 },
	    { "accept-ms", EGPU_A_SETTINGS_ACCEPT_MS, U32 },
	    { "eject-ms", EGPU_A_SETTINGS_EJECT_MS, U32 } } },
	{ "settings-get", EGPU_CMD_SETTINGS_GET, {} },
	{ "override-set",
	  EGPU_CMD_OVERRIDE_SET,
	  { { "address", EGPU_A_OVERRIDE_ADDRESS, TEXT },
	    { "placement", EGPU_A_OVERRIDE_PLACEMENT, U32 } } },
	{ "device-get",
	  EGPU_CMD_DEVICE_GET,
	  { { "id", EGPU_A_DEVICE_ID, U32 },
	    { "address", EGPU_A_DEVICE_ADDRESS, TEXT } } },
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool put_word(struct msg *msg, const struct word *word, const char *text)
{
	size_t len = strlen(word->name);

	if (strncmp(text, word->name, len))
		return false;
	if (word->kind == FLAG && !text[len]) {
		msg_put(msg, word->attr, NULL, 0);
		return true;
	}
	if (text[len] != '=')
		return false;
	text += len + 1;
	if (word->kind == TEXT)
		msg_put_text(msg, word->attr, text);
	else if (word->kind == U64)
		msg_put_u64(msg, word->attr, strtoull(text, NULL, 0));
	else
		msg_put_u32(msg, word->attr, strtoul(text, NULL, 0));
	return true;
}

static int build(struct msg *msg, const struct family *family, char **words)
{
	const struct command *command = find_command(words[0]);
	const struct word *word;

	if (!command) {
		fprintf(stderr, "request: there is no command %s\n", words[0]);
		return -EINVAL;
	}
	msg_begin(msg, family->id, 0, command->cmd);
	while (*++words) {
		for (word = command->word; word->name; word++)
			if (put_word(msg, word, *words))
				break;
		if (!word->name) {
			fprintf(stderr, "request: %s does not take %s\n",
				command->name, *words);
			return -EINVAL;
		}
	}
	return 0;
}

static void print_settings(const struct answer *answer)
{
	const void *data = answer->data;
	size_t len = answer->len;

	printf("hold-ms=%u accept-ms=%u eject-ms=%u instance=%" PRIu64
	       " seq=%" PRIu64 " helpers=%u\n",
	       attr_u32(data, len, EGPU_A_SETTINGS_HOLD_MS),
	       attr_u32(data, len, EGPU_A_SETTINGS_ACCEPT_MS),
	       attr_u32(data, len, EGPU_A_SETTINGS_EJECT_MS),
	       attr_u64(data, len, EGPU_A_SETTINGS_INSTANCE),
	       attr_u64(data, len, EGPU_A_SETTINGS_SEQ),
	       attr_u32(data, len, EGPU_A_SETTINGS_HELPERS));
}

static void print_removal(const struct answer *answer)
{
	struct removal removal;

	removal_read(&removal, answer->data, answer->len);
	printf("cookie=%" PRIu64
	       " id=%u origin=%u phase=%s release=%s cause=%u evidence=%#x clients=%u reason=%s\n",
	       removal.cookie, removal.id, removal.origin,
	       phase_names[removal.phase], release_names[removal.release],
	       removal.cause, removal.evidence, removal.clients, removal.reason);
}

static void print_reply(const char *command, const struct answer *answer)
{
	struct gpu gpu;

	if (!strcmp(command, "settings-get")) {
		print_settings(answer);
	} else if (!strcmp(command, "removal-get")) {
		print_removal(answer);
	} else if (!strcmp(command, "eject")) {
		printf("cookie=%" PRIu64 "\n",
		       attr_u64(answer->data, answer->len,
				EGPU_A_REMOVAL_COOKIE));
	} else if (!strcmp(command, "device-get")) {
		gpu_read(&gpu, answer->data, answer->len);
		printf("id=%u state=%u external=%d clients=%u cookie=%" PRIu64
		       "\n",
		       gpu.id, gpu.state, gpu.external, gpu.clients, gpu.cookie);
	}
}

/* The kernel fills one buffer and goes on when that is read. A dump with more
 * to tell, of a hundred clients say, so stays open.
 */
static int open_dump(struct nl *nl, const struct family *family)
{
	static struct msg msg;
	int error;

	msg_begin(&msg, family->id, NLM_F_DUMP, EGPU_CMD_CLIENT_GET);
	error = nl_send(nl, &msg);
	if (error)
		return error;
	puts("open");
	fflush(stdout);
	pause();
	return 0;
}

static int ask(struct nl *nl, const struct family *family, char **words)
{
	static struct answer answer;
	static struct msg msg;
	int error = build(&msg, family, words);

	if (error)
		return 2;
	error = nl_ask(nl, &msg, &answer);
	if (error) {
		printf("error=%d %s\n", -error, answer.text);
		return 1;
	}
	print_reply(words[0], &answer);
	return 0;
}

int main(int argc, char **argv)
{
	struct family family;
	struct nl nl;
	int error;

	if (argc < 2) {
		fprintf(stderr, "request: see the head of request.c\n");
		return 2;
	}
	error = family_open(&nl, &family);
	if (!error && !strcmp(argv[1], "open-dump"))
		error = open_dump(&nl, &family);
	if (error) {
		printf("error=%d no family\n", -error);
		return 1;
	}
	return ask(&nl, &family, argv + 1);
}
