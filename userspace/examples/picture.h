/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The work: a picture of cells that is computed from itself, step by step, and a
 * chain of checksums over all pictures. Whoever computes the same steps comes to
 * the same checksums, so what the program prints proves itself.
 */
#ifndef EXAMPLE_PICTURE_H
#define EXAMPLE_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

/* Cells in a line, and lines. A cell is a square of pixels in a buffer. */
#define CELLS 128

struct cells {
	uint8_t at[CELLS][CELLS];
};

/**
 * struct canvas - a picture in memory that is mapped, XRGB8888
 * @map: the first pixel
 * @stride: bytes from line to line
 * @side: pixels in a line, and lines; a multiple of CELLS
 */
struct canvas {
	volatile uint32_t *map;
	uint32_t stride;
	uint32_t side;
};

void cells_begin(struct cells *cells);
void cells_next(struct cells *next, const struct cells *now);
uint64_t cells_chain(uint64_t sum, const struct cells *cells);
void canvas_draw(const struct canvas *canvas, const struct cells *cells,
		 uint64_t step);
bool canvas_read(const struct canvas *canvas, struct cells *cells,
		 uint64_t step);

#endif
