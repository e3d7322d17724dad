// SPDX-License-Identifier: MIT
/*
 * The rings, from both ends, in ordinary memory: one of version 1 in its page, and the two of
 * version 2, whose heads lie in a page of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <barrier.h>
#include <error.h>
#include <ring.h>

struct pair {
	_Alignas(64) uint8_t page[USBIF_PAGE_SIZE];
	struct front_ring front;
	struct back_ring back;
};

static int setup(void **state)
{
	struct pair *pair = aligned_alloc(64, (sizeof(*pair) + 63) / 64 * 64);

	memset(pair, 0, sizeof(*pair));
	front_ring_init(&pair->front, ring_page_usbif(pair->page, sizeof(union usbif_urb_slot),
						      USBIF_URB_RING_SLOTS));
	if (back_ring_init(&pair->back, ring_page_usbif(pair->page, sizeof(union usbif_urb_slot),
							USBIF_URB_RING_SLOTS)) != XVHC_OK)
		return -1;
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* Moves all indices, as if the ring had been in use for long. */
static void start_at(struct pair *pair, uint32_t index)
{
	struct usbif_ring_head *head = pair->front.page.head;

	head->req_prod = head->rsp_prod = index;
	head->req_event = head->rsp_event = index + 1;
	pair->front.req_prod_pvt = pair->front.req_prod_pub = pair->front.rsp_cons = index;
	assert_int_equal(back_ring_init(&pair->back,
					ring_page_usbif(pair->page, sizeof(union usbif_urb_slot),
							USBIF_URB_RING_SLOTS)),
			 XVHC_OK);
}

static void put_request(struct pair *pair, uint16_t id)
{
	struct usbif_urb_request request = {.id = id};

	front_ring_put(&pair->front, &request, sizeof(request));
}

static void take_request(struct pair *pair, uint16_t id)
{
	struct usbif_urb_request request;

	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), 1);
	assert_int_equal(request.id, id);
}

static void put_response(struct pair *pair, uint16_t id)
{
	struct usbif_urb_response response = {.id = id};

	back_ring_put(&pair->back, &response, sizeof(response));
}

static void take_response(struct pair *pair, uint16_t id)
{
	struct usbif_urb_response response;

	assert_int_equal(front_ring_take(&pair->front, &response, sizeof(response)), 1);
	assert_int_equal(response.id, id);
}

static void round_trip(struct pair *pair, uint16_t first, uint16_t count)
{
	bool notify;
	uint16_t i;

	for (i = 0; i < count; i++)
		put_request(pair, (uint16_t)(first + i));
	notify = front_ring_push(&pair->front);
	assert_true(notify);
	for (i = 0; i < count; i++)
		take_request(pair, (uint16_t)(first + i));
	assert_false(back_ring_recheck(&pair->back));
	for (i = 0; i < count; i++)
		put_response(pair, (uint16_t)(first + i));
	notify = back_ring_push(&pair->back);
	assert_true(notify);
	for (i = 0; i < count; i++)
		take_response(pair, (uint16_t)(first + i));
	assert_false(front_ring_recheck(&pair->front));
}

static void requests_and_responses_keep_their_order(void **state)
{
	uint16_t i;

	for (i = 0; i < 100; i++)
		round_trip(*state, (uint16_t)(i * 16), 1 + i % 16);
}

static void indices_wrap_at_two_to_the_thirty_two(void **state)
{
	uint16_t i;

	start_at(*state, 0xfffffff0);
	for (i = 0; i < 10; i++)
		round_trip(*state, (uint16_t)(i * 16), 7);
}

static void nothing_to_take_in_an_empty_ring(void **state)
{
	struct pair *pair = *state;
	struct usbif_urb_request request;
	struct usbif_urb_response response;

	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), 0);
	assert_int_equal(front_ring_take(&pair->front, &response, sizeof(response)), 0);
	put_request(pair, 1);
	/* Not published yet. */
	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), 0);
}

static void full_ring_has_no_room(void **state)
{
	struct pair *pair = *state;
	uint16_t i;

	for (i = 0; i < USBIF_URB_RING_SLOTS; i++) {
		assert_int_equal(front_ring_free(&pair->front), USBIF_URB_RING_SLOTS - i);
		put_request(pair, i);
	}
	assert_int_equal(front_ring_free(&pair->front), 0);
	assert_true(front_ring_push(&pair->front));
	take_request(pair, 0);
	assert_int_equal(front_ring_free(&pair->front), 0);
	put_response(pair, 0);
	assert_true(back_ring_push(&pair->back));
	take_response(pair, 0);
	assert_int_equal(front_ring_free(&pair->front), 1);
}

