// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The work: a cyclic cellular automaton. A cell becomes the next colour of the
 * circle when a neighbour has it already; out of noise come spirals.
 */
#include "picture.h"

#define COLOURS 10

static const uint32_t colours[COLOURS] = {
	0x0d1b4c, 0x1f4e9c, 0x2a8fbd, 0x2fb8a0, 0x6cc24a,
	0xd4c92f, 0xf29f2b, 0xe2572f, 0xb5275a, 0x5e1f7a,
};

/* Always the same noise, in patches of 4 x 4 cells. */
void cells_begin(struct cells *cells)
{
	uint32_t random = 2463534242u;
	unsigned int x, y;

	for (y = 0; y < CELLS; y++) {
		for (x = 0; x < CELLS; x++) {
			if (x % 4 == 0) {
				random ^= random << 13;
				random ^= random >> 17;
				random ^= random << 5;
			}
			cells->at[y][x] = y % 4 ? cells->at[y - 1][x] :
						  random % COLOURS;
		}
	}
}

void cells_next(struct cells *next, const struct cells *now)
{
	unsigned int x, y;

	for (y = 0; y < CELLS; y++) {
		const uint8_t *above = now->at[(y + CELLS - 1) % CELLS];
		const uint8_t *below = now->at[(y + 1) % CELLS];
		const uint8_t *line = now->at[y];

		for (x = 0; x < CELLS; x++) {
			uint8_t wanted = line[x] + 1 == COLOURS ? 0 :
								  line[x] + 1;

			next->at[y][x] =
				above[x] == wanted || below[x] == wanted ||
						line[(x + 1) % CELLS] == wanted ||
						line[(x + CELLS - 1) % CELLS] ==
							wanted ?
					wanted :
					line[x];
		}
	}
}

/* The next link of the chain (FNV-1a of 64 bits). */
uint64_t cells_chain(uint64_t sum, const struct cells *cells)
{
	unsigned int x, y;

	sum ^= 0xcbf29ce484222325u;
	for (y = 0; y < CELLS; y++) {
		for (x = 0; x < CELLS; x++)
			sum = (sum ^ cells->at[y][x]) * 0x100000001b3u;
	}
	return sum;
}

/*
 * The byte that is not shown tells where a pixel belongs, and to which step. A
 * GPU that has gone reads as zeros, as ones, or as one page that is everywhere:
 * none of it passes for a picture.
 */
static uint32_t mark(unsigned int x, unsigned int y, uint64_t step)
{
	return (1 + (x * 7 + y * 31 + (uint32_t)(step % 253) * 13) % 253) << 24;
}

static volatile uint32_t *line_of(const struct canvas *canvas, unsigned int y)
{
	return canvas->map + (uint64_t)y * canvas->stride / sizeof(uint32_t);
}

void canvas_draw(const struct canvas *canvas, const struct cells *cells,
		 uint64_t step)
{
	unsigned int scale = canvas->side / CELLS, x, y;

	for (y = 0; y < canvas->side; y++) {
		volatile uint32_t *pixel = line_of(canvas, y);

		for (x = 0; x < canvas->side; x++)
			pixel[x] = mark(x, y, step) |
				   colours[cells->at[y / scale][x / scale]];
	}
}

static int colour_of(uint32_t pixel)
{
	int colour;

	for (colour = 0; colour < COLOURS; colour++) {
		if (colours[colour] == (pixel & 0xffffff))
			return colour;
	}
	return -1;
}

/* Whether every pixel is one of this step's, in its place. */
bool canvas_read(const struct canvas *canvas, struct cells *cells, uint64_t step)
{
	unsigned int scale = canvas->side / CELLS, x, y;
	uint32_t pixel;
	int colour;

	for (y = 0; y < canvas->side; y++) {
		volatile uint32_t *line = line_of(canvas, y);

		for (x = 0; x < canvas->side; x++) {
			uint8_t *cell = &cells->at[y / scale][x / scale];

			pixel = line[x];
			if ((pixel & 0xff000000) != mark(x, y, step))
				return false;
			if (x % scale || y % scale) {
				if ((pixel & 0xffffff) != colours[*cell])
					return false;
				continue;
			}
			colour = colour_of(pixel);
			if (colour < 0)
				return false;
			*cell = colour;
		}
	}
	return true;
}
