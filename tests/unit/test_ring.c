// SPDX-License-Identifier: MIT
/* The rings, from both ends, on one page of ordinary memory. */
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

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