static void request_index_past_the_ring(void **state)
{
	struct pair *pair = *state;
	struct usbif_urb_request request;

	pair->front.page.head->req_prod = USBIF_URB_RING_SLOTS;
	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), 1);
	pair->front.page.head->req_prod = USBIF_URB_RING_SLOTS + 1;
	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), XVHC_EPROTO);
}

static void request_index_that_goes_back(void **state)
{
	struct pair *pair = *state;
	struct usbif_urb_request request;

	pair->front.page.head->req_prod = 3;
	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), 1);
	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), 1);
	pair->front.page.head->req_prod = 1;
	assert_int_equal(back_ring_take(&pair->back, &request, sizeof(request)), XVHC_EPROTO);
}

static void response_index_past_what_was_asked(void **state)
{
	struct pair *pair = *state;
	struct usbif_urb_response response;

	put_request(pair, 1);
	assert_true(front_ring_push(&pair->front));
	pair->front.page.head->rsp_prod = 2;
	assert_int_equal(front_ring_take(&pair->front, &response, sizeof(response)), XVHC_EPROTO);
}

static void response_index_that_goes_back(void **state)
{
	struct pair *pair = *state;
	struct usbif_urb_response response;

	start_at(pair, 10);
	pair->front.page.head->rsp_prod = 9;
	assert_int_equal(front_ring_take(&pair->front, &response, sizeof(response)), XVHC_EPROTO);
}

static void indices_that_cannot_be_true_at_the_start(void **state)
{
	struct pair *pair = *state;

	pair->front.page.head->req_prod = USBIF_URB_RING_SLOTS + 1;
	assert_int_equal(back_ring_init(&pair->back,
					ring_page_usbif(pair->page, sizeof(union usbif_urb_slot),
							USBIF_URB_RING_SLOTS)),
			 XVHC_EPROTO);
}

static void requests_put_before_the_backend_came(void **state)
{
	struct pair *pair = *state;

	put_request(pair, 5);
	assert_true(front_ring_push(&pair->front));
	assert_int_equal(back_ring_init(&pair->back,
					ring_page_usbif(pair->page, sizeof(union usbif_urb_slot),
							USBIF_URB_RING_SLOTS)),
			 XVHC_OK);
	take_request(pair, 5);
}

static void request_while_the_other_is_awake_needs_no_notification(void **state)
{
	struct pair *pair = *state;

	put_request(pair, 1);
	assert_true(front_ring_push(&pair->front));
	put_request(pair, 2);
	/* The backend has not said that it sleeps again. */
	assert_false(front_ring_push(&pair->front));
	take_request(pair, 1);
	take_request(pair, 2);
	assert_false(back_ring_recheck(&pair->back));
	put_request(pair, 3);
	assert_true(front_ring_push(&pair->front));
}

static void request_that_comes_while_going_to_sleep_is_seen(void **state)
{
	struct pair *pair = *state;

	assert_false(back_ring_recheck(&pair->back));
	put_request(pair, 1);
	assert_true(front_ring_push(&pair->front));
	assert_true(back_ring_recheck(&pair->back));
}

static void response_wipes_the_rest_of_its_slot(void **state)
{
	struct pair *pair = *state;
	uint32_t i;

	memset(pair->back.page.slots, 0xa5, sizeof(union usbif_urb_slot));
	pair->front.page.head->req_prod = 1;
	assert_false(back_ring_owes_response(&pair->back));
	take_request(pair, 0xa5a5);
	assert_true(back_ring_owes_response(&pair->back));
	put_response(pair, 0);
	assert_false(back_ring_owes_response(&pair->back));
	for (i = 0; i < sizeof(union usbif_urb_slot); i++)
		assert_int_equal(pair->back.page.slots[i], 0);
}

/* Version 2: two rings, whose heads lie in one page, and the request ring's slots in others. */

struct rings_2 {
	_Alignas(4096) uint8_t head[XVHCIF_PAGE_SIZE];
	_Alignas(4096) uint8_t slots[XVHCIF_RING_PAGES_MAX][XVHCIF_PAGE_SIZE];
	uint8_t behind[64];
	struct front_ring front, front_events;
	struct back_ring back, back_events;
};

static struct rings_2 rings;

