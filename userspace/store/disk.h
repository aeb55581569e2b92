/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of a checkpoint, little endian, as in
 * Documentation/checkpoint-format.rst. Nothing here is padded by the compiler.
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <stdint.h>

#define DISK_MAGIC	 "EGPUCKPT"
#define DISK_TABLE_MAGIC 0x42545045u /* "EPTB" */
#define DISK_END_MAGIC	 "EGPUCEND"

/* Flags of the header; others are not known. */
#define DISK_ROUGH 1u
#define DISK_PLAIN 2u

struct disk_parent {
	uint8_t id[16];
	uint8_t digest[16];
};

struct disk_header {
	char magic[8];
	uint32_t version;
	uint32_t flags;
	uint32_t block;
	uint32_t page;
	uint8_t id[16];
	uint64_t created;
	uint64_t step;
	uint64_t session;
	uint32_t pid;
	uint32_t uid;
	uint32_t n_buffers;
	uint32_t n_parents;
	char program[16];
	char name[32];
	char address[32];
	char driver[32];
	uint64_t bytes;
	uint8_t buffers[16];
	struct disk_parent parent[15];
	uint8_t zero[3384];
	uint8_t hash[16];
};

struct disk_buffer {
	uint32_t id;
	uint32_t kind;
	uint64_t size;
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint64_t modifier;
	char name[32];
	uint8_t zero[8];
};

struct disk_entry {
	uint64_t offset;
	uint32_t len;
	uint8_t file;
	uint8_t kind;
	uint8_t zero[2];
	uint8_t hash[16];
};

struct disk_table {
	uint32_t magic;
	uint32_t n;
	uint64_t first;
	struct disk_entry entry[127];
	uint8_t hash[16];
};

struct disk_dirent {
	uint64_t offset;
	uint32_t n;
	uint32_t zero;
	uint8_t hash[16];
};

struct disk_trailer {
	char magic[8];
	uint32_t version;
	uint32_t state_size;
	uint8_t id[16];
	uint64_t total;
	uint64_t directory;
	uint64_t n_tables;
	uint64_t n_blocks;
	uint64_t data;
	uint64_t zero_blocks;
	uint64_t same;
	uint8_t header[16];
	uint8_t tables[16];
	uint8_t zero[3960];
	uint8_t hash[16];
};

#endif
