/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Real fences on the buffers of any GPU: a buffer is exported by PRIME, vgem
 * imports it and attaches a fence, and the reservation is the same.
 */
#ifndef EGPU_TEST_VGEM_H
#define EGPU_TEST_VGEM_H

#include <stdbool.h>
#include <stdint.h>

/** VGEM_EXPIRE_MS - what nobody signals vgem signals after this long, in ms */
#define VGEM_EXPIRE_MS 10000

int vgem_open(void);
int vgem_import(int vgem, int buf, uint32_t *handle);
int vgem_attach(int vgem, uint32_t handle, bool write, uint32_t *fence);
int vgem_signal(int vgem, uint32_t fence);
int buffer_make(int node, uint32_t pixels, uint32_t *handle);
int buffer_export(int node, uint32_t handle);
void *buffer_mapped(int node, uint32_t handle, uint32_t pixels);

#endif /* EGPU_TEST_VGEM_H */
