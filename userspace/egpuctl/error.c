// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Errors: a sentence for people, a code for programs.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

#define MESSAGE_SIZE 640

/* What an errno of the library means for the exit code. */
enum ctl_exit ctl_exit_of_errno(int err)
{
	switch (err) {
	case -ENODEV:
	case -ENOENT:
		return EXIT_NOT_FOUND;
	case -EBUSY:
	case -EALREADY:
		return EXIT_BUSY;
	case -EOPNOTSUPP:
		return EXIT_NOT_EXTERNAL;
	case -EPERM:
	case -EACCES:
		return EXIT_PERMISSION;
	case -EPROTONOSUPPORT:
		return EXIT_NO_MODULE;
	case -ETIMEDOUT:
	case -ETIME:
		return EXIT_TIMEOUT;
	default:
		return EXIT_OTHER;
	}
}

/* The "code" of a JSON error. */
const char *ctl_code_name(enum ctl_exit code)
{
	static const char *const names[] = {
		[EXIT_OK] = "ok",
		[EXIT_OTHER] = "failed",
		[EXIT_USAGE] = "usage",
		[EXIT_NOT_FOUND] = "not-found",
		[EXIT_BUSY] = "busy",
		[EXIT_NOT_EXTERNAL] = "not-external",
		[EXIT_PERMISSION] = "permission",
		[EXIT_NO_MODULE] = "no-module",
		[EXIT_TIMEOUT] = "timed-out",
		[EXIT_CANCELLED] = "cancelled",
		[EXIT_SURPRISE] = "surprise",
	};

	return names[code];
}

/* Opens the member "error", which the caller closes after adding to it. */
void ctl_json_error(struct ctl *ctl, struct json *json, enum ctl_exit code,
		    int err, const char *message)
{
	const char *attr = ctl->ctx ? egpu_error_attribute(ctl->ctx) : NULL;

	json_object(json, "error");
	json_string(json, "code", ctl_code_name(code));
	json_int(json, "errno", -err);
	json_string(json, "message", message);
	if (err && attr)
		json_string(json, "attribute", attr);
}

static void report(struct ctl *ctl, enum ctl_exit code, int err,
		   const char *message)
{
	char printable[MESSAGE_SIZE];
	struct json json;

	if (!ctl->json) {
		fprintf(ctl->err, "egpuctl: %s\n",
			text_printable(message, printable, sizeof(printable)));
		return;
	}
	tojson_begin(ctl, &json);
	ctl_json_error(ctl, &json, code, err, message);
	json_object_end(&json);
	tojson_end(&json);
}

/* Reports a wrong command line; returns the exit code. */
int ctl_usage(struct ctl *ctl, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report(ctl, EXIT_USAGE, -EINVAL, message);
	if (!ctl->json)
		fputs("Try 'egpuctl --help'.\n", ctl->err);
	return EXIT_USAGE;
}

/* Reports a failure with a sentence of ours; @err is 0 or a negative errno. */
int ctl_fail(struct ctl *ctl, enum ctl_exit code, int err, const char *format,
	     ...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report(ctl, code, err, message);
	return code;
}

/* Reports the library's last error. */
int ctl_fail_lib(struct ctl *ctl, int err)
{
	enum ctl_exit code = ctl_exit_of_errno(err);

	report(ctl, code, err, egpu_error(ctl->ctx));
	return code;
}

/* Makes the context; returns EXIT_OK or reports. */
int ctl_open(struct ctl *ctl)
{
	int err = ctl->open(&ctl->ctx);

	if (!err)
		return EXIT_OK;
	return ctl_fail(ctl, ctl_exit_of_errno(err), err,
			"cannot open a netlink socket: %s", strerror(-err));
}
