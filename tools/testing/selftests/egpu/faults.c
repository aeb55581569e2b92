// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations made to fail, one after the other, and then all of them.
 *
 *   faults load [PARAMETER]       the module is not loaded, GPUs are there
 *   faults requests ADDRESS       of an external GPU
 *   faults changes ADDRESS DRIVER of an external GPU that may be removed
 *   faults quiesce ADDRESS        of one, vgem is loaded
 *   faults shortage ADDRESS DRIVER  of one
 *   faults plug PORT=ADDRESS      an empty port of the rig and its PCI address;
 *                                 asks the rig on fd 7
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "snapshot.h"

#define PCI    "/sys/bus/pci/"
#define MODULE "/lib/egpu.ko"

#define LOADS_MAX 200

static const char *address, *driver;
static struct nl helper;

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int error = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}

static void must_write(const char *path, const char *text)
{
	int error = write_file(path, text);

	if (error)
		bail_out("cannot write %s to %s: %s", text, path,
			 strerror(-error));
}

/* --- what happens to a GPU ------------------------------------------------ */

int do_remove(void)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "devices/%s/remove", address);
	must_write(path, "1");
	return 0;
}

int do_rescan(void)
{
	must_write(PCI "rescan", "1");
	return 0;
}

static int do_unbind(void)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "drivers/%s/unbind", driver);
	must_write(path, address);
	return 0;
}

static int do_bind(void)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "drivers/%s/bind", driver);
	must_write(path, address);
	return 0;
}

/* Turned down with a reason, or done. */
static int do_eject(void)
{
	static struct answer answer;
	static struct msg msg;
	struct gpu gpu;
	int error;

	if (!gpu_now(&gpu))
		return -ENODEV;
	msg_begin(&msg, family.id, 0, EGPU_CMD_EJECT);
	msg_put_u32(&msg, EGPU_A_REMOVAL_ID, gpu.id);
	error = nl_ask(&control, &msg, &answer);
	check(!error || answer.text[0], "an eject fails without a reason");
	return error;
}

/* --- a helper ------------------------------------------------------------- */

static void answer_pending(uint8_t cmd, const void *attrs, size_t len,
			   void *data)
{
	static struct answer answer;
	struct removal removal;

	(void)data;
	if (cmd != EGPU_CMD_REMOVAL_PENDING && cmd != EGPU_CMD_REMOVAL_GET)
		return;
	removal_read(&removal, attrs, len);
	if (removal.phase != EGPU_PHASE_PENDING)
		return;
	step(&helper, &family, EGPU_CMD_ACCEPT, removal.cookie, &answer);
	step(&helper, &family, EGPU_CMD_ACK, removal.cookie, &answer);
}

/* What was lost is asked for, as any helper does. */
static void look_for_pending(void)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_REMOVAL_GET);
	nl_dump(&control, &msg, answer_pending, NULL, &answer);
}

static void help_until_gone(pid_t pid)
{
	struct nl hears;
	int ret;

	if (nl_open(&hears) || nl_join(&hears, family.events))
		bail_out("the helper cannot listen");
	look_for_pending();
	while (!waitpid(pid, NULL, WNOHANG)) {
		ret = nl_receive(&hears, 20, answer_pending, NULL);
		if (ret == -ENOBUFS)
			look_for_pending();
	}
	nl_close(&hears);
}

/* A removal by others, held until the helper has answered. */
static int do_held_remove(void)
{
	pid_t pid;

	if (nl_open(&helper) || nl_join(&helper, family.helper))
		bail_out("there can be no helper");
	pid = fork();
	if (!pid) {
		do_remove();
		_exit(0);
	}
	help_until_gone(pid);
	nl_close(&helper);
	return 0;
}

/* --- sweeps of what happens to a GPU --------------------------------------- */

static void begin(void)
{
	if (family_open(&control, &family))
		bail_out("the module is not there");
	inject_open();
	inject_begin(allocate);
	listen_all();
}

/* The work of an eject runs the driver's remove as well; leave that alone. */
static void sweep_eject(struct code all, const struct act *rescan)
{
	struct code work = code_of("eject_work");
	struct code before = { all.start, work.start };
	struct act act = act_of("eject", do_eject, before, GONE);

	sweep(&act, rescan);
	act.code = (struct code){ work.end, all.end };
	sweep(&act, rescan);
}

