// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Structured logs: fields in the journal when standard error goes there, else
 * lines of key=value.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "../common/text.h"
#include "egpud.h"

#define MESSAGE_SIZE 512
#define FIELDS_MAX   12
#define FIELD_SIZE   192

static const char *const level_names[] = {
	[LOG_ERR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

#define N_LEVELS ((int)(sizeof(level_names) / sizeof(level_names[0])))

/* The one thing that a program has one of: its log. */
static int log_max = LOG_INFO;
static bool to_journal;

/* systemd says which socket is the journal's; a redirection makes it another. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2 ||
	    fstat(STDERR_FILENO, &st))
		return false;
	return st.st_dev == device && st.st_ino == inode;
}

/* @level: LOG_ERR to LOG_DEBUG, the least important that is written */
void log_setup(int level)
{
	log_max = level;
	to_journal = stderr_is_journal();
}

/* The level of a name, or -1. */
int log_level_of(const char *name)
{
	int i;

	for (i = 0; i < N_LEVELS; i++) {
		if (level_names[i] && !strcmp(level_names[i], name))
			return i;
	}
	return -1;
}

static void write_journal(int level, const struct log_field *fields,
			  const char *message)
{
	char text[FIELDS_MAX][FIELD_SIZE], line[MESSAGE_SIZE + 16];
	char priority[16];
	struct iovec iov[FIELDS_MAX + 2];
	int n = 0, i;
	char *c;

	snprintf(line, sizeof(line), "MESSAGE=%s", message);
	snprintf(priority, sizeof(priority), "PRIORITY=%d", level);
	iov[n++] = (struct iovec){ line, strlen(line) };
	iov[n++] = (struct iovec){ priority, strlen(priority) };
	for (i = 0; fields && fields[i].value && i < FIELDS_MAX; i++) {
		snprintf(text[i], FIELD_SIZE, "EGPU_%s=%s", fields[i].key,
			 fields[i].value);
		for (c = text[i]; *c != '='; c++) {
			if (*c >= 'a' && *c <= 'z')
				*c -= 'a' - 'A';
			else if (*c == '-')
				*c = '_';
		}
		iov[n++] = (struct iovec){ text[i], strlen(text[i]) };
	}
	sd_journal_sendv(iov, n);
}

/* A value in quotes when it has to be, so that a line can be taken apart. */
static void write_value(const char *key, const char *value)
{
	char printable[MESSAGE_SIZE];
	const char *c;

	text_printable(value, printable, sizeof(printable));
	fprintf(stderr, " %s=", key);
	if (*printable && !strpbrk(printable, " \"=\\")) {
		fputs(printable, stderr);
		return;
	}
	putc('"', stderr);
	for (c = printable; *c; c++) {
		if (*c == '"' || *c == '\\')
			putc('\\', stderr);
		putc(*c, stderr);
	}
	putc('"', stderr);
}

static void write_stderr(int level, const struct log_field *fields,
			 const char *message)
{
	int i;

	fprintf(stderr, "level=%s", level_names[level]);
	write_value("message", message);
	for (i = 0; fields && fields[i].value && i < FIELDS_MAX; i++)
		write_value(fields[i].key, fields[i].value);
	putc('\n', stderr);
}

/**
 * log_fields() - write a line of the log
 * @level: LOG_ERR to LOG_DEBUG
 * @fields: its fields, ended by one whose value is NULL, or NULL for none
 * @format: the message
 */
void log_fields(int level, const struct log_field *fields, const char *format,
		...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	if (level > log_max)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (to_journal)
		write_journal(level, fields, message);
	else
		write_stderr(level, fields, message);
}
