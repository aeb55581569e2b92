// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl checkpoint: the checkpoints of a store. What the kernel knows is not
 * asked: a checkpoint can be looked at where there is no GPU at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "checkpoint.h"

enum { ID, CREATED, PROGRAM, STEP, SIZE, FILE_SIZE, NEEDS, NOTE };

static const struct ctl_column list_columns[] = {
	[ID] = { .name = "ID" },
	[CREATED] = { .name = "CREATED" },
	[PROGRAM] = { .name = "PROGRAM", .truncate = true },
	[STEP] = { .name = "STEP", .right = true },
	[SIZE] = { .name = "SIZE", .right = true },
	[FILE_SIZE] = { .name = "ON DISK", .right = true },
	[NEEDS] = { .name = "NEEDS", .right = true },
	[NOTE] = { .name = "NOTE" },
};

enum { BUFFER, NAME, BYTES, PICTURE, MODIFIER };

static const struct ctl_column buffer_columns[] = {
	[BUFFER] = { .name = "BUFFER", .right = true },
	[NAME] = { .name = "NAME", .truncate = true },
	[BYTES] = { .name = "SIZE", .right = true },
	[PICTURE] = { .name = "PICTURE" },
	[MODIFIER] = { .name = "MODIFIER" },
};

/* ------------------------------------------------------------- which */

/* The store's errors; other meanings than those of the kernel's answers. */
int checkpoint_fail(struct ctl *ctl, int err, const char *why)
{
	enum ctl_exit code = EXIT_OTHER;

	if (err == -ENOENT)
		code = EXIT_NOT_FOUND;
	else if (err == -EBUSY)
		code = EXIT_BUSY;
	else if (err == -EPERM || err == -EACCES)
		code = EXIT_PERMISSION;
	return ctl_fail(ctl, code, err, "%s", why);
}

/* Finds the one whose id begins with @text: nobody types 36 letters. */
int checkpoint_find(struct ctl *ctl, struct store *store, const char *text,
		    char id[STORE_ID_SIZE])
{
	struct store_info *list;
	char error[STORE_ERROR];
	size_t n, i, found = 0;
	int err = store_list(store, &list, &n, error);

	if (err)
		return checkpoint_fail(ctl, err, error);
	for (i = 0; i < n; i++) {
		if (strncmp(list[i].head.id, text, strlen(text)))
			continue;
		memcpy(id, list[i].head.id, STORE_ID_SIZE);
		found++;
	}
	free(list);
	if (found == 1 && *text)
		return EXIT_OK;
	if (found && *text)
		return ctl_fail(ctl, EXIT_USAGE, -EINVAL,
				"'%s' can mean %zu checkpoints: give more of the id",
				text, found);
	return ctl_fail(ctl, EXIT_NOT_FOUND, -ENOENT,
			"there is no checkpoint '%s'", text);
}

int checkpoint_load(struct ctl *ctl, struct store *store, const char *text,
		    struct store_reader **reader)
{
	char id[STORE_ID_SIZE], error[STORE_ERROR];
	int code = checkpoint_find(ctl, store, text, id);
	int err;

	if (code)
		return code;
	err = store_load(store, id, reader, error);
	return err ? checkpoint_fail(ctl, err, error) : EXIT_OK;
}

/* ------------------------------------------------------------- as JSON */

static void put_head(struct json *json, const struct store_head *head)
{
	json_string(json, "id", head->id);
	json_string_or_null(json, "parent", head->parent);
	json_uint(json, "created", head->created);
	json_uint(json, "step", head->step);
	json_uint(json, "session", head->session);
	json_uint(json, "pid", head->pid);
	json_uint(json, "uid", head->uid);
	json_bool(json, "rough", head->rough);
	json_bool(json, "plain", head->plain);
	json_string(json, "program", head->program);
	json_string(json, "name", head->name);
	json_string_or_null(json, "address", head->address);
	json_string_or_null(json, "driver", head->driver);
}

static void put_info(struct json *json, const struct store_info *info)
{
	json_object(json, NULL);
	json_string_or_null(json, "error",
			    info->error ? checkpoint_state(info) : "");
	put_head(json, &info->head);
	json_uint(json, "buffers", info->n_buffers);
	json_uint(json, "bytes", info->bytes);
	json_uint(json, "file_bytes", info->file_bytes);
	json_uint(json, "state_size", info->state_size);
	json_uint(json, "needs", info->depth ? info->depth - 1 : 0);
	json_uint(json, "needed_by", info->needed_by);
	json_object_end(json);
}

static void put_buffer(struct json *json, const struct store_buffer *buffer)
{
	char format[5];

	json_object(json, NULL);
	json_uint(json, "id", buffer->id);
	json_string(json, "name", buffer->name);
	json_uint(json, "size", buffer->size);
	json_string_or_null(json, "format",
			    checkpoint_format(buffer->format, format));
	json_uint(json, "width", buffer->width);
	json_uint(json, "height", buffer->height);
	json_uint(json, "stride", buffer->stride);
	json_hex(json, "modifier", 16, buffer->modifier);
	json_object_end(json);
}