static void changes(void)
{
	struct code all = code_of_egpu();
	const struct act remove = act_of("remove", do_remove, all, GONE);
	const struct act rescan = act_of("rescan", do_rescan, all, READY);
	const struct act unbind = act_of("unbind", do_unbind, all, UNBOUND);
	const struct act bind = act_of("bind", do_bind, all, READY);
	struct act held = act_of("held", do_held_remove, all, GONE);
	const struct act again = act_of("rescan", do_rescan, nowhere, READY);

	sweep(&remove, &rescan);
	sweep(&unbind, &bind);
	sweep_eject(all, &again);
	setting_set(&control, &family, EGPU_A_SETTINGS_HOLD_MS, 5000);
	setting_set(&control, &family, EGPU_A_SETTINGS_ACCEPT_MS, 5000);
	held.waits = true;
	sweep(&held, &again);
}

/* --- plugging --------------------------------------------------------------- */

static const char *plug_port, *plug_address;
static char plugged[32]; /* address of the GPU in the port */

/* Ask the rig, as guest/machine.sh does. */
static void ask_rig(const char *question)
{
	char answer[256];
	ssize_t len;

	if (write(7, question, strlen(question)) < 0)
		bail_out("cannot ask the rig");
	len = read(7, answer, sizeof(answer) - 1);
	if (len < 2 || strncmp(answer, "ok", 2))
		bail_out("the rig cannot %s", question);
}

static int do_plug(void)
{
	static unsigned int n;
	char question[128];

	clients_close();
	/* A slot takes no card right after one was pulled. */
	if (n)
		sleep(2);
	snprintf(question, sizeof(question),
		 "add fault%u secondary-vga bus=%s,addr=0\n", n++, plug_port);
	ask_rig(question);
	return 0;
}

static int do_pull(void)
{
	char command[64];

	clients_open(plugged, false);
	snprintf(command, sizeof(command), "rig-pull %s", plug_address);
	if (system(command))
		bail_out("%s fails", command);
	return 0;
}

/* The GPU that will be plugged into a port. */
static void choose_port(char *port)
{
	char path[128];
	FILE *file;
	int bus = 0;

	plug_port = port;
	plug_address = strchr(port, '=') + 1;
	snprintf(path, sizeof(path), PCI "devices/%s/secondary_bus_number",
		 plug_address);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &bus) != 1)
		bail_out("cannot read %s", path);
	fclose(file);
	snprintf(plugged, sizeof(plugged), "0000:%02x:00.0", bus);
	watch_gpu(plugged);
}

static void plug(char *port)
{
	struct code all = code_of_egpu();
	struct act pull = act_of("pull", do_pull, all, GONE);
	const struct act add = act_of("plug", do_plug, all, READY);

	choose_port(port);
	*strchr(port, '=') = '\0';
	pull.victims = CLIENTS;
	sweep(&add, &pull);
}

/* --- a shortage ------------------------------------------------------------- */

#define TURNS 6 /* more than are set aside: see kmod/reserve.c */

/* Nothing can be told, so everybody is told that it was not. */
static void act_short(const char *what, int (*run)(void), enum place place)
{
	run();
	check(settles(place), "%s: it is not noticed", what);
	judge_told(what);
}

static void refused(uint8_t cmd)
{
	static struct answer answer;
	static struct msg msg;

	msg_begin(&msg, family.id, 0, cmd);
	nl_ask(&control, &msg, &answer);
	check(answer.error == -ENOMEM && answer.text[0],
	      "command %u: error %d, reason '%s'", cmd, answer.error,
	      answer.text);
}

static void drivers_short(void)
{
	int i;

	test_begin("drivers come and go %d times without memory", TURNS);
	listeners_begin();
	inject_all(true);
	for (i = 0; i < TURNS; i++) {
		act_short("unbind", do_unbind, UNBOUND);
		act_short("bind", do_bind, READY);
	}
	refused(EGPU_CMD_SETTINGS_GET);
	inject_all(false);
	test_end();
}

