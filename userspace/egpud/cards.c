// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * GPUs on a cable, with their nodes: looked up while they come and change, so
 * that they are known when a removal is held and nothing may be looked up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "egpud.h"

struct card *card_find(struct daemon *daemon, uint32_t id)
{
	struct card *card;

	for (card = daemon->cards; card; card = card->next) {
		if (card->id == id)
			return card;
	}
	return NULL;
}

static void forget(struct daemon *daemon, struct card *card)
{
	struct card **link = &daemon->cards;

	while (*link != card)
		link = &(*link)->next;
	*link = card->next;
	probe_stop(daemon, card->id);
	nodes_free(&card->nodes);
	free(card);
}

/**
 * card_copy_nodes() - the nodes of a GPU as they were last seen
 * @card: GPU
 * @nodes: overwritten
 *
 * Return: 0 or -ENOMEM.
 */
int card_copy_nodes(const struct card *card, struct nodes *nodes)
{
	memset(nodes, 0, sizeof(*nodes));
	if (!card->nodes.n)
		return 0;
	nodes->item = calloc(card->nodes.n, sizeof(*nodes->item));
	if (!nodes->item)
		return -ENOMEM;
	memcpy(nodes->item, card->nodes.item,
	       card->nodes.n * sizeof(*nodes->item));
	nodes->n = card->nodes.n;
	nodes->size = nodes->n;
	return 0;
}

/* Looks the nodes up again; after an error those known before are kept. */
void card_renew(struct daemon *daemon, struct card *card)
{
	struct nodes nodes = { 0 };
	int err = nodes_find(daemon->roots, card->address, &nodes);

	if (err) {
		nodes_free(&nodes);
		log_line(LOG_WARNING, "cannot find the nodes of %s: %s",
			 card->address, strerror(-err));
		return;
	}
	nodes_free(&card->nodes);
	card->nodes = nodes;
}

static struct card *add(struct daemon *daemon, const struct egpu_device *device)
{
	struct card *card = calloc(1, sizeof(*card));

	if (!card) {
		log_line(LOG_ERR, "cannot take %s in: out of memory",
			 device->address);
		return NULL;
	}
	card->id = device->id;
	strcpy(card->address, device->address);
	card->next = daemon->cards;
	daemon->cards = card;
	return card;
}

static void take_device(struct daemon *daemon, const struct egpu_device *device)
{
	struct card *card = card_find(daemon, device->id);

	if (!device->external)
		return;
	if (!card)
		card = add(daemon, device);
	/* While it is leaving its nodes are somewhere else, or going. */
	if (!card || device->cookie ||
	    device->state == EGPU_DEVICE_STATE_LEAVING)
		return;
	card_renew(daemon, card);
	if (device->state != EGPU_DEVICE_STATE_READY)
		card->ready = false;
	else if (!card->ready)
		probe_start(daemon, device->id);
}

/**
 * cards_take_event() - keep the list of GPUs
 * @daemon: daemon
 * @event: event
 */
void cards_take_event(struct daemon *daemon, const struct egpu_event *event)
{
	struct card *card;

	switch (event->type) {
	case EGPU_EVENT_CONNECTED:
	case EGPU_EVENT_CHANGED:
		take_device(daemon, event->device);
		break;
	case EGPU_EVENT_DISCONNECTED:
		card = card_find(daemon, event->removal->id);
		if (card)
			forget(daemon, card);
		break;
	case EGPU_EVENT_MODULE_GONE:
		cards_free(daemon);
		break;
	}
}

void cards_free(struct daemon *daemon)
{
	while (daemon->cards)
		forget(daemon, daemon->cards);
}
