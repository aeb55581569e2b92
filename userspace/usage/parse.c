// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The policy file: lines "key = value", sections "[program NAME]", comments.
 *
 * Our own parser, for the file is small and the errors matter: each names file,
 * line, what was expected and what was found, a key that is unknown or there
 * twice is one, and so is a value out of range. The parsers at hand (GKeyFile,
 * inih, libconfuse) let the last of two keys win or keep no line numbers once
 * they have read the file, and would be the only thing needed from them.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "../common/text.h"
#include "private.h"

#define LINE_SIZE     512
#define FILE_SIZE_MAX (256 << 10)
/* A name is cut to this by the kernel, so more of it makes no difference. */
#define COMM_LEN 15

#define INTO(member) offsetof(struct policy_config, member)
#define RULE(member) offsetof(struct policy_rule, member)

static const struct value_key keys[] = {
	{ "others", VALUE_ACTION, INTO(others), 0, 0, NULL },
	{ "ask", VALUE_TIME, INTO(ask_ms), 0, 600000, "at most 600s" },
	{ "freeze", VALUE_TIME, INTO(freeze_ms), 10, 60000, "10ms to 60s" },
	{ "drain", VALUE_TIME, INTO(drain_ms), 10, 60000, "10ms to 60s" },
	{ "interval", VALUE_TIME, INTO(interval_ms), 0, 600000, "at most 600s" },
	{ "share", VALUE_SHARE, INTO(share), 1, 100, "1% to 100%" },
	{ "migrations", VALUE_COUNT, INTO(migrations), 1, 64, "1 to 64" },
	{ "limit", VALUE_TIME, INTO(limit_ms), 1000, 600000, "1s to 600s" },
	{ "cpu-fallback", VALUE_FLAG, INTO(cpu_fallback), 0, 0, NULL },
	{ "strategy", VALUE_STRATEGY, INTO(strategy), 0, 0, NULL },
	{ "heat", VALUE_DEGREES, INTO(heat), 30, 150, "30 to 150" },
	{ "memory-low", VALUE_SHARE, INTO(memory_low), 0, 99, "0% to 99%" },
	{ "imbalance", VALUE_COUNT, INTO(imbalance), 1, 256, "1 to 256" },
	{ "store", VALUE_PATH, INTO(store), 0, 0, NULL },
	{ "store-max", VALUE_SIZE, INTO(store_max), 1 << 20, 1ull << 46,
	  "1M to 65536G" },
	{ "store-free", VALUE_SIZE, INTO(store_free), 0, 1ull << 46,
	  "at most 65536G" },
	{ "keep", VALUE_FLAG, INTO(keep), 0, 0, NULL },
	{ "save-plain", VALUE_FLAG, INTO(save_plain), 0, 0, NULL },
	{ "sample", VALUE_TIME, INTO(sample_ms), 100, 600000, "100ms to 600s" },
	{ "sensors", VALUE_PATH, INTO(sensors), 0, 0, NULL },
};

enum rule_key { RULE_ACTION, RULE_FREEZE, N_RULE_KEYS };

static const struct value_key rule_keys[N_RULE_KEYS] = {
	[RULE_ACTION] = { "action", VALUE_ACTION, RULE(action), 0, 0, NULL },
	[RULE_FREEZE] = { "freeze", VALUE_FLAG, RULE(may_freeze), 0, 0, NULL },
};

/**
 * struct parser - a file being read
 * @file: the file
 * @path: its name, for errors
 * @config: what was read
 * @rule: the section that lines belong to, or NULL before the first
 * @line: number of the line
 * @bytes: how much was read
 * @section: line where @rule began
 * @seen: line of each key at the top, 0 if it was not there
 * @rule_seen: line of each key in the section
 * @error: where to put what is wrong
 * @size: size of @error
 */
struct parser {
	FILE *file;
	const char *path;
	struct policy_config config;
	struct policy_rule *rule;
	unsigned int line;
	size_t bytes;
	unsigned int section;
	unsigned int seen[ARRAY_SIZE(keys)];
	unsigned int rule_seen[N_RULE_KEYS];
	char *error;
	size_t size;
};

