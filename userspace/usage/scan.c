// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether a process holds a GPU: its descriptors and its mappings.
 *
 * A process decides what its files are called and can put a file system of its
 * own behind any name, so nothing here asks a file system for anything: links
 * are read, which the kernel answers, and statx() is told to be content with
 * what is cached.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../common/dir.h"
#include "private.h"

/* Bounds per process; who exceeds them counts as not looked into. */
#define FILES_MAX     65536
#define THREADS_MAX   256
#define MAPS_SIZE_MAX (32 * 1024 * 1024)
#define MAPS_CHUNK    65536

/* And for all of them together. */
#define USES_MAX   1048576
#define UNSEEN_MAX 4194304

/**
 * struct look - what is known of the process that is being looked into
 * @scan: the pass
 * @pid: its pid
 * @dir: descriptor of /proc/PID
 * @how: bits of enum holder_how
 */
struct look {
	struct scan *scan;
	pid_t pid;
	int dir;
	unsigned int how;
};

/* What an open node and a mapped node of a kind say. */
static const struct {
	unsigned int open, mapped;
} how_of_kind[] = {
	[NODE_DRM] = { HOLDER_NODE, HOLDER_MAPPED },
	[NODE_SOUND] = { HOLDER_SOUND, HOLDER_SOUND },
	[NODE_VFIO] = { HOLDER_NODE | HOLDER_VFIO, HOLDER_MAPPED | HOLDER_VFIO },
	[NODE_NVIDIA] = { HOLDER_NODE, HOLDER_MAPPED },
	[NODE_KFD] = { HOLDER_KFD, HOLDER_KFD },
	[NODE_OTHER] = { HOLDER_NODE, HOLDER_MAPPED },
};

int scan_compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int add_use(struct look *look, size_t node, const char *fdinfo)
{
	struct scan *scan = look->scan;
	struct use *use;

	use = grow_array(scan->use, scan->n_uses, &scan->uses_size,
			 sizeof(*use), USES_MAX);
	if (!use)
		return -ENOMEM;
	scan->use = use;
	use += scan->n_uses++;
	*use = (struct use){ .pid = look->pid, .node = node, .files = 1 };
	use->known = read_field(fdinfo, "drm-client-id:", &use->client);
	return 0;
}

/* The text of fdinfo of a descriptor, or an empty one. */
static void read_fdinfo(int dir, const char *fd, char *text, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "fdinfo/%s", fd);
	text[0] = '\0';
	if (read_text(dir, path, text, size) < 0)
		text[0] = '\0';
}

/* The node behind a link of /proc, or NULL. */
static const struct node *node_behind(const struct scan *scan, int dir,
				      const char *link)
{
	struct statx stx;

	if (statx(dir, link, AT_STATX_DONT_SYNC, STATX_TYPE, &stx) ||
	    !(S_ISCHR(stx.stx_mode) || S_ISBLK(stx.stx_mode)))
		return NULL;
	return nodes_with(scan->query->nodes,
			  makedev(stx.stx_rdev_major, stx.stx_rdev_minor),
			  S_ISBLK(stx.stx_mode));
}

