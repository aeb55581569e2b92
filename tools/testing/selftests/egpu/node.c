// SPDX-License-Identifier: GPL-2.0
/*
 * A device node as it is, bit for bit, so that two looks can be compared.
 *
 *   node show PATH...      one line each: all that an open depends on
 *   node acl PATH UID      lets one more user in, by an access control list
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define ACL "system.posix_acl_access"

static void show_attribute(const char *path, const char *name)
{
	unsigned char value[1024];
	ssize_t len = lgetxattr(path, name, value, sizeof(value));
	ssize_t i;

	printf(" %s=", name);
	for (i = 0; i < len; i++)
		printf("%02x", value[i]);
	if (len < 0)
		printf("%s", strerror(errno));
}

static int show(const char *path)
{
	char names[4096];
	struct stat st;
	ssize_t len, at;

	if (lstat(path, &st)) {
		printf("%s %s\n", path, strerror(errno));
		return 1;
	}
	printf("%s inode=%ju mode=%#o owner=%u:%u device=%u:%u links=%ju", path,
	       (uintmax_t)st.st_ino, st.st_mode, st.st_uid, st.st_gid,
	       major(st.st_rdev), minor(st.st_rdev), (uintmax_t)st.st_nlink);
	len = llistxattr(path, names, sizeof(names));
	for (at = 0; at < len; at += strlen(names + at) + 1)
		show_attribute(path, names + at);
	putchar('\n');
	return 0;
}

/* The kernel's form of "user::rw-,user:UID:rw-,group::---,mask::rw-,other::---". */
static int add_acl(const char *path, unsigned int uid)
{
	struct {
		uint32_t version;
		struct {
			uint16_t tag;
			uint16_t perm;
			uint32_t id;
		} entry[5];
	} acl = {
		.version = 2,
		.entry = { { 0x01, 6, -1 },
			   { 0x02, 6, uid },
			   { 0x04, 0, -1 },
			   { 0x10, 6, -1 },
			   { 0x20, 0, -1 } },
	};

	if (!setxattr(path, ACL, &acl, sizeof(acl), 0))
		return 0;
	printf("%s\n", strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	int i, bad = 0;

	if (argc == 4 && !strcmp(argv[1], "acl"))
		return add_acl(argv[2], atoi(argv[3]));
	if (argc < 3 || strcmp(argv[1], "show")) {
		fprintf(stderr, "node: see the head of node.c\n");
		return 2;
	}
	for (i = 2; i < argc; i++)
		bad |= show(argv[i]);
	return bad;
}
