// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpuctl checkpoint verify, export, import and remove
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"

/* ------------------------------------------------------------- verify */

/* Looks at every byte; @why is empty when all is well. */
static int verify_one(struct store *store, const char *id, char *why)
{
	struct store_reader *reader;
	int err = store_load(store, id, &reader, why);

	if (err)
		return err;
	*why = '\0';
	err = store_verify(reader);
	if (err)
		snprintf(why, STORE_ERROR, "%s", store_reader_error(reader));
	store_unload(reader);
	return err;
}

static bool tell_one(struct ctl *ctl, struct json *json, struct store *store,
		     const char *id)
{
	char why[STORE_ERROR], printable[STORE_ERROR];
	bool whole = !verify_one(store, id, why);

	if (ctl->json) {
		json_object(json, NULL);
		json_string(json, "id", id);
		json_bool(json, "whole", whole);
		json_string_or_null(json, "error", why);
		json_object_end(json);
	} else if (whole) {
		fprintf(ctl->out, "%s is whole\n", id);
	} else {
		fprintf(ctl->out, "%s is not: %s\n", id,
			text_printable(why, printable, sizeof(printable)));
	}
	return whole;
}

/* One, or all of them. */
int checkpoint_verify(struct ctl *ctl, struct store *store, int argc,
		      char **argv)
{
	char id[STORE_ID_SIZE], error[STORE_ERROR];
	struct store_info *list = NULL;
	bool whole = true;
	struct json json;
	size_t n = 0, i;
	int code = EXIT_OK, err = 0;

	if (argc)
		code = checkpoint_find(ctl, store, argv[0], id);
	else
		err = store_list(store, &list, &n, error);
	if (err)
		return checkpoint_fail(ctl, err, error);
	if (code)
		return code;
	if (ctl->json) {
		tojson_begin(ctl, &json);
		json_array(&json, "checkpoints");
	}
	if (argc)
		whole = tell_one(ctl, &json, store, id);
	for (i = 0; i < n; i++)
		whole &= tell_one(ctl, &json, store, list[i].head.id);
	if (ctl->json) {
		json_array_end(&json);
		tojson_end(&json);
	}
	free(list);
	return whole ? EXIT_OK : EXIT_OTHER;
}

/* ------------------------------------------------------------- streams */

static int no_file(struct ctl *ctl, const char *path)
{
	char why[PATH_MAX + 64];
	int err = -errno;

	snprintf(why, sizeof(why), "%s cannot be opened: %s", path,
		 strerror(-err));
	return checkpoint_fail(ctl, err, why);
}

static int export_to(struct ctl *ctl, struct store_reader *reader,
		     const char *path)
{
	int fd, err;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return no_file(ctl, path);
	err = store_export(reader, fd);
	if (!err && fsync(fd) && errno != EINVAL)
		err = -errno;
	close(fd);
	if (!err)
		return EXIT_OK;
	unlink(path);
	return checkpoint_fail(ctl, err,
			       *store_reader_error(reader) ?
				       store_reader_error(reader) :
				       strerror(-err));
}

/* To a file that is not there yet, or to standard output. */
int checkpoint_export(struct ctl *ctl, struct store *store, int argc,
		      char **argv)
{
	struct store_reader *reader;
	int code, err;

	if (argc < 2 && (ctl->terminal || fileno(ctl->out) < 0))
		return ctl_usage(ctl,
				 "a checkpoint is nothing for a terminal: name a file, or send it into a pipe");
	code = checkpoint_load(ctl, store, argv[0], &reader);
	if (code)
		return code;
	if (argc > 1) {
		code = export_to(ctl, reader, argv[1]);
	} else {
		fflush(ctl->out);
		err = store_export(reader, fileno(ctl->out));
		if (err)
			code = checkpoint_fail(ctl, err,
					       store_reader_error(reader));
	}
	store_unload(reader);
	return code;
}

int checkpoint_import(struct ctl *ctl, struct store *store, int argc,
		      char **argv)
{
	char id[STORE_ID_SIZE], error[STORE_ERROR];
	int fd = STDIN_FILENO, err;
	struct json json;

	if (argc)
		fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return no_file(ctl, argv[0]);
	err = store_import(store, fd, id, error);
	if (argc)
		close(fd);
	if (err)
		return checkpoint_fail(ctl, err, error);
	if (!ctl->json) {
		fprintf(ctl->out, "%s\n", id);
		return EXIT_OK;
	}
	tojson_begin(ctl, &json);
	json_string(&json, "imported", id);
	tojson_end(&json);
	return EXIT_OK;
}

int checkpoint_remove(struct ctl *ctl, struct store *store, int argc,
		      char **argv)
{
	char id[STORE_ID_SIZE], error[STORE_ERROR];
	int code = checkpoint_find(ctl, store, argv[0], id);
	struct json json;
	int err;

	(void)argc;
	if (code)
		return code;
	err = store_remove(store, id, error);
	if (err)
		return checkpoint_fail(ctl, err, error);
	if (!ctl->json) {
		fprintf(ctl->out, "%s is removed\n", id);
		return EXIT_OK;
	}
	tojson_begin(ctl, &json);
	json_string(&json, "removed", id);
	tojson_end(&json);
	return EXIT_OK;
}
