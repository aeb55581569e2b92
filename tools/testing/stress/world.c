// SPDX-License-Identifier: GPL-2.0
/*
 * The machine and the module, by the means of a person at a shell: sysfs, the rig's
 * control channel, module system calls.
 */
#include "stress.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "../qemu/port/port.h"
#include "../selftests/egpu/vgem.h"

/* What the rig's init has opened for us. */
#define CONTROL_FD 7

#define WAIT_MS 30000

/* A port whose card has gone needs this long before it takes another: pciehp
 * waits a second after it has turned the power off.
 */
#define EMPTY_MS 2000

/* A card's node is there before pciehp is done with adding it, and until then it
 * does not heed the button or the power file, and what we write to its registers
 * gets mixed with what it writes.
 */
#define BUSY_MS	     800
#define BUSY_MORE_MS 300

/* A side of a client's buffers. */
#define PIXELS 32

/* Nodes of GPUs that have left, still open. */
#define ORPHANS 6

static const char *const names[PORTS] = { "tb0", "tb1", "slot0" };
static const bool marked[PORTS] = { true, true, false };

static char path_of[PORTS][256];
static char bus_of[PORTS][16]; /* 0000:01, also after the port has gone */
static uint64_t emptied[PORTS]; /* ns */
static uint64_t added[PORTS]; /* ns */
static unsigned int cards; /* number of the last one */
static unsigned int card[PORTS];
static char driver[64];
static int client[PORTS][CLIENTS];
static int orphan[ORPHANS];
static unsigned int orphans;
static pthread_mutex_t control_lock = PTHREAD_MUTEX_INITIALIZER;

const char *port_name(int port)
{
	return names[port];
}

bool port_is_marked(int port)
{
	return marked[port];
}

void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

static bool read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool fine = file && fgets(text, size, file);

	if (file)
		fclose(file);
	if (fine)
		text[strcspn(text, "\n")] = '\0';
	return fine;
}

/* --- addresses ---------------------------------------------------------------- */

static void find_port(const char *name, const char *pattern)
{
	char full[256];
	glob_t found;
	int i;

	for (i = 0; i < PORTS; i++)
		if (!strcmp(names[i], name))
			break;
	if (i == PORTS)
		return;
	snprintf(full, sizeof(full), "/sys/bus/pci/devices/%s", pattern);
	if (glob(full, 0, NULL, &found) || found.gl_pathc != 1)
		trouble("there is no port %s", name);
	snprintf(path_of[i], sizeof(path_of[i]), "%s", found.gl_pathv[0]);
	globfree(&found);
}

/**
 * world_begin - find the ports
 */
