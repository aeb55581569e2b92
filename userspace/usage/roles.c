// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a process is to the session, told by its name.
 *
 * Anybody can choose a name. What a false one gains is that the process is not
 * frozen, which is no more than its user could have by other means; names that
 * make a process not count at all are believed of root only.
 */
#include <string.h>
#include <unistd.h>

#include "private.h"

/* As the kernel has them, so at most 15 characters. */
static const char *const display_servers[] = {
	"Hyprland",	"X",	       "Xorg",	      "Xwayland",
	"cage",		"cinnamon",    "cosmic-comp", "gamescope",
	"gamescope-wl", "gnome-shell", "hyprland",    "kwin_wayland",
	"kwin_x11",	"labwc",       "marco",	      "muffin",
	"mutter",	"niri",	       "phoc",	      "plymouthd",
	"river",	"sway",	       "wayfire",     "weston",
	"xfwm4",
};

static const char *const brokers[] = {
	"elogind",
	"elogind-daemon",
	"seatd",
	"systemd-logind",
};

static const char *const sound_servers[] = {
	"jackd",	  "jackdbus",	"pipewire",    "pipewire-media-",
	"pipewire-pulse", "pulseaudio", "wireplumber",
};

/* The last ones are children of egpud that move data. */
static const char *const ours[] = {
	"egpuctl",     "egpud",		"egpud-measure",
	"egpud-plain", "egpud-restore", "egpud-save",
};

static bool is_among(const char *const *names, size_t n, const char *comm)
{
	while (n--) {
		if (!strcmp(*names++, comm))
			return true;
	}
	return false;
}

/**
 * holder_role_of() - what a process is to the session
 * @process: the process
 *
 * A program that is the DRM master is a display server as well, whatever its
 * name; that is for who knows the masters to say.
 *
 * Return: its role.
 */
enum holder_role holder_role_of(const struct process *process)
{
	const char *comm = process->comm;

	if (process->pid == getpid())
		return ROLE_SELF;
	/* A child of the daemon's that moves data, of whatever user. */
	if (process->ppid == getpid() && !strncmp(comm, "egpud-", 6))
		return ROLE_SELF;
	if (process->pid == 1)
		return ROLE_INIT;
	if (!process->uid && (is_among(ours, ARRAY_SIZE(ours), comm) ||
			      !strncmp(comm, "egpud-", 6)))
		return ROLE_SELF;
	if (!process->uid && is_among(brokers, ARRAY_SIZE(brokers), comm))
		return ROLE_SESSION_BROKER;
	if (is_among(display_servers, ARRAY_SIZE(display_servers), comm))
		return ROLE_DISPLAY_SERVER;
	if (is_among(sound_servers, ARRAY_SIZE(sound_servers), comm))
		return ROLE_SOUND_SERVER;
	return ROLE_PROGRAM;
}

/**
 * holder_role_name() - the name of a role
 * @role: role
 *
 * Return: a constant string such as "display-server".
 */
const char *holder_role_name(enum holder_role role)
{
	static const char *const name[] = {
		[ROLE_PROGRAM] = "program",
		[ROLE_DISPLAY_SERVER] = "display-server",
		[ROLE_SESSION_BROKER] = "session-broker",
		[ROLE_SOUND_SERVER] = "sound-server",
		[ROLE_INIT] = "init",
		[ROLE_SELF] = "self",
	};

	return (size_t)role < ARRAY_SIZE(name) ? name[role] : "program";
}

/**
 * holder_how_name() - the name of a way to hold a GPU
 * @bit: one bit of enum holder_how
 *
 * Return: a constant string such as "dma-buf", or NULL when there is none.
 */
const char *holder_how_name(unsigned int bit)
{
	switch (bit) {
	case HOLDER_NODE:
		return "node";
	case HOLDER_MAPPED:
		return "mapped";
	case HOLDER_DMABUF:
		return "dma-buf";
	case HOLDER_SOUND:
		return "sound";
	case HOLDER_KFD:
		return "kfd";
	case HOLDER_VFIO:
		return "vfio";
	case HOLDER_OPENED_FOR:
		return "opened-for";
	}
	return NULL;
}

/**
 * holder_how_text() - the names of ways to hold a GPU
 * @how: bits of enum holder_how
 * @buf: where to put "node, dma-buf"
 * @size: size of @buf; 64 is enough
 *
 * Return: @buf; "none" when no bit is set.
 */
const char *holder_how_text(unsigned int how, char *buf, size_t size)
{
	const char *name;
	unsigned int bit;
	size_t at = 0;
	int len;

	snprintf(buf, size, "none");
	for (bit = 1; bit && bit <= how; bit <<= 1) {
		name = how & bit ? holder_how_name(bit) : NULL;
		if (!name)
			continue;
		len = snprintf(buf + at, size - at, "%s%s", at ? ", " : "",
			       name);
		if (len < 0 || at + len >= size)
			break;
		at += len;
	}
	return buf;
}