/* ------------------------------------------------------------- list */

/* The four letters of a DRM format, "" for none. */
const char *checkpoint_format(uint32_t format, char text[5])
{
	int i;

	for (i = 0; i < 4; i++)
		text[i] = (char)(format >> (8 * i));
	text[4] = '\0';
	return text;
}

/* What is to be said of a checkpoint in a word or two. */
const char *checkpoint_state(const struct store_info *info)
{
	if (info->error == -EPROTONOSUPPORT)
		return "of another version";
	if (info->error == -ENOENT)
		return "a parent is missing";
	if (info->error == -EBADMSG)
		return "damaged";
	if (info->error)
		return strerror(-info->error);
	if (info->head.rough)
		return "rough";
	return info->head.plain ? "for inspection" : "";
}

static const char *time_text(uint64_t ns, char *buf, size_t size)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    !strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm))
		return "-";
	return buf;
}

static void list_row(struct ctl_table *table, const struct store_info *info)
{
	char buf[TEXT_SIZE];

	table_row(table);
	table_cell(table, ID, "%s", info->head.id);
	table_cell(table, FILE_SIZE, "%s",
		   describe_bytes(info->file_bytes, buf));
	table_cell(table, NOTE, "%s", checkpoint_state(info));
	if (info->error)
		table_color(table, NOTE, "red");
	if (!info->depth)
		return;
	table_cell(table, CREATED, "%s",
		   time_text(info->head.created, buf, sizeof(buf)));
	table_cell(table, PROGRAM, "%s[%" PRIu32 "]%s%s", info->head.program,
		   info->head.pid, *info->head.name ? " " : "", info->head.name);
	table_cell(table, STEP, "%" PRIu64, info->head.step);
	table_cell(table, SIZE, "%s", describe_bytes(info->bytes, buf));
	table_cell(table, NEEDS, "%u", info->depth - 1);
}

static int print_list(struct ctl *ctl, const struct store_info *list, size_t n)
{
	struct ctl_table *table;
	struct json json;
	size_t i;

	if (ctl->json) {
		tojson_begin(ctl, &json);
		json_array(&json, "checkpoints");
		for (i = 0; i < n; i++)
			put_info(&json, &list[i]);
		json_array_end(&json);
		tojson_end(&json);
		return EXIT_OK;
	}
	if (!n) {
		fputs("There is no checkpoint.\n", ctl->out);
		return EXIT_OK;
	}
	table = table_new(ctl, list_columns,
			  sizeof(list_columns) / sizeof(list_columns[0]));
	for (i = 0; table && i < n; i++)
		list_row(table, &list[i]);
	return table_print(ctl, table);
}

static int do_list(struct ctl *ctl, struct store *store, int argc, char **argv)
{
	struct store_info *list;
	char error[STORE_ERROR];
	size_t n;
	int err, code;

	(void)argc;
	(void)argv;
	err = store_list(store, &list, &n, error);
	if (err)
		return checkpoint_fail(ctl, err, error);
	code = print_list(ctl, list, n);
	free(list);
	return code;
}

/* ------------------------------------------------------------- show */

static void print_head(struct ctl *ctl, const struct store_head *head)
{
	char buf[TEXT_SIZE];

	fprintf(ctl->out, "Checkpoint: %s\n", head->id);
	if (*head->parent)
		fprintf(ctl->out, "  adds to:  %s\n", head->parent);
	fprintf(ctl->out, "  created:  %s\n",
		time_text(head->created, buf, sizeof(buf)));
	fprintf(ctl->out, "  program:  %s[%" PRIu32 "] of user %" PRIu32 "\n",
		text_printable(head->program, buf, sizeof(buf)), head->pid,
		head->uid);
	if (*head->name)
		fprintf(ctl->out, "  work:     %s\n",
			text_printable(head->name, buf, sizeof(buf)));
	fprintf(ctl->out, "  step:     %" PRIu64 "\n", head->step);
	if (*head->address)
		fprintf(ctl->out, "  device:   %s",
			text_printable(head->address, buf, sizeof(buf)));
	if (*head->address && *head->driver)
		fprintf(ctl->out, " (%s)",
			text_printable(head->driver, buf, sizeof(buf)));
	if (*head->address)
		fputc('\n', ctl->out);
	if (head->rough)
		fputs("  rough:    made while the work went on, only good to add to\n",
		      ctl->out);
	if (head->plain)
		fputs("  plain:    of a program that does not take part: for inspection\n",
		      ctl->out);
}

static void buffer_row(struct ctl_table *table,
		       const struct store_buffer *buffer)
{
	char buf[TEXT_SIZE], format[5];

	table_row(table);
	table_cell(table, BUFFER, "%" PRIu32, buffer->id);
	table_cell(table, NAME, "%s", buffer->name);
	table_cell(table, BYTES, "%s", describe_bytes(buffer->size, buf));
	if (!buffer->format)
		return;
	table_cell(table, PICTURE, "%s %" PRIu32 "x%" PRIu32,
		   checkpoint_format(buffer->format, format), buffer->width,
		   buffer->height);
	if (buffer->modifier)
		table_cell(table, MODIFIER, "0x%016" PRIx64, buffer->modifier);
	else
		table_cell(table, MODIFIER, "linear");
}