void world_begin(void)
{
	FILE *file = fopen("/rig/ports", "re");
	char name[32], pattern[160];
	int i, fd;

	if (!file)
		trouble("there is no /rig/ports: this runs in the rig");
	while (fscanf(file, "%31s %159s", name, pattern) == 2)
		find_port(name, pattern);
	fclose(file);
	for (i = 0; i < PORTS; i++)
		if (!path_of[i][0])
			trouble("this machine has no port %s", names[i]);
	for (fd = CONTROL_FD; fd < CONTROL_FD + 3; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	memset(client, -1, sizeof(client));
	memset(orphan, -1, sizeof(orphan));
}

/* The entry of a folder that is a PCI function, or the bus of a bridge; a port has
 * its services there, too.
 */
static bool first_address(const char *folder, char *address, size_t size)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "0000:", 5) ||
		    strstr(entry->d_name, ":pcie") ||
		    strlen(entry->d_name) >= size)
			continue;
		strcpy(address, entry->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

/**
 * gpu_address - the address of what is plugged into a port
 * @port: the port
 * @address: filled
 * @size: its bytes
 *
 * Return: false when nothing is on the bus there.
 */
bool gpu_address(int port, char *address, size_t size)
{
	return first_address(path_of[port], address, size);
}

/**
 * port_of_address - the port of a GPU
 * @gpu: its PCI address; it may have left
 *
 * Return: the port, -1 when it is in none.
 */
int port_of_address(const char *gpu)
{
	char folder[320];
	int i;

	for (i = 0; i < PORTS; i++) {
		snprintf(folder, sizeof(folder), "%s/pci_bus", path_of[i]);
		first_address(folder, bus_of[i], sizeof(bus_of[i]));
		if (!strncmp(gpu, bus_of[i], strlen(bus_of[i])))
			return i;
	}
	return -1;
}

/**
 * port_address - the address of a port itself
 * @port: the port
 *
 * Return: the address.
 */
const char *port_address(int port)
{
	return strrchr(path_of[port], '/') + 1;
}

bool gpu_on_bus(int port)
{
	char address[32];

	return gpu_address(port, address, sizeof(address));
}

static void gpu_file(int port, const char *name, char *path, size_t size)
{
	char address[32] = "nothing";

	gpu_address(port, address, sizeof(address));
	snprintf(path, size, "%s/%s/%s", path_of[port], address, name);
}

/* Bound, and its node is there. */
bool gpu_has_driver(int port)
{
	char path[320], target[256];
	glob_t found;
	ssize_t n;

	gpu_file(port, "driver", path, sizeof(path));
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	snprintf(driver, sizeof(driver), "%s", strrchr(target, '/') + 1);
	gpu_file(port, "drm/card*", path, sizeof(path));
	if (glob(path, 0, NULL, &found))
		return false;
	globfree(&found);
	return true;
}

void wait_until(bool (*is)(int port), int port, bool wanted, const char *what)
{
	uint64_t end = now_ns() + WAIT_MS * slow * 1000000ULL;

	while (is(port) != wanted) {
		if (now_ns() > end)
			fail("every act ends", "%s: not %s within %u s",
			     port_name(port), what, WAIT_MS / 1000 * slow);
		usleep(3000);
	}
}

/* --- cards -------------------------------------------------------------------- */

/* One question to the rig at a time. */
static void ask_rig(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void ask_rig(const char *format, ...)
{
	char line[256];
	size_t n = 0;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	pthread_mutex_lock(&control_lock);
	dprintf(CONTROL_FD, "%s\n", line);
	while (n < sizeof(line) - 1 && read(CONTROL_FD, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	pthread_mutex_unlock(&control_lock);
	line[n] = '\0';
	if (strncmp(line, "ok", 2))
		trouble("the rig says: %s", line);
}

/* Since a time, which may be 0 for never, as long must have passed. */
static void wait_since(uint64_t time, unsigned int ms)
{
	while (time && now_ns() < time + ms * 1000000ULL)
		usleep(5000);
}

static void wait_idle(int port)
{
	wait_since(added[port], BUSY_MS + BUSY_MORE_MS * slow);
}

void card_add(int port)
{
	wait_since(emptied[port], EMPTY_MS + (slow - 1) * 500);
	pthread_mutex_lock(&control_lock);
	card[port] = ++cards;
	pthread_mutex_unlock(&control_lock);
	ask_rig("add g%u secondary-vga bus=%s,addr=0", card[port], names[port]);
	wait_until(gpu_has_driver, port, true, "bound to its driver");
	added[port] = now_ns();
}

/**
 * card_pull - take a card out by surprise; returns when the bus has lost it
 * @port: where
 * @act: gets the times
 */
void card_pull(int port, struct act *act)
{
	struct port slot;
	int error = port_open(&slot, port_address(port));

	if (error)
		trouble("cannot reach port %s: %s", names[port],
			strerror(-error));
	wait_idle(port);
	act->pulled_from = now_ns();
	error = port_detach(&slot);
	act->pulled_to = now_ns();
	if (error || port_settle(&slot))
		trouble("cannot pull what is in %s", names[port]);
	port_close(&slot);
	emptied[port] = now_ns();
	wait_until(gpu_on_bus, port, false, "gone after a pull");
	emptied[port] = now_ns();
}

void card_button(int port)
{
	wait_idle(port);
	ask_rig("remove g%u", card[port]);
	wait_until(gpu_on_bus, port, false, "gone after its button");
	emptied[port] = now_ns();
}

/* The power file of the slot of a port. */
static void find_power(int port, char *path, size_t size)
{
	char folder[320], bus[32], address[64];
	bool found = false;
	glob_t slots;
	size_t i;

	snprintf(folder, sizeof(folder), "%s/pci_bus", path_of[port]);
	if (!first_address(folder, bus, sizeof(bus)))
		trouble("port %s has no bus", names[port]);
	strcat(bus, ":00");
	if (glob("/sys/bus/pci/slots/*", 0, NULL, &slots))
		trouble("there are no slots");
	for (i = 0; i < slots.gl_pathc && !found; i++) {
		snprintf(path, size, "%s/address", slots.gl_pathv[i]);
		found = read_line(path, address, sizeof(address)) &&
			!strcmp(address, bus);
		snprintf(path, size, "%s/power", slots.gl_pathv[i]);
	}
	globfree(&slots);
	if (!found)
		trouble("port %s has no slot", names[port]);
}

void slot_off(int port)
{
	char path[320];

	find_power(port, path, sizeof(path));
	wait_idle(port);
	write_file(path, "0");
	wait_until(gpu_on_bus, port, false, "gone after its slot's power");
	emptied[port] = now_ns();
}

/* Each of these can come too late; then it has nothing to do. */

void gpu_remove(int port)
{
	char path[320];

	gpu_file(port, "remove", path, sizeof(path));
	write_file(path, "1");
	wait_until(gpu_on_bus, port, false, "gone after its removal");
}

void bridge_remove(int port)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/remove", path_of[port]);
	write_file(path, "1");
	wait_until(gpu_on_bus, port, false, "gone with its bridge");
}

void gpu_unbind(int port)
{
	char path[320], address[32];

	if (!gpu_address(port, address, sizeof(address)))
		return;
	gpu_file(port, "driver/unbind", path, sizeof(path));
	write_file(path, address);
}

void gpu_bind(int port)
{
	char path[320], address[32];

	if (!gpu_address(port, address, sizeof(address)))
		trouble("nothing to bind in %s", names[port]);
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	write_file(path, address);
	wait_until(gpu_has_driver, port, true, "bound to its driver");
}

/**
 * bus_rescan - look for cards
 * @port: behind this port, -1 for everywhere
 */
void bus_rescan(int port)
{
	char folder[320], bus[32], path[400] = "/sys/bus/pci/rescan";

	if (port >= 0) {
		snprintf(folder, sizeof(folder), "%s/pci_bus", path_of[port]);
		if (!first_address(folder, bus, sizeof(bus)))
			trouble("port %s has no bus", names[port]);
		snprintf(path, sizeof(path), "%s/%s/rescan", folder, bus);
	}
	write_file(path, "1");
	if (port >= 0)
		wait_until(gpu_has_driver, port, true, "found by a rescan");
}

/* --- clients ------------------------------------------------------------------ */

/* A node of our own of the same number: egpud closes those of /dev to everybody while
 * it ejects, and this is about the kernel.
 */
static int open_copy(const char *folder)
{
	unsigned int first, second;
	char path[400], text[32];
	int fd;

	snprintf(path, sizeof(path), "%s/dev", folder);
	if (!read_line(path, text, sizeof(text)) ||
	    sscanf(text, "%u:%u", &first, &second) != 2)
		return -1;
	snprintf(path, sizeof(path), "/run/stress-%u:%u", first, second);
	if (mknod(path, S_IFCHR | 0600, makedev(first, second)) &&
	    errno != EEXIST)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	return fd;
}

static void find_card(int port, glob_t *found)
{
	char pattern[320];

	gpu_file(port, "drm/card*", pattern, sizeof(pattern));
	if (glob(pattern, 0, NULL, found))
		trouble("the GPU in %s has no node", names[port]);
}

/**
 * gpu_node_open - open the node of a GPU
 * @port: where it is
 *
 * Return: the file.
 */
int gpu_node_open(int port)
{
	glob_t found;
	int fd;

	find_card(port, &found);
	fd = open_copy(found.gl_pathv[0]);
	if (fd < 0)
		trouble("cannot open %s: %s", found.gl_pathv[0],
			strerror(errno));
	globfree(&found);
	return fd;
}

/**
 * gpu_node_name - what the node of a GPU is called
 * @port: where it is
 * @name: filled
 * @size: its bytes
 */
void gpu_node_name(int port, char *name, size_t size)
{
	glob_t found;

	find_card(port, &found);
	snprintf(name, size, "/dev/dri%s", strrchr(found.gl_pathv[0], '/'));
	globfree(&found);
}

void client_open(int port, int which)
{
	uint32_t handle;
	int i;

	client[port][which] = gpu_node_open(port);
	for (i = 0; i <= which; i++)
		if (buffer_make(client[port][which], PIXELS, &handle))
			trouble("no buffer of the GPU in %s", names[port]);
}

void client_close(int port, int which)
{
	close(client[port][which]);
	client[port][which] = -1;
}

static void adopt(int fd)
{
	int *place = &orphan[orphans++ % ORPHANS];

	if (*place >= 0)
		close(*place);
	*place = fd;
}

/**
 * clients_orphan - the GPU has left, its open files stay for a while
 * @port: where it was; -1 to close the files of all that have left
 */
void clients_orphan(int port)
{
	int i;

	pthread_mutex_lock(&control_lock);
	for (i = 0; port < 0 && i < ORPHANS; i++)
		adopt(-1);
	for (i = 0; port >= 0 && i < CLIENTS; i++) {
		if (client[port][i] < 0)
			continue;
		adopt(client[port][i]);
		client[port][i] = -1;
	}
	pthread_mutex_unlock(&control_lock);
}

/* --- the module --------------------------------------------------------------- */

void module_load(const struct act *act)
{
	static const char *const placement[] = { "", "external", "internal" };
	char text[512];
	int i, n, fd = open("/lib/egpu.ko", O_RDONLY | O_CLOEXEC);
	bool first = true;

	n = snprintf(text, sizeof(text), "hold_ms=%u accept_ms=%u eject_ms=%u",
		     act->setting[0], act->setting[1], act->setting[2]);
	for (i = 0; i < PORTS; i++) {
		if (!act->rule[i])
			continue;
		n += snprintf(text + n, sizeof(text) - n, "%s%s=%s",
			      first ? " override=" : ",", port_address(i),
			      placement[act->rule[i]]);
		first = false;
	}
	if (fd < 0 || syscall(SYS_finit_module, fd, text, 0))
		fail("the module loads", "with %s: %s", text, strerror(errno));
	close(fd);
	figures.loads++;
}

/**
 * module_unload - a dump may be open for a moment, anything longer is a leak
 */
void module_unload(void)
{
	uint64_t end = now_ns() + 10000000000ULL * slow;

	while (syscall(SYS_delete_module, "egpu", O_NONBLOCK)) {
		if (now_ns() > end)
			fail("the module unloads", "%s", strerror(errno));
		usleep(5000);
	}
}
