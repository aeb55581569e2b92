// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * egpu-example - work on a GPU that goes on when the GPU leaves.
 *
 * Computes a picture from itself, step by step, in two buffers of a GPU, and
 * prints a line with a checksum for each step:
 *
 *	TIME step=41 checksum=0123456789abcdef
 *
 * TIME is CLOCK_BOOTTIME in ns. Other lines tell what happens to it: session,
 * moved, lost, failed, restarted, unreadable, finished. With --verify it does no
 * more than to compute the checksums, without a GPU and without egpud.
 *
 * What a program has to do to be moved is in this file: open a session, add its
 * buffers, say when it is at a safe point, take new buffers, and go back to the
 * step that they hold.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "surface.h"

#define VERIFY_STEPS 4000

/* How long a device that cannot be read is given to be called lost. */
#define LOST_MS 20000

struct options {
	const char *node;
	const char *path;
	const char *die_at;
	uint32_t side;
	uint32_t pace_ms;
	uint64_t steps;
	uint64_t verify;
	bool cpu;
	bool check;
	long user;
};

/*
 * What goes along beside the buffers: the step, and the checksum of all before
 * it. The picture of step n is in the buffer with the number 1 + n % 2.
 */
struct state {
	uint64_t step;
	uint64_t sum;
};

/*
 * struct work - the program
 * @options: of the command line
 * @session: with egpud
 * @surface: pictures of even and of odd steps
 * @node: where they are; empty for memory
 * @state: how far it is
 * @lost: the device has gone, and a move has not come yet
 * @hopeless: no move will come
 * @moved: a move has come
 * @now: the picture that is read
 * @next: the one that is written
 */
struct work {
	struct options options;
	struct egpu_session *session;
	struct surface surface[2];
	char node[64];
	struct state state;
	bool lost;
	bool hopeless;
	bool moved;
	struct cells now;
	struct cells next;
};

static volatile sig_atomic_t ended;
static sigjmp_buf gone;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	struct timespec now;
	va_list args;

	clock_gettime(CLOCK_BOOTTIME, &now);
	printf("%lld%09ld ", (long long)now.tv_sec, now.tv_nsec);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void say_step(const struct state *state)
{
	say("step=%" PRIu64 " checksum=%016" PRIx64, state->step, state->sum);
}

/* For tests: what if the program ends just now? */
static void maybe_die(const struct work *work, const char *at)
{
	if (work->options.die_at && !strcmp(work->options.die_at, at))
		kill(getpid(), SIGKILL);
}

/* --- what the session tells ------------------------------------------------ */

static void on_reach(struct egpu_session *session, uint64_t deadline,
		     bool for_move, void *arg)
{
	struct work *work = arg;

	(void)session;
	(void)deadline;
	if (!for_move)
		return;
	maybe_die(work, "reach");
	/* It stands still by then. */
	if (work->options.die_at && !strcmp(work->options.die_at, "safe"))
		ualarm(30000, 0);
}

static void on_lost(struct egpu_session *session, void *arg)
{
	struct work *work = arg;

	(void)session;
	work->lost = true;
	say("lost step=%" PRIu64, work->state.step);
}

static const struct egpu_session_buffer *
find(const struct egpu_session_move *move, uint32_t id, int *fd)
{
	size_t i;

	for (i = 0; i < move->n; i++) {
		if (move->buffer[i].id != id)
			continue;
		*fd = move->fd[i];
		return &move->buffer[i];
	}
	return NULL;
}

/* The new buffers beside the old; what fails leaves the old as they are. */
static int adopt(const struct egpu_session_move *move, struct surface surface[2])
{
	const struct egpu_session_buffer *buffer;
	unsigned int i;
	int fd, err;

	for (i = 0; i < 2; i++) {
		buffer = find(move, i + 1, &fd);
		err = buffer ? surface_adopt(&surface[i], buffer, fd,
					     move->node) :
			       -EINVAL;
		if (!err)
			continue;
		/* What was given stays the library's when we refuse. */
		if (i) {
			surface[0].fd = -1;
			surface_close(&surface[0]);
		}
		return err;
	}
	return 0;
}