static int print_checkpoint(struct ctl *ctl, const struct store_reader *reader)
{
	const struct store_buffer *buffer;
	struct ctl_table *table;
	struct json json;
	size_t n, i;

	buffer = store_buffers(reader, &n);
	if (ctl->json) {
		tojson_begin(ctl, &json);
		json_object(&json, "checkpoint");
		put_head(&json, store_head(reader));
		json_array(&json, "buffers");
		for (i = 0; i < n; i++)
			put_buffer(&json, &buffer[i]);
		json_array_end(&json);
		json_object_end(&json);
		tojson_end(&json);
		return EXIT_OK;
	}
	print_head(ctl, store_head(reader));
	if (!n)
		return EXIT_OK;
	table = table_new(ctl, buffer_columns,
			  sizeof(buffer_columns) / sizeof(buffer_columns[0]));
	for (i = 0; table && i < n; i++)
		buffer_row(table, &buffer[i]);
	return table_print(ctl, table);
}

static int do_show(struct ctl *ctl, struct store *store, int argc, char **argv)
{
	struct store_reader *reader;
	int code = checkpoint_load(ctl, store, argv[0], &reader);

	(void)argc;
	if (code)
		return code;
	if (ctl->png)
		code = png_write_buffer(ctl, reader, ctl->png, ctl->buffer);
	else
		code = print_checkpoint(ctl, reader);
	store_unload(reader);
	return code;
}

/* ------------------------------------------------------------- which verb */

/**
 * struct sub - a verb of "egpuctl checkpoint"
 * @name: as typed
 * @fn: does it
 * @args: its arguments
 * @min: least number of them
 * @max: largest number
 * @create: it may be the first to use the store
 */
struct sub {
	const char *name;
	int (*fn)(struct ctl *ctl, struct store *store, int argc, char **argv);
	const char *args;
	int min;
	int max;
	bool create;
};

static const struct sub subs[] = {
	{ "list", do_list, "", 0, 0, false },
	{ "show", do_show, "ID", 1, 1, false },
	{ "verify", checkpoint_verify, "[ID]", 0, 1, false },
	{ "export", checkpoint_export, "ID [FILE]", 1, 2, false },
	{ "import", checkpoint_import, "[FILE]", 0, 1, true },
	{ "remove", checkpoint_remove, "ID", 1, 1, false },
};

#define N_SUBS (sizeof(subs) / sizeof(subs[0]))

static const struct sub *find_sub(const char *name)
{
	size_t i;

	for (i = 0; i < N_SUBS; i++) {
		if (!strcmp(subs[i].name, name))
			return &subs[i];
	}
	return NULL;
}

/* A store that was never used has no checkpoints, and that is no failure. */
static int open_store(struct ctl *ctl, const struct sub *sub,
		      struct store **store)
{
	struct store_options options = { .no_create = !sub->create };
	const char *dir = ctl->store;
	char error[STORE_ERROR], wrong[512];
	int err;

	if (!dir) {
		const struct policy_config *policy = &ctl->policy;

		/* The default one may be empty, and that would be a lie. */
		err = policy_load(ctl->policy_path, &ctl->policy, wrong,
				  sizeof(wrong));
		if (err)
			return ctl_fail(ctl, EXIT_OTHER, err,
					"%s; name the store with --store",
					wrong);
		dir = policy->store;
		options.max_bytes = policy->store_max;
		options.keep_free = policy->store_free;
	}
	err = store_open(store, dir, &options, error);
	if (err == -ENOENT && !ctl->store && sub->fn == do_list)
		return EXIT_OK;
	return err ? checkpoint_fail(ctl, err, error) : EXIT_OK;
}

int verb_checkpoint(struct ctl *ctl, int argc, char **argv)
{
	const struct sub *sub = find_sub(argc ? argv[0] : "list");
	int n = argc ? argc - 1 : 0, code;
	struct store *store = NULL;

	if (!sub)
		return ctl_usage(ctl,
				 "'%s' is not one of list, show, verify, export, import, remove",
				 argv[0]);
	if (n < sub->min)
		return ctl_usage(ctl, "'checkpoint %s' needs an argument: %s",
				 sub->name, sub->args);
	if (n > sub->max)
		return ctl_usage(ctl,
				 "'checkpoint %s' takes no further argument '%s'",
				 sub->name, argv[sub->max + 1]);
	if ((ctl->png || ctl->buffer) && sub->fn != do_show)
		return ctl_usage(ctl,
				 "'checkpoint %s' shows no picture: --png and --buffer are for show",
				 sub->name);
	if (ctl->buffer && !ctl->png)
		return ctl_usage(ctl, "--buffer needs --png");
	code = open_store(ctl, sub, &store);
	if (code)
		return code;
	if (!store)
		return print_list(ctl, NULL, 0);
	code = sub->fn(ctl, store, n, argv + 1);
	store_close(store);
	return code;
}
