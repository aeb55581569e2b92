// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copying from and to the memory of a device.
 *
 * Such memory is mapped past the cache: an ordinary load fetches its few bytes
 * over the bus alone, at megabytes a second. A streaming load fetches a line of
 * 64 bytes into a buffer of the processor and serves four loads from it. On
 * memory that is cached both are the same.
 */
#include <string.h>

#include "private.h"

#ifdef __SSE2__
#include <smmintrin.h>

#define LINE 64

static void copy_lines(void *to_line, const void *from_line, size_t lines)
	__attribute__((target("sse4.1")));

static void copy_lines(void *to_line, const void *from_line, size_t lines)
{
	__m128i *from = (void *)(uintptr_t)from_line;
	__m128i *to = to_line;
	__m128i a, b, c, d;

	/* What such a buffer of the processor had from before is not taken. */
	_mm_mfence();
	while (lines--) {
		a = _mm_stream_load_si128(from);
		b = _mm_stream_load_si128(from + 1);
		c = _mm_stream_load_si128(from + 2);
		d = _mm_stream_load_si128(from + 3);
		_mm_storeu_si128(to, a);
		_mm_storeu_si128(to + 1, b);
		_mm_storeu_si128(to + 2, c);
		_mm_storeu_si128(to + 3, d);
		from += 4;
		to += 4;
	}
}

static size_t copy_streaming(void *to, const void *from, size_t len)
{
	size_t lines = len / LINE;

	if (!__builtin_cpu_supports("sse4.1"))
		return 0;
	copy_lines(to, from, lines);
	return lines * LINE;
}

/* Bytes up to where streaming loads can begin. */
static size_t lead(const void *from, size_t len)
{
	size_t n = -(uintptr_t)from % LINE;

	return n < len ? n : len;
}
#else
static size_t copy_streaming(void *to, const void *from, size_t len)
{
	(void)to;
	(void)from;
	(void)len;
	return 0;
}

static size_t lead(const void *from, size_t len)
{
	(void)from;
	(void)len;
	return 0;
}
#endif

/**
 * buffer_copy_out() - copy from a mapping that may be slow to read
 * @to: ordinary memory
 * @from: in the mapping; read once
 * @len: bytes
 */
void buffer_copy_out(void *to, const void *from, size_t len)
{
	size_t done = lead(from, len);

	memcpy(to, from, done);
	done += copy_streaming((char *)to + done, (const char *)from + done,
			       len - done);
	memcpy((char *)to + done, (const char *)from + done, len - done);
}

/**
 * buffer_copy_in() - copy to a mapping
 * @to: in the mapping; only written
 * @from: ordinary memory
 * @len: bytes
 *
 * What is written past the cache is there when this returns.
 */
void buffer_copy_in(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	__sync_synchronize();
}
