/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work in flight on a GPU: the fences of its clients' buffers.
 */
#ifndef _EGPU_DRM_FENCES_H
#define _EGPU_DRM_FENCES_H

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/wait.h>

#include "egpu.h"

/* Fences waited for at a time. Where there are more, the next look has them. */
#define EGPU_FENCES_MAX 256

struct egpu_fences;

/**
 * struct egpu_fence_entry - a fence that is waited for
 * @fence: referenced
 * @owner: the driver's module, whose code the fence is, referenced
 * @callback: called when it signals
 * @fences: where this is
 * @armed: @callback was taken by the fence
 * @called: @callback has been called and touches nothing any more
 */
struct egpu_fence_entry {
	struct dma_fence *fence;
	struct module *owner;
	struct dma_fence_cb callback;
	struct egpu_fences *fences;
	bool armed;
	bool called;
};

/**
 * struct egpu_fences - what a look has found in flight
 * @wake: woken when all have signalled
 * @left: how many have not, once they are waited for
 * @clients: DRM files seen
 * @buffers: buffers seen
 * @full: there are more than there is room for, so not all was seen
 * @n: entries in use
 * @entry: the fences, each once
 */
struct egpu_fences {
	wait_queue_head_t *wake;
	atomic_t left;
	u32 clients;
	u32 buffers;
	bool full;
	unsigned int n;
	struct egpu_fence_entry entry[EGPU_FENCES_MAX];
};

#if IS_ENABLED(CONFIG_DRM)
int egpu_fences_look(struct pci_dev *pdev, struct egpu_fences *fences);
int egpu_fences_blame(struct pci_dev *pdev, struct egpu_fences *fences,
		      struct egpu_blame *blame);
void egpu_fences_arm(struct egpu_fences *fences);
void egpu_fences_drop(struct egpu_fences *fences);
#else
static inline int egpu_fences_look(struct pci_dev *pdev,
				   struct egpu_fences *fences)
{
	return 0;
}

static inline int egpu_fences_blame(struct pci_dev *pdev,
				    struct egpu_fences *fences,
				    struct egpu_blame *blame)
{
	return 0;
}

static inline void egpu_fences_arm(struct egpu_fences *fences)
{
}

static inline void egpu_fences_drop(struct egpu_fences *fences)
{
}
#endif

/**
 * egpu_fences_signalled - have all signalled that are waited for
 * @fences: as left by egpu_fences_arm()
 *
 * Return: true if so.
 */
static inline bool egpu_fences_signalled(const struct egpu_fences *fences)
{
	return !atomic_read(&fences->left);
}

#endif /* _EGPU_DRM_FENCES_H */
