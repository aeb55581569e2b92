// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text from people and to people, and JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/json.h"
#include "../common/text.h"
#include "test.h"

static void numbers(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_true(text_to_uint("0", 10, &value) && value == 0);
	assert_true(text_to_uint("10", 10, &value) && value == 10);
	assert_true(text_to_uint("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_false(text_to_uint("18446744073709551616", UINT64_MAX, &value));
	assert_false(text_to_uint("99999999999999999999", UINT64_MAX, &value));
	assert_false(text_to_uint("11", 10, &value));
	assert_false(text_to_uint("5", 4, &value));
	assert_false(text_to_uint("", 10, &value));
	assert_false(text_to_uint("-1", 10, &value));
	assert_false(text_to_uint(" 1", 10, &value));
	assert_false(text_to_uint("1x", 10, &value));
	assert_false(text_to_uint("0x1", 10, &value));
}

static void seconds(void **state)
{
	uint64_t ms = 0;

	(void)state;
	assert_true(text_to_milliseconds("30", 600000, &ms) && ms == 30000);
	assert_true(text_to_milliseconds("0.5", 600000, &ms) && ms == 500);
	assert_true(text_to_milliseconds("1.25", 600000, &ms) && ms == 1250);
	assert_true(text_to_milliseconds("0.001", 600000, &ms) && ms == 1);
	assert_true(text_to_milliseconds("600", 600000, &ms) && ms == 600000);
	assert_false(text_to_milliseconds("600.001", 600000, &ms));
	assert_false(text_to_milliseconds("601", 600000, &ms));
	assert_false(text_to_milliseconds("1.", 600000, &ms));
	assert_false(text_to_milliseconds(".5", 600000, &ms));
	assert_false(text_to_milliseconds("1.2345", 600000, &ms));
	assert_false(text_to_milliseconds("1e3", 600000, &ms));
	assert_false(text_to_milliseconds("99999999999999999999", 600000, &ms));
	assert_false(text_to_milliseconds("", 600000, &ms));
}

static void pci_addresses(void **state)
{
	static const char *const wrong[] = {
		"",
		"1",
		"01:00",
		"01:00.8",
		"1:00.0",
		"000:01:00.0",
		"0000:01:00.0.0",
		"0000-01:00.0",
		"0000:01:0g.0",
		"01:00.0 ",
		"000000000:01:00.0",
		"xyzw:01:00.0",
	};
	char buf[32];
	size_t i;

	(void)state;
	assert_true(text_pci_address("01:00.0", buf, sizeof(buf)));
	assert_string_equal(buf, "0000:01:00.0");
	assert_true(text_pci_address("0000:AF:1F.7", buf, sizeof(buf)));
	assert_string_equal(buf, "0000:af:1f.7");
	assert_true(text_pci_address("10000:01:00.0", buf, sizeof(buf)));
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(text_pci_address(wrong[i], buf, sizeof(buf)));
	assert_false(text_pci_address("01:00.0", buf, 12));
}

static void assert_printable(const char *text, const char *expected)
{
	char buf[16];

	assert_string_equal(text_printable(text, buf, sizeof(buf)), expected);
}

static void hostile_names(void **state)
{
	(void)state;
	assert_printable("Xorg", "Xorg");
	assert_printable("\033[31mred", "?[31mred");
	assert_printable("a\nb\tc\x7f", "a?b?c?");
	assert_printable("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	/* Not UTF-8: lone, overlong, surrogate, too large, cut. */
	assert_printable("\xff\xc0\xaf", "???");
	assert_printable("\xe0\x80\xaf", "???");
	assert_printable("\xed\xa0\x80", "???");
	assert_printable("\xf4\x90\x80\x80", "????");
	assert_printable("\xe2\x82", "??");
	/* CSI as a C1 control. */
	assert_printable("\xc2\x9bm", "?m");
	/* A cut does not go through a character. */
	assert_printable("0123456789abcd\xc3\xbc", "0123456789abcd");
}

static char *text;
static size_t length;

static FILE *begin(struct json *json)
{
	FILE *f = open_memstream(&text, &length);

	assert_non_null(f);
	json_begin(json, f);
	return f;
}

static void end(FILE *f, const char *expected)
{
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
}

static void json_values(void **state)
{
	struct json json;
	FILE *f = begin(&json);

	(void)state;
	json_object(&json, NULL);
	json_uint(&json, "big", UINT64_MAX);
	json_int(&json, "small", -5);
	json_bool(&json, "yes", true);
	json_null(&json, "none");
	json_string_or_null(&json, "empty", "");
	json_hex(&json, "hex", 4, 0x12);
	json_milli(&json, "ms", 1234567);
	json_array(&json, "list");
	json_uint(&json, NULL, 1);
	json_object(&json, NULL);
	json_object_end(&json);
	json_array(&json, NULL);
	json_array_end(&json);
	json_array_end(&json);
	json_bool(&json, "last", false);
	json_object_end(&json);
	json_newline(&json);
	end(f, "{\"big\":18446744073709551615,\"small\":-5,\"yes\":true,"
	       "\"none\":null,\"empty\":null,\"hex\":\"0x0012\","
	       "\"ms\":1.234567,\"list\":[1,{},[]],\"last\":false}\n");
}

static void json_escapes(void **state)
{
	struct json json;
	FILE *f = begin(&json);

	(void)state;
	json_string(&json, NULL, "a\"b\\c\n\033\x7f\xc3\xbc\xff\xc0\x80");
	end(f,
	    "\"a\\\"b\\\\c\\u000a\\u001b\\u007f\xc3\xbc\\ufffd\\ufffd\\ufffd\"");
}

static void json_lines(void **state)
{
	struct json json;
	FILE *f = begin(&json);

	(void)state;
	json_object(&json, NULL);
	json_object_end(&json);
	json_newline(&json);
	json_object(&json, NULL);
	json_object_end(&json);
	json_newline(&json);
	end(f, "{}\n{}\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(numbers),	 cmocka_unit_test(seconds),
	cmocka_unit_test(pci_addresses), cmocka_unit_test(hostile_names),
	cmocka_unit_test(json_values),	 cmocka_unit_test(json_escapes),
	cmocka_unit_test(json_lines),
};

TEST_MAIN(tests, NULL, NULL)