static int on_move(struct egpu_session *session,
		   const struct egpu_session_move *move, void *arg)
{
	struct work *work = arg;
	struct surface surface[2];
	uint64_t before = work->state.step;
	int err;

	(void)session;
	maybe_die(work, "move");
	if (move->n != 2 || move->state_size != sizeof(work->state))
		return -EINVAL;
	err = adopt(move, surface);
	if (err)
		return err;
	surface_close(&work->surface[0]);
	surface_close(&work->surface[1]);
	memcpy(work->surface, surface, sizeof(surface));
	/* After a loss this is the step to which it goes back. */
	memcpy(&work->state, move->state, sizeof(work->state));
	snprintf(work->node, sizeof(work->node), "%s", move->node);
	work->lost = false;
	work->moved = true;
	say("moved cpu=%d address=%s node=%s step=%" PRIu64
	    " lost=%d lost_ns=%" PRIu64 " lost_steps=%" PRIu64
	    " stride=%u checkpoint=%s",
	    move->cpu, move->address, move->node, work->state.step, move->lost,
	    move->lost_ns, before - work->state.step,
	    work->surface[0].canvas.stride, move->checkpoint);
	return 0;
}

static void on_failed(struct egpu_session *session, const char *why, void *arg)
{
	struct work *work = arg;

	(void)session;
	work->hopeless = work->lost;
	say("failed why=\"%s\"", why);
}

static const struct egpu_session_ops ops = {
	.reach = on_reach,
	.lost = on_lost,
	.move = on_move,
	.failed = on_failed,
};

/* --- the work --------------------------------------------------------------- */

static int create(struct work *work, const char *node)
{
	int drm = node ? surface_open_node(node) : -1;
	unsigned int i;
	int err = 0;

	if (node && drm < 0)
		return drm;
	for (i = 0; i < 2 && !err; i++)
		err = surface_create(&work->surface[i], drm, i + 1,
				     work->options.side);
	if (drm >= 0)
		close(drm);
	if (err)
		return err;
	snprintf(work->node, sizeof(work->node), "%s", node ? node : "");
	work->state = (struct state){ 0 };
	cells_begin(&work->now);
	surface_begin(&work->surface[0], true);
	canvas_draw(&work->surface[0].canvas, &work->now, 0);
	surface_end(&work->surface[0], true);
	return 0;
}

/* -ENOTCONN is no error: the buffers are remembered for when egpud comes. */
static int add(struct work *work)
{
	unsigned int i;
	int err;

	for (i = 0; i < 2; i++) {
		err = surface_add(&work->surface[i], work->session);
		if (err && err != -ENOTCONN)
			return err;
	}
	return 0;
}

/* Neither GPU nor checkpoint: from the beginning, in memory. */
static int restart(struct work *work)
{
	unsigned int i;
	int err;

	for (i = 0; i < 2; i++) {
		egpu_session_remove(work->session, i + 1);
		surface_close(&work->surface[i]);
	}
	work->lost = false;
	work->hopeless = false;
	err = create(work, NULL);
	if (!err)
		err = add(work);
	say("restarted step=0");
	return err;
}

static void on_bus_error(int number)
{
	(void)number;
	siglongjmp(gone, 1);
}

/*
 * One step: the picture there is goes into the chain and makes the next one. The
 * buffers are only believed where each pixel is the one that was written; and a
 * GPU that has gone may end an access with SIGBUS.
 */
