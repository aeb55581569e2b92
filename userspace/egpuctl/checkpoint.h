/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of "egpuctl checkpoint" share. One section per .c file.
 */
#ifndef EGPUCTL_CHECKPOINT_H
#define EGPUCTL_CHECKPOINT_H

#include "../common/text.h"
#include "../store/store.h"
#include "ctl.h"

/* ------------------------------------------------------------- verb_checkpoint.c */

int checkpoint_fail(struct ctl *ctl, int err, const char *why);
int checkpoint_find(struct ctl *ctl, struct store *store, const char *text,
		    char id[STORE_ID_SIZE]);
int checkpoint_load(struct ctl *ctl, struct store *store, const char *text,
		    struct store_reader **reader);
const char *checkpoint_format(uint32_t format, char text[5]);
const char *checkpoint_state(const struct store_info *info);

/* ------------------------------------------------------------- checkpoint_data.c */

int checkpoint_verify(struct ctl *ctl, struct store *store, int argc,
		      char **argv);
int checkpoint_export(struct ctl *ctl, struct store *store, int argc,
		      char **argv);
int checkpoint_import(struct ctl *ctl, struct store *store, int argc,
		      char **argv);
int checkpoint_remove(struct ctl *ctl, struct store *store, int argc,
		      char **argv);

/* ------------------------------------------------------------- png.c */

int png_write_buffer(struct ctl *ctl, struct store_reader *reader,
		     const char *path, uint32_t id);

#endif