static bool is_wanted_dma_buf(const struct scan *scan, uint64_t inode)
{
	size_t low = 0, high = scan->n_inodes;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (scan->inode[middle] == inode)
			return true;
		if (scan->inode[middle] < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The kernel calls a dma-buf "/dmabuf:NAME", wherever it comes from. */
static bool is_dma_buf(const char *target)
{
	return !strncmp(target, "/dmabuf", 7);
}

/*
 * One descriptor: @links is "fd" of the process or thread whose directory is
 * @dir. What cannot be a device node by its path is not looked at any further.
 * A path may be that of another root directory or mount namespace, so "/dev/"
 * need not be its begin.
 */
static int look_at_file(struct look *look, int dir, int links, const char *fd)
{
	const struct node *node;
	char target[256], fdinfo[4096];
	uint64_t inode;
	ssize_t len;

	len = readlinkat(links, fd, target, sizeof(target) - 1);
	if (len < 0)
		return errno == EACCES || errno == EPERM ? -EACCES : 0;
	target[len] = '\0';
	if (is_dma_buf(target) && look->scan->n_inodes) {
		read_fdinfo(dir, fd, fdinfo, sizeof(fdinfo));
		if (strstr(fdinfo, "\nexp_name:") &&
		    read_field(fdinfo, "ino:", &inode) &&
		    is_wanted_dma_buf(look->scan, inode))
			look->how |= HOLDER_DMABUF;
		return 0;
	}
	if (target[0] != '/' || !strstr(target, "/dev/"))
		return 0;
	node = node_behind(look->scan, links, fd);
	if (!node)
		return 0;
	look->how |= how_of_kind[node->kind].open;
	if (node->kind != NODE_DRM)
		return 0;
	read_fdinfo(dir, fd, fdinfo, sizeof(fdinfo));
	return add_use(look, node - look->scan->query->nodes->item, fdinfo);
}

/*
 * What errno means for the pass when something of a process cannot be opened:
 * that it ends is told by half a dozen numbers, want of rights or of descriptors
 * by few.
 */
static int why_not_looked(void)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		return -EACCES;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return -errno;
	default:
		return 0;
	}
}

static int look_at_files(struct look *look, int dir)
{
	struct dirent *entry;
	unsigned int n = 0;
	uint64_t number;
	int links, err = 0;
	DIR *stream;

	links = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = dir_stream(links);
	if (!stream)
		return why_not_looked();
	while (!err && (entry = readdir(stream))) {
		if (!read_number(entry->d_name, INT_MAX, &number))
			continue;
		if (++n > FILES_MAX)
			err = -EACCES;
		else
			err = look_at_file(look, dir, links, entry->d_name);
	}
	closedir(stream);
	return err;
}

/* The node with a path, for who may not follow the links of map_files. */
static const struct node *node_called(const struct nodes *nodes,
				      const char *path)
{
	size_t i;

	for (i = 0; i < nodes->n; i++) {
		if (!strcmp(nodes->item[i].path, path))
			return &nodes->item[i];
	}
	return NULL;
}

/* One line of maps: "start-end perms offset device inode   path". */
static void look_at_mapping(struct look *look, int dir, const char *line)
{
	const char *path = strchr(line, '/');
	const struct node *node;
	uint64_t start, end, inode;
	char link[64];

	if (!path || (!is_dma_buf(path) && !strstr(path, "/dev/")) ||
	    sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %" SCNu64, &start,
		   &end, &inode) != 3)
		return;
	if (is_dma_buf(path)) {
		if (is_wanted_dma_buf(look->scan, inode))
			look->how |= HOLDER_DMABUF;
		return;
	}
	snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, start,
		 end);
	node = node_behind(look->scan, dir, link);
	if (!node)
		node = node_called(look->scan->query->nodes, path);
	if (node)
		look->how |= how_of_kind[node->kind].mapped;
}

/* Looks at whole lines of @text; returns how much of it they were. */
static size_t look_at_lines(struct look *look, int dir, char *text, size_t len)
{
	char *line = text, *end;

	while ((end = memchr(line, '\n', text + len - line))) {
		*end = '\0';
		look_at_mapping(look, dir, line);
		line = end + 1;
	}
	return line - text;
}

/*
 * Reading maps waits for who is changing the address space. A process that hangs
 * in its driver may be just doing that, so it is not asked; see scan_process().
 */
