// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * On which GPU the work of a session is, when there is more than one answer.
 */
#include "desk.h"
#include "peer.h"
#include "test.h"

#define INODE 4711

static struct egpu_device *second;
static struct session *session;

/* A session with a buffer, and another GPU. */
static void start(void)
{
	peer_open();
	peer_add_buffer(1);
	second = kernel_add(&desk_kernel, WORLD_GPU2, true);
	desk_settle();
	probe_free_all(&desk_daemon);
	session = peer_session();
	assert_int_equal(session->n, 1);
}

static void opens(const struct egpu_device *device)
{
	desk_kernel.clients[0] = (struct egpu_client){
		.present = ~0ull,
		.id = device->id,
		.pid = (uint32_t)session->process.pid,
	};
	desk_kernel.n_clients = 1;
}

static void has_its_buffer(const struct egpu_device *device)
{
	session->buffer[0].inode = INODE;
	desk_kernel.buffers[0] = (struct egpu_buffer){
		.present = ~0ull,
		.id = device->id,
		.dma_buf = INODE,
	};
	desk_kernel.n_buffers = 1;
}

static void put_on(uint32_t id)
{
	session->device = id;
	session->put = true;
}

static void where_it_has_a_buffer(void **state)
{
	(void)state;
	start();
	opens(second);
	has_its_buffer(peer_gpu);
	place_all(desk_daemon.work);
	assert_int_equal(session->device, peer_gpu->id);
}

/* It has moved a moment ago, and has not closed yet what it comes from. */
static void still_open_where_it_was(void **state)
{
	(void)state;
	start();
	opens(peer_gpu);
	put_on(second->id);
	place_all(desk_daemon.work);
	assert_int_equal(session->device, second->id);
	assert_true(session->put);
}

static void later_it_has_its_buffers_elsewhere(void **state)
{
	(void)state;
	start();
	has_its_buffer(peer_gpu);
	put_on(second->id);
	place_all(desk_daemon.work);
	assert_int_equal(session->device, peer_gpu->id);
	assert_false(session->put);
}

/* What is done for work whose GPU goes begins with the event. */
static void gone_but_not_yet_told(void **state)
{
	const uint32_t gone = 4712;

	(void)state;
	start();
	opens(peer_gpu);
	session->device = gone;
	place_all(desk_daemon.work);
	assert_int_equal(session->device, gone);
}

#define T(name) cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)

static const struct CMUnitTest tests[] = {
	T(where_it_has_a_buffer),
	T(still_open_where_it_was),
	T(later_it_has_its_buffers_elsewhere),
	T(gone_but_not_yet_told),
};

TEST_MAIN(tests, NULL, NULL)