static bool compute(struct work *work)
{
	const struct surface *from = &work->surface[work->state.step % 2];
	const struct surface *to = &work->surface[(work->state.step + 1) % 2];
	bool right;

	if (sigsetjmp(gone, 1))
		return false;
	surface_begin(from, false);
	right = canvas_read(&from->canvas, &work->now, work->state.step);
	surface_end(from, false);
	if (!right)
		return false;
	cells_next(&work->next, &work->now);
	egpu_session_dirty(work->session, to->buffer.id);
	surface_begin(to, true);
	canvas_draw(&to->canvas, &work->next, work->state.step + 1);
	surface_end(to, true);
	work->state.sum = cells_chain(work->state.sum, &work->now);
	work->state.step++;
	return true;
}

/*
 * The GPU does not give back what was written. If it has gone egpud says so, and
 * we go on from a checkpoint; if not, the bytes are wrong, and that is the end.
 */
static int wait_until_lost(struct work *work)
{
	unsigned int waited;

	say("unreadable step=%" PRIu64, work->state.step);
	work->moved = false;
	for (waited = 0; waited < LOST_MS && !ended; waited += 100) {
		if (work->lost || work->moved)
			return 0;
		if (egpu_session_process(work->session, 100) != -ENOTCONN)
			continue;
		if (*work->node && access(work->node, F_OK))
			return restart(work);
		usleep(100000);
	}
	return -EIO;
}

static void pace(const struct work *work)
{
	struct timespec time = {
		.tv_sec = work->options.pace_ms / 1000,
		.tv_nsec = work->options.pace_ms % 1000 * 1000000,
	};

	nanosleep(&time, NULL);
}

static int safe_point(struct work *work)
{
	int err;

	work->moved = false;
	err = egpu_session_safe(work->session, work->state.step, &work->state,
				sizeof(work->state));
	if (work->moved)
		maybe_die(work, "confirm");
	/* egpud has gone as well, or has no checkpoint. */
	if (err == -ENODEV || (err && work->lost) || work->hopeless)
		return restart(work);
	return 0;
}

static int run(struct work *work)
{
	int err = 0;

	while (!err && !ended &&
	       (!work->options.steps || work->state.step < work->options.steps)) {
		if (compute(work))
			say_step(&work->state);
		else
			err = wait_until_lost(work);
		if (!err)
			err = safe_point(work);
		pace(work);
	}
	return err;
}

/* The same in memory, and nothing else: what a right program comes to. */
static uint64_t chain(uint64_t steps, bool print)
{
	static struct cells now, next;
	struct state state = { 0 };

	cells_begin(&now);
	while (state.step < steps) {
		state.sum = cells_chain(state.sum, &now);
		cells_next(&next, &now);
		now = next;
		state.step++;
		if (print)
			say_step(&state);
	}
	return state.sum;
}

static int begin(struct work *work)
{
	const struct options *options = &work->options;
	int err;

	err = create(work, options->cpu ? NULL : options->node);
	if (err) {
		fprintf(stderr, "cannot make buffers on %s: %s\n",
			options->cpu ? "the CPU" : options->node,
			strerror(-err));
		return err;
	}
	if (options->path)
		err = egpu_session_open_at(&work->session, options->path,
					   "example", &ops, work);
	else
		err = egpu_session_open(&work->session, "example", &ops, work);
	if (!err)
		err = add(work);
	if (err) {
		fprintf(stderr, "egpud does not take the buffers: %s\n",
			work->session ? egpu_session_error(work->session) :
					strerror(-err));
		return err;
	}
	say("session connected=%d interval_ms=%u kind=%u stride=%u pid=%d",
	    egpu_session_fd(work->session) >= 0,
	    egpu_session_interval_ms(work->session),
	    work->surface[0].buffer.kind, work->surface[0].canvas.stride,
	    getpid());
	return 0;
}

