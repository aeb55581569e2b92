// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text that people wrote, and text that goes to people.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/**
 * text_utf8_length() - how many bytes the first character has
 * @text: text, not empty
 *
 * Return: 1 to 4, or 0 when it does not begin with a valid UTF-8 sequence
 * (overlong forms, surrogates and what is above U+10FFFF are not valid).
 */
size_t text_utf8_length(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	uint32_t code;
	size_t len, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xe0)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf5)
		len = 4;
	else
		return 0;
	code = s[0] & (0xff >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

/* C1 controls are as good as an escape sequence to some terminals. */
static bool is_c1_control(const char *text)
{
	return (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* How many bytes the first character has if a terminal may be given it, else 0. */
static size_t printable_length(const char *text)
{
	if ((unsigned char)*text < 0x20 || *text == 0x7f || is_c1_control(text))
		return 0;
	return text_utf8_length(text);
}

/**
 * text_is_printable() - is a text safe to print on a terminal
 * @text: text of any origin
 *
 * Return: whether it is UTF-8 without control characters; an empty one is.
 */
bool text_is_printable(const char *text)
{
	size_t len;

	for (; *text; text += len) {
		len = printable_length(text);
		if (!len)
			return false;
	}
	return true;
}

/**
 * text_printable() - make a text safe to print on a terminal
 * @text: text of any origin, a process can call itself what it likes
 * @buf: where to put it
 * @size: size of @buf, at least 1; a longer text is cut
 *
 * Return: @buf, with each control character and each byte that is not UTF-8
 * turned into '?'.
 */
char *text_printable(const char *text, char *buf, size_t size)
{
	size_t len, at = 0;

	for (; *text; text += len) {
		len = text_utf8_length(text);
		if (!len || (unsigned char)*text < 0x20 || *text == 0x7f ||
		    is_c1_control(text)) {
			len = len ? len : 1;
			if (at + 1 >= size)
				break;
			buf[at++] = '?';
			continue;
		}
		if (at + len >= size)
			break;
		memcpy(&buf[at], text, len);
		at += len;
	}
	buf[at] = '\0';
	return buf;
}

/**
 * text_to_uint() - read a decimal number
 * @text: digits and nothing else
 * @max: largest number that is accepted
 * @value: where to put it
 *
 * Return: whether @text is such a number.
 */
bool text_to_uint(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit > 9 || sum > (max - digit) / 10 || digit > max)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

/**
 * text_to_milliseconds() - read seconds with at most three decimals
 * @text: "30", "0.5"
 * @max: largest number of milliseconds that is accepted
 * @ms: where to put the milliseconds
 *
 * Return: whether @text is such a time.
 */
bool text_to_milliseconds(const char *text, uint64_t max, uint64_t *ms)
{
	const char *dot = strchr(text, '.');
	uint64_t seconds, rest = 0;
	char digits[16], fraction[4] = "000";
	size_t len = dot ? (size_t)(dot - text) : strlen(text);

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!text_to_uint(digits, max / 1000, &seconds))
		return false;
	if (dot) {
		len = strlen(dot + 1);
		if (!len || len > 3)
			return false;
		memcpy(fraction, dot + 1, len);
		if (!text_to_uint(fraction, 999, &rest))
			return false;
	}
	*ms = seconds * 1000 + rest;
	return *ms <= max;
}

static bool hex_digits(const char *text, size_t n)
{
	while (n--) {
		if (!isxdigit((unsigned char)*text++))
			return false;
	}
	return true;
}

/**
 * text_pci_address() - bring a PCI address into the kernel's form
 * @text: "01:00.0" or "0000:01:00.0", in either case
 * @buf: where to put "0000:01:00.0"
 * @size: size of @buf, 20 is enough
 *
 * Return: whether @text is an address. A domain has 4 to 8 digits.
 */
bool text_pci_address(const char *text, char *buf, size_t size)
{
	size_t len = strlen(text), domain;
	size_t i;

	if (len < 7 || len > 16)
		return false;
	domain = len - 7;
	if (domain && (domain < 5 || domain > 9 || text[domain - 1] != ':' ||
		       !hex_digits(text, domain - 1)))
		return false;
	if (!hex_digits(text + domain, 2) || text[domain + 2] != ':' ||
	    !hex_digits(text + domain + 3, 2) || text[domain + 5] != '.' ||
	    text[domain + 6] < '0' || text[domain + 6] > '7')
		return false;
	if (snprintf(buf, size, "%s%s", domain ? "" : "0000:", text) >= (int)size)
		return false;
	for (i = 0; buf[i]; i++)
		buf[i] = tolower((unsigned char)buf[i]);
	return true;
}