/* "FILE:LINE: ", then what was expected and found. */
__attribute__((format(printf, 3, 4))) static int
wrong_at(struct parser *parser, unsigned int line, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(parser->error, parser->size, "%s:%u: %s", parser->path, line,
		 text);
	return -EINVAL;
}

#define wrong(parser, ...) wrong_at(parser, (parser)->line, __VA_ARGS__)

/* In quotes, safe for a terminal and not too long. */
static const char *quoted(const char *text, char buf[64])
{
	char printable[56];

	if (!*text)
		return "nothing";
	text_printable(text, printable, sizeof(printable));
	snprintf(buf, 64, "'%s'%s", printable,
		 strlen(text) >= sizeof(printable) ? "..." : "");
	return buf;
}

/* Reads a line without its newline: 1, 0 at the end, or an error. */
static int read_line(struct parser *parser, char *buf)
{
	size_t len = 0;
	int c;

	parser->line++;
	while ((c = getc(parser->file)) != EOF && c != '\n') {
		if (!c)
			return wrong(parser, "expected text, found a NUL byte");
		if (len == LINE_SIZE - 1)
			return wrong(parser,
				     "expected a line of at most %d characters, found a longer one",
				     LINE_SIZE - 1);
		if (++parser->bytes > FILE_SIZE_MAX)
			return wrong(parser,
				     "expected a file of at most %d bytes, found a larger one",
				     FILE_SIZE_MAX);
		buf[len++] = c;
	}
	buf[len] = '\0';
	if (ferror(parser->file)) {
		snprintf(parser->error, parser->size, "%s cannot be read: %s",
			 parser->path, strerror(errno));
		return -EIO;
	}
	return c != EOF || len;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* A comment begins with '#' at the begin of a line or after a blank. */
static void cut_comment(char *text)
{
	char *at = text;

	while ((at = strchr(at, '#'))) {
		if (at == text || at[-1] == ' ' || at[-1] == '\t') {
			*at = '\0';
			return;
		}
		at++;
	}
}

/* Notes that a key is there; it must not have been before. */
static int once(struct parser *parser, unsigned int *seen, const char *key)
{
	if (*seen)
		return wrong(parser,
			     "expected '%s' once, found it again after line %u",
			     key, *seen);
	*seen = parser->line;
	return 0;
}

/* The value of a key, which goes to its place in @base. */
static int parse_value(struct parser *parser, const struct value_key *key,
		       const char *value, void *base)
{
	char buf[64];

	if (value_read(key, value, (char *)base + key->offset))
		return 0;
	if (!key->range)
		return wrong(parser, "expected %s, found %s",
			     value_expected(key->kind), quoted(value, buf));
	return wrong(parser, "expected %s for '%s', %s, found %s",
		     value_expected(key->kind), key->name, key->range,
		     quoted(value, buf));
}

/* "a, b or c" */
static const char *list_keys(const struct value_key *list, size_t n, char *buf,
			     size_t size)
{
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < n && at < size; i++)
		at += snprintf(buf + at, size - at, "%s%s",
			       !i	  ? "" :
			       i == n - 1 ? " or " :
					    ", ",
			       list[i].name);
	return buf;
}

static int find_key(const struct value_key *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(list[i].name, name))
			return i;
	}
	return -1;
}

static int parse_key(struct parser *parser, const char *key, const char *value)
{
	char buf[64], names[256];
	int i, err;

	i = find_key(keys, ARRAY_SIZE(keys), key);
	if (i < 0)
		return wrong(parser, "expected the key %s, found %s",
			     list_keys(keys, ARRAY_SIZE(keys), names,
				       sizeof(names)),
			     quoted(key, buf));
	err = once(parser, &parser->seen[i], key);
	return err ? err : parse_value(parser, &keys[i], value, &parser->config);
}

