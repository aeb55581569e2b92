// SPDX-License-Identifier: GPL-2.0
/*
 * One request, for scenarios: prints the reply or the error.
 *
 *   request eject id=3 [timeout-ms=500] [force]
 *   request accept|removal-get cookie=1
 *   request ack cookie=1 [vouched]
 *   request cancel|refuse cookie=1 [reason=TEXT]
 *   request report cookie=1 step=3
 *   request settings-set [hold-ms=N] [accept-ms=N] [eject-ms=N] [drain-ms=N]
 *   request settings-get
 *   request override-set address=0000:00:04.0 placement=0|1|2
 *   request device-get id=3|address=0000:01:00.0
 *   request fence|resume|quiesce-get id=3
 *   request drain id=3 timeout-ms=500
 *   request client-get [id=3] [cookie=1]
 *   request buffer-get id=3
 *   request open-dump      begin a dump of clients and keep it open until killed
 *   request session FIFO [helper]
 *                          requests from a FIFO, a line each, on one socket: it
 *                          owns what it has fenced until it is killed. With
 *                          helper it has joined the group of helpers
 *
 * Prints "cookie=1" and the like, one line, lists a line for each entry; or
 * "error=16 message" to standard output with exit code 1. A session ends the
 * reply to its Nth request with a line "reply N".
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
	void (*print)(const void *attrs, size_t len);
	struct word word[5];
};

/* --- replies -----------------------------------------------------------------*/

static void print_settings(const void *attrs, size_t len)
{
	printf("hold-ms=%u accept-ms=%u eject-ms=%u instance=%" PRIu64
	       " seq=%" PRIu64 " helpers=%u drain-ms=%u\n",
	       attr_u32(attrs, len, EGPU_A_SETTINGS_HOLD_MS),
	       attr_u32(attrs, len, EGPU_A_SETTINGS_ACCEPT_MS),
	       attr_u32(attrs, len, EGPU_A_SETTINGS_EJECT_MS),
	       attr_u64(attrs, len, EGPU_A_SETTINGS_INSTANCE),
	       attr_u64(attrs, len, EGPU_A_SETTINGS_SEQ),
	       attr_u32(attrs, len, EGPU_A_SETTINGS_HELPERS),
	       attr_u32(attrs, len, EGPU_A_SETTINGS_DRAIN_MS));
}

static void print_removal(const void *attrs, size_t len)
{
	struct removal removal;

	removal_read(&removal, attrs, len);
	printf("cookie=%" PRIu64 " id=%u origin=%u phase=%s release=%s ",
	       removal.cookie, removal.id, removal.origin,
	       phase_names[removal.phase], release_names[removal.release]);
	printf("cause=%u evidence=%#x clients=%u step=%u vouched=%d reason=%s\n",
	       removal.cause, removal.evidence, removal.clients, removal.step,
	       removal.vouched, removal.reason);
}

static void print_cookie(const void *attrs, size_t len)
{
	printf("cookie=%" PRIu64 "\n",
	       attr_u64(attrs, len, EGPU_A_REMOVAL_COOKIE));
}

static void print_gpu(const void *attrs, size_t len)
{
	struct gpu gpu;

	gpu_read(&gpu, attrs, len);
	printf("id=%u state=%u external=%d clients=%u cookie=%" PRIu64 "\n",
	       gpu.id, gpu.state, gpu.external, gpu.clients, gpu.cookie);
}

static void print_minor(const void *attrs, size_t len, int attr)
{
	size_t size = 0;
	const void *nest = attr_find(attrs, len, attr, &size);

	if (nest)
		printf(" minor=%u", attr_u32(nest, size, EGPU_A_MINOR_INDEX));
}

static void print_client(const void *attrs, size_t len)
{
	const char *comm = attr_text(attrs, len, EGPU_A_CLIENT_COMM);

	printf("client id=%u pid=%u comm=%s buffers=%u bytes=%" PRIu64,
	       attr_u32(attrs, len, EGPU_A_CLIENT_ID),
	       attr_u32(attrs, len, EGPU_A_CLIENT_PID), comm ? comm : "",
	       attr_u32(attrs, len, EGPU_A_CLIENT_BUFFERS),
	       attr_u64(attrs, len, EGPU_A_CLIENT_BYTES));
	print_minor(attrs, len, EGPU_A_CLIENT_MINOR);
	putchar('\n');
}

