// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Short texts for people. The buffers have TEXT_SIZE bytes.
 */
#include <inttypes.h>
#include <string.h>

#include "../common/text.h"
#include "ctl.h"

/* "8 GT/s x4", or "-" when the link is not known. */
const char *describe_link(const struct egpu_device *device, char *buf)
{
	uint32_t tenths = (device->link_speed + 50) / 100;

	if (!device->link_speed || !device->link_width)
		return strcpy(buf, "-");
	if (tenths % 10)
		snprintf(buf, TEXT_SIZE, "%u.%u GT/s x%u", tenths / 10,
			 tenths % 10, device->link_width);
	else
		snprintf(buf, TEXT_SIZE, "%u GT/s x%u", tenths / 10,
			 device->link_width);
	return buf;
}

/* "external (thunderbolt)": what it is and what says so. */
const char *describe_placement(const struct egpu_device *device, char *buf)
{
	char marker[EGPU_NAME_SIZE];
	const char *where = device->external ? "external" : "internal";

	if (device->marker == EGPU_MARKER_NONE)
		snprintf(buf, TEXT_SIZE, "%s", where);
	else
		snprintf(buf, TEXT_SIZE, "%s (%s)", where,
			 egpu_name_text(EGPU_NAMES_MARKER, device->marker,
					marker, sizeof(marker)));
	return buf;
}

/* Adds the nodes of one type; how long the text is now. */
static size_t add_nodes(const struct egpu_minor *minors, uint32_t n,
			uint32_t type, char *buf, size_t at)
{
	char path[32];
	uint32_t i;
	int len;

	for (i = 0; i < n; i++) {
		if (minors[i].type != type ||
		    !egpu_minor_path(&minors[i], path, sizeof(path)))
			continue;
		len = snprintf(buf + at, TEXT_SIZE - at, "%s%s", at ? " " : "",
			       strrchr(path, '/') + 1);
		if (len < 0 || at + len >= TEXT_SIZE)
			break;
		at += len;
	}
	return at;
}

/* "card1 renderD129", or "-"; the order is that of the types. */
const char *describe_nodes(const struct egpu_minor *minors, uint32_t n,
			   char *buf)
{
	size_t at = 0;
	uint32_t type;

	strcpy(buf, "-");
	for (type = 0; type < EGPU_MINOR_TYPE_OTHER; type++)
		at = add_nodes(minors, n, type, buf, at);
	return buf;
}

/* "GPU 1 (0000:07:00.0, amdgpu)" */
static const char *describe(uint32_t id, const char *address,
			    const char *driver, char *buf)
{
	char safe_address[EGPU_ADDRESS_LEN + 1], safe_driver[EGPU_STRING_MAX];

	text_printable(address, safe_address, sizeof(safe_address));
	text_printable(driver, safe_driver, sizeof(safe_driver));
	snprintf(buf, TEXT_SIZE, "GPU %u (%s%s%s)", id, safe_address,
		 *safe_driver ? ", " : "", safe_driver);
	return buf;
}

const char *describe_device(const struct egpu_device *device, char *buf)
{
	return describe(device->id, device->address, device->driver, buf);
}

const char *describe_removed(const struct egpu_removal *removal, char *buf)
{
	return describe(removal->id, removal->address, removal->driver, buf);
}

/* "marked, absent", or "none" */
const char *describe_evidence(uint32_t evidence, char *buf)
{
	char unknown[EGPU_NAME_SIZE];
	size_t at = 0;
	int bit, len;

	strcpy(buf, "none");
	for (bit = 0; bit < 32; bit++) {
		if (!(evidence & (1u << bit)))
			continue;
		len = snprintf(buf + at, TEXT_SIZE - at, "%s%s", at ? ", " : "",
			       egpu_name_text(EGPU_NAMES_EVIDENCE, 1u << bit,
					      unknown, sizeof(unknown)));
		if (len < 0 || at + len >= TEXT_SIZE)
			break;
		at += len;
	}
	return buf;
}

/* "1.5 MiB" */
const char *describe_bytes(uint64_t bytes, char *buf)
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	uint64_t tenths = bytes * 10;
	size_t i = 0;

	if (bytes > UINT64_MAX / 10)
		return strcpy(buf, "-");
	for (; tenths >= 10240 && i < 4; i++)
		tenths = (tenths + 512) / 1024;
	if (i && tenths < 1000)
		snprintf(buf, TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " %s",
			 tenths / 10, tenths % 10, unit[i]);
	else
		snprintf(buf, TEXT_SIZE, "%" PRIu64 " %s", tenths / 10, unit[i]);
	return buf;
}

/* "12.3 s", "45.678 ms" */
const char *describe_duration(uint64_t ns, char *buf)
{
	if (ns < 1000000000)
		snprintf(buf, TEXT_SIZE, "%.3f ms", (double)ns / 1e6);
	else
		snprintf(buf, TEXT_SIZE, "%.1f s", (double)ns / 1e9);
	return buf;
}

/* What a helper does, as it says; "" for a step that is not known here. */
const char *describe_step(uint32_t step)
{
	static const char *const text[] = {
		[EGPU_STEP_NONE] = "",
		[EGPU_STEP_FENCE] = "its nodes are closed to new opens",
		[EGPU_STEP_ASK] = "programs are asked to let go",
		[EGPU_STEP_FREEZE] = "what still uses it is frozen",
		[EGPU_STEP_DRAIN] = "work in flight is awaited",
		[EGPU_STEP_REMOVE] = "the helper is done",
	};

	return step < sizeof(text) / sizeof(text[0]) ? text[step] : "";
}

/* "3 clients, 120 buffers, 2 passes, 14 fences awaited, 1 pending" */
const char *describe_quiesce(const struct egpu_quiesce *quiesce, char *buf)
{
	snprintf(buf, TEXT_SIZE,
		 "%u client%s, %u buffer%s, %u pass%s, %u fence%s awaited, %u pending",
		 quiesce->clients, quiesce->clients == 1 ? "" : "s",
		 quiesce->buffers, quiesce->buffers == 1 ? "" : "s",
		 quiesce->passes, quiesce->passes == 1 ? "" : "es",
		 quiesce->waited, quiesce->waited == 1 ? "" : "s",
		 quiesce->pending);
	return buf;
}

/* Why a removal stopped waiting, as the end of a sentence. */
const char *describe_release(uint32_t release)
{
	static const char *const text[] = {
		[EGPU_RELEASE_NOT_YET] = "it still waits",
		[EGPU_RELEASE_ACKED] = "the helper was done",
		[EGPU_RELEASE_UNATTENDED] = "no helper listened",
		[EGPU_RELEASE_NOT_ACCEPTED] = "no helper accepted in time",
		[EGPU_RELEASE_TIMED_OUT] = "the helper was not done in time",
		[EGPU_RELEASE_HELPER_DIED] = "the helper died",
		[EGPU_RELEASE_GONE] = "the GPU was gone already",
		[EGPU_RELEASE_OVERTAKEN] =
			"the GPU went while a helper was awaited",
		[EGPU_RELEASE_UNLOADED] = "the egpu module was unloaded",
		[EGPU_RELEASE_INTERNAL] = "the GPU is internal and not held",
		[EGPU_RELEASE_WITHDRAWN] = "the eject was called off or refused",
	};

	if (release >= sizeof(text) / sizeof(text[0]))
		return "for a reason that is not known here";
	return text[release];
}