static int parse_rule_key(struct parser *parser, const char *key,
			  const char *value)
{
	char buf[64], names[64];
	int i, err;

	i = find_key(rule_keys, N_RULE_KEYS, key);
	if (i < 0)
		return wrong(parser,
			     "expected the key %s in the section of a program, found %s",
			     list_keys(rule_keys, N_RULE_KEYS, names,
				       sizeof(names)),
			     quoted(key, buf));
	err = once(parser, &parser->rule_seen[i], key);
	return err ? err :
		     parse_value(parser, &rule_keys[i], value, parser->rule);
}

static int parse_assignment(struct parser *parser, char *line)
{
	char *equals = strchr(line, '='), *key, *value;
	char buf[64];

	if (!equals || equals == line)
		return wrong(parser,
			     "expected 'key = value' or '[program NAME]', found %s",
			     quoted(line, buf));
	*equals = '\0';
	key = trim(line);
	value = trim(equals + 1);
	return parser->rule ? parse_rule_key(parser, key, value) :
			      parse_key(parser, key, value);
}

static int end_section(struct parser *parser)
{
	char buf[64];

	if (!parser->rule || parser->rule_seen[RULE_ACTION])
		return 0;
	return wrong_at(parser, parser->section,
			"expected a line 'action = ...' in the section of %s, found none",
			quoted(parser->rule->program, buf));
}

static int begin_section(struct parser *parser, const char *name)
{
	struct policy_config *config = &parser->config;
	char buf[64];
	size_t i;

	if (!*name || strlen(name) >= PROCESS_COMM_SIZE)
		return wrong(parser,
			     "expected the name of a program, 1 to %d characters, found %s",
			     PROCESS_COMM_SIZE - 1, quoted(name, buf));
	for (i = 0; i < config->n_rules; i++) {
		if (!strncmp(config->rules[i].program, name, COMM_LEN))
			return wrong(parser,
				     "expected one section for each program (the first %d characters count), found another for %s",
				     COMM_LEN, quoted(name, buf));
	}
	if (config->n_rules == POLICY_RULES_MAX)
		return wrong(parser, "expected at most %d programs, found %s",
			     POLICY_RULES_MAX, quoted(name, buf));
	parser->rule = &config->rules[config->n_rules++];
	strcpy(parser->rule->program, name);
	parser->section = parser->line;
	memset(parser->rule_seen, 0, sizeof(parser->rule_seen));
	return 0;
}

static int parse_section(struct parser *parser, char *line)
{
	size_t len = strlen(line);
	char buf[64];
	int err;

	err = end_section(parser);
	if (err)
		return err;
	if (len < 10 || line[len - 1] != ']' ||
	    strncmp(line, "[program", 8) != 0 ||
	    (line[8] != ' ' && line[8] != '\t'))
		return wrong(parser, "expected '[program NAME]', found %s",
			     quoted(line, buf));
	line[len - 1] = '\0';
	return begin_section(parser, trim(line + 8));
}

/**
 * policy_parse() - read a policy
 * @file: the text
 * @path: what it is called in errors
 * @config: where to put it; left as it is when there is an error
 * @error: where to put what is wrong: file, line, what was expected and found
 * @size: size of @error
 *
 * Return: 0, -EINVAL when something is wrong with it, or -EIO.
 */
int policy_parse(FILE *file, const char *path, struct policy_config *config,
		 char *error, size_t size)
{
	struct parser parser = { .file = file,
				 .path = path,
				 .error = error,
				 .size = size };
	char buf[LINE_SIZE], *line;
	int err;

	policy_defaults(&parser.config);
	while ((err = read_line(&parser, buf)) > 0) {
		cut_comment(buf);
		line = trim(buf);
		if (*line == '[')
			err = parse_section(&parser, line);
		else if (*line)
			err = parse_assignment(&parser, line);
		if (err < 0)
			return err;
	}
	if (!err)
		err = end_section(&parser);
	if (!err)
		*config = parser.config;
	return err;
}