static int look_at_mappings(struct look *look, int dir)
{
	size_t have = 0, total = 0, used;
	int fd, err = 0;
	char *text;
	ssize_t n;

	fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return why_not_looked();
	text = malloc(MAPS_CHUNK);
	if (!text)
		err = -ENOMEM;
	while (!err) {
		n = read(fd, text + have, MAPS_CHUNK - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		total += n;
		have += n;
		used = look_at_lines(look, dir, text, have);
		/* A line is never this long, nor is a map. */
		if ((!used && have == MAPS_CHUNK) || total > MAPS_SIZE_MAX)
			err = -EACCES;
		have -= used;
		memmove(text, text + used, have);
	}
	free(text);
	close(fd);
	return err;
}

/*
 * The first thread of a process has ended while others go on: then the files and
 * the memory are theirs.
 */
static int look_at_threads(struct look *look)
{
	unsigned int n = 0;
	struct dirent *entry;
	uint64_t tid;
	int tasks, dir, err = 0;
	DIR *stream;

	tasks = openat(look->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = dir_stream(tasks);
	if (!stream)
		return why_not_looked();
	while (!err && (entry = readdir(stream))) {
		if (!read_number(entry->d_name, INT_MAX, &tid) ||
		    (pid_t)tid == look->pid)
			continue;
		if (++n > THREADS_MAX) {
			err = -EACCES;
			break;
		}
		dir = process_open(tasks, tid);
		if (dir < 0)
			continue;
		err = look_at_files(look, dir);
		if (!err)
			err = look_at_mappings(look, dir);
		close(dir);
	}
	closedir(stream);
	return err;
}

static int compare_uses(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->known != y->known)
		return x->known ? -1 : 1;
	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/*
 * Brings the uses from @first on, all of one process, to one per file: a file
 * may have several descriptors. Where the kernel does not say which, to one per
 * node. Returns the number of files.
 */
static uint32_t unite_uses(struct scan *scan, size_t first)
{
	struct use *use = scan->use + first;
	size_t i, n = 0, count = scan->n_uses - first;
	uint32_t files = 0;

	if (!count)
		return 0;
	qsort(use, count, sizeof(*use), compare_uses);
	for (i = 0; i < count; i++) {
		if (n && !compare_uses(&use[n - 1], &use[i])) {
			if (!use[i].known)
				use[n - 1].files++;
			continue;
		}
		use[n++] = use[i];
	}
	scan->n_uses = first + n;
	for (i = 0; i < n; i++)
		files += use[i].files;
	return files;
}

static int add_unseen(struct scan *scan, pid_t pid)
{
	pid_t *unseen;

	scan->holders->unseen++;
	unseen = grow_array(scan->unseen, scan->n_unseen, &scan->unseen_size,
			    sizeof(*unseen), UNSEEN_MAX);
	if (!unseen)
		return -ENOMEM;
	scan->unseen = unseen;
	unseen[scan->n_unseen++] = pid;
	return 0;
}

/* Files and mappings, wherever the process has them. */
static int look_into(struct look *look, char state)
{
	int err;

	if (state == 'Z')
		return look_at_threads(look);
	err = look_at_files(look, look->dir);
	if (err || (state == 'D' && look->how))
		return err;
	return state == 'D' ? -EACCES : look_at_mappings(look, look->dir);
}

static int look_at_process(struct look *look)
{
	struct scan *scan = look->scan;
	struct holder holder = { 0 };
	size_t first = scan->n_uses;
	bool kernel;
	int err;

	/* What cannot be read is of a process that has ended meanwhile. */
	if (process_read_stat(look->dir, &holder.process, &kernel) || kernel)
		return 0;
	err = look_into(look, holder.process.state);
	if (err == -EACCES)
		err = add_unseen(scan, look->pid);
	if (err)
		return err;
	holder.files = unite_uses(scan, first);
	if (!look->how)
		return 0;
	if (process_read_rest(look->dir, &holder.process)) {
		scan->n_uses = first;
		return 0;
	}
	holder.how = look->how;
	holder.role = holder_role_of(&holder.process);
	return holders_add(scan->holders, &holder);
}

/**
 * scan_process() - look into one process
 * @scan: the pass
 * @pid: its pid
 *
 * A process that cannot be looked into is counted: for want of rights, because
 * it has more files than can be looked at, or because it hangs in the kernel and
 * only its mappings could tell. What was found until then counts all the same.
 * One that ends meanwhile holds nothing.
 *
 * Return: 0, -ENOMEM, -EMFILE or -ENFILE.
 */
int scan_process(struct scan *scan, pid_t pid)
{
	struct look look = { .scan = scan, .pid = pid };
	int err;

	look.dir = process_open(scan->proc, pid);
	if (look.dir < 0)
		return look.dir == -EMFILE || look.dir == -ENFILE ? look.dir : 0;
	err = look_at_process(&look);
	close(look.dir);
	return err;
}