static void print_buffer(const void *attrs, size_t len)
{
	printf("buffer id=%u pid=%u handle=%u size=%" PRIu64 " dma-buf=%" PRIu64
	       " imported=%d pending=%u",
	       attr_u32(attrs, len, EGPU_A_BUFFER_ID),
	       attr_u32(attrs, len, EGPU_A_BUFFER_PID),
	       attr_u32(attrs, len, EGPU_A_BUFFER_HANDLE),
	       attr_u64(attrs, len, EGPU_A_BUFFER_SIZE),
	       attr_u64(attrs, len, EGPU_A_BUFFER_DMA_BUF),
	       attr_there(attrs, len, EGPU_A_BUFFER_IMPORTED),
	       attr_u32(attrs, len, EGPU_A_BUFFER_PENDING));
	print_minor(attrs, len, EGPU_A_BUFFER_MINOR);
	putchar('\n');
}

static void print_culprit(const void *attrs, size_t len)
{
	const char *comm = attr_text(attrs, len, EGPU_A_CULPRIT_COMM);

	printf(" culprit=%u:%s:%u", attr_u32(attrs, len, EGPU_A_CULPRIT_PID),
	       comm ? comm : "", attr_u32(attrs, len, EGPU_A_CULPRIT_FENCES));
}

static void print_quiesce(const void *attrs, size_t len)
{
	struct quiesce quiesce;

	quiesce_read(&quiesce, attrs, len);
	printf("id=%u state=%s result=%s owned=%d clients=%u buffers=%u ",
	       quiesce.id, quiesce_names[quiesce.state],
	       drain_names[quiesce.result], !!quiesce.owner, quiesce.clients,
	       quiesce.buffers);
	printf("passes=%u waited=%u pending=%u took-us=%" PRIu64,
	       quiesce.passes, quiesce.waited, quiesce.pending,
	       quiesce.ended ? (quiesce.ended - quiesce.started) / 1000 : 0);
	attr_each(attrs, len, EGPU_A_QUIESCE_CULPRIT, print_culprit);
	putchar('\n');
}

/* --- requests ----------------------------------------------------------------*/

/* What ends a word on a line of a session. */
static const char word_ends[] = { ' ', '\n', '\0' };

static const struct command commands[] = {
	{ "eject",
	  EGPU_CMD_EJECT,
	  print_cookie,
	  { { "id", EGPU_A_REMOVAL_ID, U32 },
	    { "timeout-ms", EGPU_A_REMOVAL_TIMEOUT_MS, U32 },
	    { "force", EGPU_A_REMOVAL_FORCE, FLAG } } },
	{ "accept",
	  EGPU_CMD_ACCEPT,
	  NULL,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 } } },
	{ "ack",
	  EGPU_CMD_ACK,
	  NULL,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 },
	    { "vouched", EGPU_A_REMOVAL_VOUCHED, FLAG } } },
	{ "cancel",
	  EGPU_CMD_CANCEL,
	  NULL,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 },
	    { "reason", EGPU_A_REMOVAL_REASON, TEXT } } },
	{ "refuse",
	  EGPU_CMD_REFUSE,
	  NULL,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 },
	    { "reason", EGPU_A_REMOVAL_REASON, TEXT } } },
	{ "report",
	  EGPU_CMD_REPORT,
	  NULL,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 },
	    { "step", EGPU_A_REMOVAL_STEP, U32 } } },
	{ "removal-get",
	  EGPU_CMD_REMOVAL_GET,
	  print_removal,
	  { { "cookie", EGPU_A_REMOVAL_COOKIE, U64 } } },
	{ "settings-set",
	  EGPU_CMD_SETTINGS_SET,
	  NULL,
	  { { "hold-ms", EGPU_A_SETTINGS_HOLD_MS, U32 },
	    { "accept-ms", EGPU_A_SETTINGS_ACCEPT_MS, U32 },
	    { "eject-ms", EGPU_A_SETTINGS_EJECT_MS, U32 },
	    { "drain-ms", EGPU_A_SETTINGS_DRAIN_MS, U32 } } },
	{ "settings-get", EGPU_CMD_SETTINGS_GET, print_settings, {} },
	{ "override-set",
	  EGPU_CMD_OVERRIDE_SET,
	  NULL,
	  { { "address", EGPU_A_OVERRIDE_ADDRESS, TEXT },
	    { "placement", EGPU_A_OVERRIDE_PLACEMENT, U32 } } },
	{ "device-get",
	  EGPU_CMD_DEVICE_GET,
	  print_gpu,
	  { { "id", EGPU_A_DEVICE_ID, U32 },
	    { "address", EGPU_A_DEVICE_ADDRESS, TEXT } } },
	{ "fence", EGPU_CMD_FENCE, NULL, { { "id", EGPU_A_QUIESCE_ID, U32 } } },
	{ "resume", EGPU_CMD_RESUME, NULL, { { "id", EGPU_A_QUIESCE_ID, U32 } } },
	{ "drain",
	  EGPU_CMD_DRAIN,
	  NULL,
	  { { "id", EGPU_A_QUIESCE_ID, U32 },
	    { "timeout-ms", EGPU_A_QUIESCE_TIMEOUT_MS, U32 } } },
	{ "quiesce-get",
	  EGPU_CMD_QUIESCE_GET,
	  print_quiesce,
	  { { "id", EGPU_A_QUIESCE_ID, U32 } } },
	{ "client-get",
	  EGPU_CMD_CLIENT_GET,
	  print_client,
	  { { "id", EGPU_A_CLIENT_ID, U32 },
	    { "cookie", EGPU_A_CLIENT_COOKIE, U64 } } },
	{ "buffer-get",
	  EGPU_CMD_BUFFER_GET,
	  print_buffer,
	  { { "id", EGPU_A_BUFFER_ID, U32 } } },
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	fprintf(stderr, "request: there is no command %s\n", name);
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