static int setup_2(void **state)
{
	memset(&rings, 0, sizeof(rings));
	memset(rings.behind, 0xa5, sizeof(rings.behind));
	front_ring_init(&rings.front,
			ring_page_requests(rings.head, rings.slots, XVHCIF_SLOTS_MAX));
	front_ring_init(&rings.front_events, ring_page_events(rings.head));
	if (back_ring_init(&rings.back, ring_page_requests(rings.head, rings.slots,
							   XVHCIF_SLOTS_MAX)) != XVHC_OK ||
	    back_ring_init(&rings.back_events, ring_page_events(rings.head)) != XVHC_OK)
		return -1;
	*state = &rings;
	return 0;
}

static void put_2(uint32_t value)
{
	uint8_t request[XVHCIF_SLOT_SIZE];

	memset(request, (int)value, sizeof(request));
	front_ring_put(&rings.front, request, sizeof(request));
}

static void heads_and_slots_lie_where_the_wire_says(void **state)
{
	static const uint8_t event[4] = {1, 2, 3, 4};

	(void)state;
	/* req_event and rsp_event of both are 1, little-endian. */
	assert_memory_equal(rings.head + 4, ((uint8_t[]){1, 0, 0, 0}), 4);
	assert_memory_equal(rings.head + 12, ((uint8_t[]){1, 0, 0, 0}), 4);
	assert_memory_equal(rings.head + 64 + 4, ((uint8_t[]){1, 0, 0, 0}), 4);
	assert_memory_equal(rings.head + 64 + 12, ((uint8_t[]){1, 0, 0, 0}), 4);
	put_2(7);
	assert_true(front_ring_push(&rings.front));
	assert_memory_equal(rings.head, ((uint8_t[]){1, 0, 0, 0}), 4);
	assert_int_equal(rings.slots[0][0], 7);
	assert_int_equal(rings.slots[0][63], 7);
	assert_int_equal(rings.slots[0][64], 0);
	front_ring_put(&rings.front_events, event, sizeof(event));
	front_ring_put(&rings.front_events, event, sizeof(event));
	assert_true(front_ring_push(&rings.front_events));
	assert_memory_equal(rings.head + 64, ((uint8_t[]){2, 0, 0, 0}), 4);
	assert_memory_equal(rings.head + 2048, event, 4);
	assert_memory_equal(rings.head + 2048 + 16, event, 4);
	/* The one knows nothing of the other. */
	assert_memory_equal(rings.head, ((uint8_t[]){1, 0, 0, 0}), 4);
}

static void indices_are_little_endian(void **state)
{
	uint8_t request[XVHCIF_SLOT_SIZE];

	(void)state;
	/* 0x00000100: as many as there are slots. */
	memcpy(rings.head, (uint8_t[]){0, 1, 0, 0}, 4);
	assert_int_equal(back_ring_take(&rings.back, request, sizeof(request)), 1);
	memcpy(rings.head, (uint8_t[]){1, 1, 0, 0}, 4);
	assert_int_equal(back_ring_take(&rings.back, request, sizeof(request)), XVHC_EPROTO);
	memcpy(rings.head, (uint8_t[]){0, 0, 0, 1}, 4);
	assert_int_equal(back_ring_take(&rings.back, request, sizeof(request)), XVHC_EPROTO);
}

static void requests_go_through_all_pages_and_begin_again(void **state)
{
	uint8_t request[XVHCIF_SLOT_SIZE];
	uint32_t i, n;

	(void)state;
	for (n = 0; n < 3; n++) {
		for (i = 0; i < XVHCIF_SLOTS_MAX; i++)
			put_2(i);
		assert_int_equal(front_ring_free(&rings.front), 0);
		assert_true(front_ring_push(&rings.front));
		for (i = 0; i < XVHCIF_SLOTS_MAX; i++)
			assert_int_equal(rings.slots[i / 64][i % 64 * 64 + 63], i);
		for (i = 0; i < XVHCIF_SLOTS_MAX; i++) {
			assert_int_equal(back_ring_take(&rings.back, request, sizeof(request)), 1);
			assert_int_equal(request[0], i);
			back_ring_put(&rings.back, request, sizeof(request));
		}
		assert_false(back_ring_recheck(&rings.back));
		assert_true(back_ring_push(&rings.back));
		for (i = 0; i < XVHCIF_SLOTS_MAX; i++)
			assert_int_equal(front_ring_take(&rings.front, request, sizeof(request)),
					 1);
		assert_false(front_ring_recheck(&rings.front));
	}
	for (i = 0; i < sizeof(rings.behind); i++)
		assert_int_equal(rings.behind[i], 0xa5);
}

