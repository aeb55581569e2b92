/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories that are read through a descriptor.
 */
#ifndef EGPU_COMMON_DIR_H
#define EGPU_COMMON_DIR_H

#include <dirent.h>

DIR *dir_stream(int fd);

#endif