static bool is_dump(const struct command *command)
{
	return command->cmd == EGPU_CMD_CLIENT_GET ||
	       command->cmd == EGPU_CMD_BUFFER_GET;
}

static int build(struct msg *msg, const struct command *command,
		 const struct family *family, char **words)
{
	const struct word *word;

	msg_begin(msg, family->id, is_dump(command) ? NLM_F_DUMP : NLM_F_ACK,
		  command->cmd);
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

static void on_reply(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	const struct command *command = data;

	(void)cmd;
	if (command->print)
		command->print(attrs, len);
}

static int ask(struct nl *nl, const struct family *family, char **words)
{
	const struct command *command = find_command(words[0]);
	static struct answer answer;
	static struct msg msg;
	int error;

	if (!command || build(&msg, command, family, words))
		return 2;
	error = nl_dump(nl, &msg, on_reply, (void *)command, &answer);
	if (!error)
		return 0;
	printf("error=%d %s\n", -error, answer.text);
	return 1;
}

/* --- what goes on ------------------------------------------------------------*/

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

static void ask_line(struct nl *nl, const struct family *family, char *line)
{
	char *words[8] = {}, *at;
	unsigned int n = 0;

	for (at = strtok(line, word_ends); at && n < 7;
	     at = strtok(NULL, word_ends))
		words[n++] = at;
	if (n)
		ask(nl, family, words);
}

/* The FIFO has a writer, ourselves, so that its end never comes. */
static int session(struct nl *nl, const struct family *family, char **argv)
{
	FILE *fifo = argv[0] ? fopen(argv[0], "r+e") : NULL;
	unsigned int n = 0;
	char line[512];
	int error = 0;

	if (!fifo)
		return -ENOENT;
	if (argv[1])
		error = nl_join(nl, family->helper);
	if (error)
		return error;
	printf("session port=%u\n", nl->port);
	fflush(stdout);
	while (fgets(line, sizeof(line), fifo)) {
		ask_line(nl, family, line);
		printf("reply %u\n", ++n);
		fflush(stdout);
	}
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
	if (error) {
		printf("error=%d no family\n", -error);
		return 1;
	}
	if (strcmp(argv[1], "open-dump") && strcmp(argv[1], "session"))
		return ask(&nl, &family, argv + 1);
	error = argv[1][0] == 'o' ? open_dump(&nl, &family) :
				    session(&nl, &family, argv + 2);
	printf("error=%d %s\n", -error, strerror(-error));
	return 1;
}