static void ring_of_one_page_has_64_slots(void **state)
{
	uint8_t request[XVHCIF_SLOT_SIZE];
	struct back_ring back;

	(void)state;
	memcpy(rings.head, (uint8_t[]){64, 0, 0, 0}, 4);
	assert_int_equal(back_ring_init(&back, ring_page_requests(rings.head, rings.slots, 64)),
			 XVHC_OK);
	assert_int_equal(back_ring_take(&back, request, sizeof(request)), 1);
	memcpy(rings.head, (uint8_t[]){65, 0, 0, 0}, 4);
	assert_int_equal(back_ring_take(&back, request, sizeof(request)), XVHC_EPROTO);
	assert_int_equal(back_ring_init(&back, ring_page_requests(rings.head, rings.slots, 64)),
			 XVHC_EPROTO);
}

static void event_index_past_its_ring(void **state)
{
	struct xvhcif_event_request request;

	(void)state;
	memcpy(rings.head + 64, (uint8_t[]){128, 0, 0, 0}, 4);
	assert_int_equal(back_ring_take(&rings.back_events, &request, sizeof(request)), 1);
	memcpy(rings.head + 64, (uint8_t[]){129, 0, 0, 0}, 4);
	assert_int_equal(back_ring_take(&rings.back_events, &request, sizeof(request)),
			 XVHC_EPROTO);
}

static void events_fill_their_slots_to_the_end_of_the_page(void **state)
{
	struct xvhcif_event event;
	uint32_t i;

	(void)state;
	memset(&event, 0xee, sizeof(event));
	for (i = 0; i < XVHCIF_EVENT_SLOTS; i++)
		front_ring_put(&rings.front_events, &event, sizeof(event.id));
	assert_true(front_ring_push(&rings.front_events));
	for (i = 0; i < XVHCIF_EVENT_SLOTS; i++) {
		struct xvhcif_event_request request;

		assert_int_equal(back_ring_take(&rings.back_events, &request, sizeof(request)), 1);
		back_ring_put(&rings.back_events, &event, sizeof(event));
	}
	for (i = 0; i < 2048; i++)
		assert_int_equal(rings.head[2048 + i], 0xee);
	for (i = 128; i < 2048; i++)
		assert_int_equal(rings.head[i], 0);
	assert_int_equal(rings.slots[0][0], 0);
}

static void response_of_20_bytes_wipes_the_rest_of_its_slot(void **state)
{
	struct xvhcif_response response = {.id = 0x0101};
	uint8_t request[XVHCIF_SLOT_SIZE];
	uint32_t i;

	(void)state;
	put_2(0xff);
	put_2(0xff);
	assert_true(front_ring_push(&rings.front));
	assert_int_equal(back_ring_take(&rings.back, request, sizeof(request)), 1);
	back_ring_put(&rings.back, &response, sizeof(response));
	for (i = 2; i < 64; i++)
		assert_int_equal(rings.slots[0][i], 0);
	assert_int_equal(rings.slots[0][64], 0xff);
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define RINGS_2_TEST(name) cmocka_unit_test_setup(name, setup_2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(requests_and_responses_keep_their_order),
		RING_TEST(indices_wrap_at_two_to_the_thirty_two),
		RING_TEST(nothing_to_take_in_an_empty_ring),
		RING_TEST(full_ring_has_no_room),
		RING_TEST(request_index_past_the_ring),
		RING_TEST(request_index_that_goes_back),
		RING_TEST(response_index_past_what_was_asked),
		RING_TEST(response_index_that_goes_back),
		RING_TEST(indices_that_cannot_be_true_at_the_start),
		RING_TEST(requests_put_before_the_backend_came),
		RING_TEST(request_while_the_other_is_awake_needs_no_notification),
		RING_TEST(request_that_comes_while_going_to_sleep_is_seen),
		RING_TEST(response_wipes_the_rest_of_its_slot),
		RINGS_2_TEST(heads_and_slots_lie_where_the_wire_says),
		RINGS_2_TEST(indices_are_little_endian),
		RINGS_2_TEST(requests_go_through_all_pages_and_begin_again),
		RINGS_2_TEST(ring_of_one_page_has_64_slots),
		RINGS_2_TEST(event_index_past_its_ring),
		RINGS_2_TEST(events_fill_their_slots_to_the_end_of_the_page),
		RINGS_2_TEST(response_of_20_bytes_wipes_the_rest_of_its_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