/* In the end it is there, and there was nothing left to take it in with. */
static void plugging_short(void)
{
	struct gpu gpu;
	int turns;

	test_begin("a GPU comes and goes without memory");
	listeners_begin();
	inject_all(true);
	for (turns = 0; turns < TURNS && settled(READY); turns++) {
		act_short("remove", do_remove, GONE);
		do_rescan();
		if (settled(READY))
			judge_told("rescan");
	}
	note("%d times until nothing set aside was left", turns);
	check(turns > 1 && turns < TURNS, "that is not as intended");
	do_remove();
	check(!gpu_now(&gpu), "it is listed, though it was not taken in");
	judge_told("removal of a GPU that was not taken in");
	do_rescan();
	test_end();
}

static void memory_again(void)
{
	struct gpu gpu;

	test_begin("with memory again all is known again");
	inject_all(false);
	listeners_begin();
	check(settles(READY), "the GPU is not taken in");
	gpu_now(&gpu);
	judge_listeners("afterwards", false, gpu.id, 0);
	listeners_begin();
	do_remove();
	check(settles(GONE), "its removal is not seen");
	judge_listeners("removal", false, 0, gpu.id);
	do_rescan();
	check(settles(READY), "it does not come back");
	test_end();
}

static void shortage(void)
{
	drivers_short();
	plugging_short();
	memory_again();
}

/* --- loading ---------------------------------------------------------------- */

static unsigned int gpus_on_bus(void)
{
	DIR *dir = opendir(PCI "devices");
	char path[512], class[16];
	unsigned int n = 0;
	struct dirent *entry;
	FILE *file;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), PCI "devices/%s/class",
			 entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		n += fgets(class, sizeof(class), file) &&
		     !strncmp(class, "0x03", 4);
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return n;
}

static void count_one(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	(void)attrs;
	(void)len;
	++*(unsigned int *)data;
}

static unsigned int gpus_listed(void)
{
	static struct answer answer;
	static struct msg msg;
	unsigned int n = 0;

	if (family_open(&control, &family))
		return 0;
	msg_begin(&msg, family.id, NLM_F_DUMP, EGPU_CMD_DEVICE_GET);
	nl_dump(&control, &msg, count_one, &n, &answer);
	nl_close(&control);
	return n;
}

static int load(const char *parameter)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		bail_out("there is no " MODULE);
	if (syscall(SYS_finit_module, fd, parameter, 0))
		error = -errno;
	close(fd);
	return error;
}

/* Whether it loads or not, nothing of it may be left in the end. */
static bool load_once(const char *parameter, unsigned int nth)
{
	struct family none;
	bool fault;
	int error;

	inject_own(nth);
	error = load(parameter);
	fault = inject_own_end();
	if (fault)
		note("load %u: error %d, %s", nth, error, inject_site());
	check(!error || (fault && error == -ENOMEM), "load %u: error %d", nth,
	      error);
	if (!error) {
		check(gpus_listed() == gpus_on_bus(),
		      "load %u: %u of %u GPUs are listed", nth, gpus_listed(),
		      gpus_on_bus());
		check(!syscall(SYS_delete_module, "egpu", 0),
		      "load %u: it does not unload: %s", nth, strerror(errno));
	}
	check(family_resolve(&none) == -ENOENT,
	      "load %u: there is still a family", nth);
	return fault;
}

static void all_loads(const char *parameter)
{
	unsigned int n = 0;

	test_begin("load: no allocation that fails does harm");
	inject_open();
	inject_below(code_of_modules());
	while (n < LOADS_MAX && load_once(parameter, n + 1))
		n++;
	note("%u faults", n);
	check(n && n < LOADS_MAX, "%u faults are none, or never end", n);
	check(gpus_on_bus() > 1, "only %u GPUs are there", gpus_on_bus());
	test_end();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	address = argc > 2 ? argv[2] : "";
	driver = argc > 3 ? argv[3] : "";
	if (!strcmp(what, "load")) {
		all_loads(address);
		return ktap_finish();
	}
	begin();
	watch_gpu(address);
	if (!strcmp(what, "requests"))
		all_requests(address);
	else if (!strcmp(what, "changes") && argc == 4)
		changes();
	else if (!strcmp(what, "quiesce"))
		all_quiesce(address);
	else if (!strcmp(what, "shortage") && argc == 4)
		shortage();
	else if (!strcmp(what, "plug") && strchr(address, '='))
		plug(argv[2]);
	else
		bail_out("see the head of faults.c");
	return ktap_finish();
}