static int finish(struct work *work, int err)
{
	uint64_t sum = work->state.sum;

	if (err) {
		say("error step=%" PRIu64 " why=\"%s\"", work->state.step,
		    strerror(-err));
	} else {
		if (work->options.check && chain(work->state.step, false) != sum)
			err = -EIO;
		say("finished step=%" PRIu64 " checksum=%016" PRIx64 "%s",
		    work->state.step, sum,
		    !work->options.check ? "" :
		    err			 ? " wrong" :
					   " right");
	}
	egpu_session_close(work->session);
	surface_close(&work->surface[0]);
	surface_close(&work->surface[1]);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- options ----------------------------------------------------------------- */

static const char usage[] =
	"usage: egpu-example [OPTION...] NODE    work on the GPU of /dev/dri/cardN\n"
	"       egpu-example [OPTION...] --cpu   work in memory\n"
	"       egpu-example --verify[=STEPS]    print the checksums of all steps\n"
	"\n"
	"  --side PIXELS    of the picture, a multiple of 128 (256)\n"
	"  --ms TIME        between steps (50)\n"
	"  --steps N        end after N steps (never)\n"
	"  --check          at the end compute all again in memory and compare\n"
	"  --socket PATH    of egpud\n"
	"  --user UID       work as this user\n"
	"  --die-at WHERE   be killed in a move: reach, safe, move, confirm\n";

enum {
	OPTION_SIDE = 1,
	OPTION_MS,
	OPTION_STEPS,
	OPTION_CHECK,
	OPTION_SOCKET,
	OPTION_USER,
	OPTION_DIE,
	OPTION_CPU,
	OPTION_VERIFY,
};

static const struct option long_options[] = {
	{ "side", required_argument, NULL, OPTION_SIDE },
	{ "ms", required_argument, NULL, OPTION_MS },
	{ "steps", required_argument, NULL, OPTION_STEPS },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "die-at", required_argument, NULL, OPTION_DIE },
	{ "cpu", no_argument, NULL, OPTION_CPU },
	{ "verify", optional_argument, NULL, OPTION_VERIFY },
	{ 0 },
};

static void take_option(struct options *options, int option)
{
	switch (option) {
	case OPTION_SIDE:
		options->side = strtoul(optarg, NULL, 10);
		break;
	case OPTION_MS:
		options->pace_ms = strtoul(optarg, NULL, 10);
		break;
	case OPTION_STEPS:
		options->steps = strtoull(optarg, NULL, 10);
		break;
	case OPTION_CHECK:
		options->check = true;
		break;
	case OPTION_SOCKET:
		options->path = optarg;
		break;
	case OPTION_USER:
		options->user = strtol(optarg, NULL, 10);
		break;
	case OPTION_DIE:
		options->die_at = optarg;
		break;
	case OPTION_CPU:
		options->cpu = true;
		break;
	case OPTION_VERIFY:
		options->verify = optarg ? strtoull(optarg, NULL, 10) :
					   VERIFY_STEPS;
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void take_options(struct options *options, int argc, char **argv)
{
	int option;

	*options = (struct options){ .side = 256, .pace_ms = 50, .user = -1 };
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(options, option);
	options->node = argv[optind];
	if (options->side % CELLS || !options->side || options->side > 16384 ||
	    (!options->node && !options->cpu && !options->verify) ||
	    (options->node && optind + 1 != argc)) {
		fputs(usage, stderr);
		exit(2);
	}
}

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

static void take_signals(void)
{
	struct sigaction end = { .sa_handler = on_end };
	struct sigaction bus = { .sa_handler = on_bus_error,
				 .sa_flags = SA_NODEFER };

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGBUS, &bus, NULL);
}

int main(int argc, char **argv)
{
	static struct work work;
	int err;

	take_options(&work.options, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (work.options.verify) {
		chain(work.options.verify, true);
		return EXIT_SUCCESS;
	}
	if (work.options.user >= 0 &&
	    (setgid(work.options.user) || setuid(work.options.user))) {
		perror("cannot become this user");
		return EXIT_FAILURE;
	}
	take_signals();
	if (begin(&work))
		return EXIT_FAILURE;
	err = run(&work);
	return finish(&work, err);
}
