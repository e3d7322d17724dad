// SPDX-License-Identifier: MIT
/*
 * The source whose devices are models.
 *
 * Transfers of one endpoint are served in their order: the oldest is given to the model, which
 * ends it or lets it wait. What has ended goes into a list, and an eventfd makes the worker's loop
 * call back for it: a source never calls back out of a call.
 */
#include "model.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <common/log.h>

/* A transfer under way, in the order of submission. */
struct waiting {
	struct model *model;
	struct source_transfer *transfer;
	bool ended;
};

static const struct source_calls *calls;
static int event = -1;
static struct model models[USBIF_PORT_MAX];
static struct waiting waiting[SOURCE_SLOTS];
static uint32_t waiting_count;

static const struct model_ops *const kinds[] = {
	[MODEL_DISK] = &model_disk,         [MODEL_LOOPBACK] = &model_loopback,
	[MODEL_KEYBOARD] = &model_keyboard, [MODEL_DISK_SUPER] = &model_disk_super,
	[MODEL_DFU] = &model_dfu,
};

static void wake(void)
{
	uint64_t one = 1;
	ssize_t written = write(event, &one, sizeof(one));

	(void)written;
}

static int model_init(struct loop *loop, const struct source_calls *worker_calls)
{
	calls = worker_calls;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;
	return loop_add(loop, event, EPOLLIN, LOOP_SOURCE);
}

static int model_start(uint32_t ports)
{
	(void)ports;
	return 0;
}

static uint32_t endpoint_bit(uint8_t endpoint)
{
	return 1u << ((endpoint & 0x0f) + (endpoint & 0x80 ? 16 : 0));
}

void model_halt(struct model *model, uint8_t endpoint)
{
	model->halted |= endpoint_bit(endpoint);
}

static struct source_transfer *end_transfer(uint32_t index, int error)
{
	struct source_transfer *transfer = waiting[index].transfer;

	transfer->error = error;
	waiting[index].ended = true;
	wake();
	return transfer;
}

static void serve_endpoint(struct model *model, uint8_t endpoint)
{
	uint32_t i;

	for (i = 0; i < waiting_count; i++) {
		struct source_transfer *transfer = waiting[i].transfer;
		int error = XVHC_ESTALL;

		if (waiting[i].ended || waiting[i].model != model ||
		    transfer->type == TRANSFER_CONTROL || transfer->endpoint != endpoint)
			continue;
		if ((model->halted & endpoint_bit(endpoint)) == 0)
			error = model->ops->transfer(model, transfer);
		if (error == MODEL_WAITS)
			return;
		end_transfer(i, error);
	}
}

/* A model may kick while one of its transfers is served: that comes after it. */
void model_kick(struct model *model, uint8_t endpoint)
{
	model->kicked |= endpoint_bit(endpoint);
	if (model->kicking)
		return;
	model->kicking = true;
	while (model->kicked) {
		uint32_t bit = (uint32_t)__builtin_ctz(model->kicked);

		model->kicked &= model->kicked - 1;
		serve_endpoint(model, (uint8_t)((bit & 15) | (bit & 16) << 3));
	}
	model->kicking = false;
}

static void end_all(struct model *model, int error)
{
	uint32_t i;

	for (i = 0; i < waiting_count; i++) {
		if (waiting[i].model == model && !waiting[i].ended)
			end_transfer(i, error);
	}
}

/* Standard requests that read. */

static uint32_t string_descriptor(const struct model *model, uint8_t index, uint8_t *data)
{
	const char *text = index == 1 ? "xvhc" : model->ops->product;
	uint32_t length = 2;

	if (index == 0) {
		memcpy(data, "\x04\x03\x09\x04", 4);
		return 4;
	}
	for (; *text; text++) {
		data[length++] = (uint8_t)*text;
		data[length++] = 0;
	}
	data[0] = (uint8_t)length;
	data[1] = DESCRIPTOR_STRING;
	return length;
}

static const uint8_t *find_configuration(const struct model *model, uint8_t index, uint32_t *length)
{
	const uint8_t *bytes = model->ops->descriptors + DESCRIPTOR_DEVICE_BYTES;
	const uint8_t *end = model->ops->descriptors + model->ops->descriptors_length;

	while (bytes < end && index-- > 0)
		bytes += descriptor_u16(bytes + 2);
	*length = bytes < end ? descriptor_u16(bytes + 2) : 0;
	return bytes;
}

static int get_descriptor(const struct model *model, const struct control_setup *setup,
			  uint8_t *data, uint32_t *actual)
{
	uint8_t string[256], index = (uint8_t)setup->value;
	const uint8_t *found = model->ops->descriptors;
	uint32_t length = 0;

	switch (setup->value >> 8) {
	case DESCRIPTOR_DEVICE:
		length = DESCRIPTOR_DEVICE_BYTES;
		break;
	case DESCRIPTOR_CONFIGURATION:
		found = find_configuration(model, index, &length);
		break;
	case DESCRIPTOR_STRING:
		found = string;
		length = index <= 2 ? string_descriptor(model, index, string) : 0;
		break;
	default:
		break;
	}
	if (length == 0)
		return XVHC_ESTALL;
	*actual = length < setup->length ? length : setup->length;
	memcpy(data, found, *actual);
	return XVHC_OK;
}

static int get_status(const struct model *model, const struct control_setup *setup, uint8_t *data,
		      uint32_t *actual)
{
	if (setup->length < 2)
		return XVHC_ESTALL;
	data[0] = setup->request_type == 0x82 &&
		  (model->halted & endpoint_bit((uint8_t)setup->index)) != 0;
	data[1] = 0;
	*actual = 2;
	return XVHC_OK;
}

static int get_byte(uint8_t byte, const struct control_setup *setup, uint8_t *data,
		    uint32_t *actual)
{
	if (setup->length < 1)
		return XVHC_ESTALL;
	data[0] = byte;
	*actual = 1;
	return XVHC_OK;
}

static int misbehave(struct model *model, const struct control_setup *setup)
{
	uint32_t i;

	switch (setup->request) {
	case MODEL_REQUEST_HOLD:
		model->hold_next = true;
		return XVHC_OK;
	case MODEL_REQUEST_FAIL:
		model->fail_next = true;
		return XVHC_OK;
	case MODEL_REQUEST_WAKE:
		model->wake_next = true;
		return XVHC_OK;
	case MODEL_REQUEST_FULL:
		model->no_room = setup->value;
		return XVHC_OK;
	case MODEL_REQUEST_RELEASE:
		for (i = 0; i < USBIF_PORT_MAX; i++)
			models[i].held = false;
		wake();
		return XVHC_OK;
	default:
		model->gone = true;
		end_all(model, XVHC_ENODEV);
		return XVHC_ENODEV;
	}
}

static int run_control(struct model *model, const struct control_setup *setup, uint8_t *data,
		       uint32_t *actual)
{
	if (setup->request_type == 0x40 && setup->request >= MODEL_REQUEST_HOLD &&
	    setup->request <= MODEL_REQUEST_WAKE)
		return misbehave(model, setup);
	switch (setup->request_type << 8 | setup->request) {
	case 0x8006:
		return get_descriptor(model, setup, data, actual);
	case 0x8000:
	case 0x8100:
	case 0x8200:
		return get_status(model, setup, data, actual);
	case 0x8008:
		return get_byte(model->state.configuration, setup, data, actual);
	case 0x810a:
		return get_byte(model->state.altsetting[setup->index % XVHC_INTERFACES_MAX], setup,
				data, actual);
	case 0x0203: /* SET_FEATURE(ENDPOINT_HALT) */
		model_halt(model, (uint8_t)setup->index);
		model_kick(model, (uint8_t)setup->index);
		return XVHC_OK;
	default:
		return model->ops->control(model, setup, data, actual);
	}
}

static struct model *model_of(struct source_device *device)
{
	return &models[device->port - 1];
}

static int model_submit(struct source_device *device, struct source_transfer *transfer)
{
	struct model *model = model_of(device);
	uint32_t index = waiting_count;
	struct control_setup setup;

	if (model->gone)
		return XVHC_ENODEV;
	if (model->asleep)
		return XVHC_EIO;
	if (model->no_room > 0) {
		model->no_room--;
		return XVHC_ELIMIT;
	}
	waiting_count++;
	waiting[index].model = model;
	waiting[index].transfer = transfer;
	waiting[index].ended = false;
	transfer->actual = 0;
	if (transfer->type == TRANSFER_CONTROL) {
		int error;

		control_parse(transfer->buffer, &setup);
		error = run_control(model, &setup, transfer->buffer + SOURCE_SETUP_BYTES,
				    &transfer->actual);
		if (error == XVHC_OK && !transfer->in)
			transfer->actual = transfer->length;
		if (!waiting[index].ended)
			end_transfer(index, error);
	} else {
		model_kick(model, transfer->endpoint);
	}
	return XVHC_OK;
}

static void model_cancel(struct source_device *device, struct source_transfer *transfer)
{
	uint32_t i;

	(void)device;
	for (i = 0; i < waiting_count; i++) {
		if (waiting[i].transfer == transfer && !waiting[i].ended)
			end_transfer(i, XVHC_ECANCEL);
	}
}

/* Operations. */

static int open_model(struct model *model, struct source_device *device)
{
	if (device->model == 0 || device->model >= sizeof(kinds) / sizeof(kinds[0]))
		return XVHC_ENODEV;
	memset(model, 0, sizeof(*model));
	model->ops = kinds[device->model];
	model->device = device;
	device->descriptors_length = model->ops->descriptors_length;
	memcpy(device->descriptors, model->ops->descriptors, device->descriptors_length);
	if (descriptor_parse(&model->descriptors, device->descriptors,
			     device->descriptors_length) != XVHC_OK)
		return XVHC_EINVAL;
	device_state_init(&model->state, &model->descriptors);
	return model->ops->reset(model);
}

static int run_operation(struct model *model, struct source_device *device,
			 const struct source_operation *operation)
{
	if (operation->kind == SOURCE_OPEN)
		return open_model(model, device);
	if (model->gone && operation->kind != SOURCE_CLOSE)
		return XVHC_ENODEV;
	if (model->fail_next && operation->kind != SOURCE_CLOSE) {
		model->fail_next = false;
		return XVHC_EIO;
	}
	switch (operation->kind) {
	case SOURCE_SET_CONFIGURATION:
		model->halted = 0;
		return device_state_configure(&model->state, operation->value);
	case SOURCE_SET_INTERFACE:
		model->halted = 0;
		return device_state_set_interface(&model->state, operation->interface,
						  operation->altsetting);
	case SOURCE_CLEAR_HALT:
		model->halted &= ~endpoint_bit(operation->endpoint);
		model_kick(model, operation->endpoint);
		return XVHC_OK;
	case SOURCE_RESET:
		model->halted = 0;
		model->asleep = false;
		device_state_init(&model->state, &model->descriptors);
		return model->ops->reset(model);
	case SOURCE_STREAMS_ALLOCATE:
		device->streams = operation->streams;
		return XVHC_OK;
	case SOURCE_STREAMS_FREE:
		return XVHC_OK;
	case SOURCE_SUSPEND:
	case SOURCE_RESUME:
		model->asleep = operation->kind == SOURCE_SUSPEND;
		return XVHC_OK;
	default:
		if (model->ops)
			model->ops->fini(model);
		model->ops = NULL;
		return XVHC_OK;
	}
}

static void model_operate(struct source_device *device, const struct source_operation *operation)
{
	struct model *model = model_of(device);
	bool hold = model->ops && model->hold_next;

	model->operation_error = run_operation(model, device, operation);
	model->device = device;
	model->operation = *operation;
	model->operation_due = true;
	model->held = hold;
	model->hold_next = false;
	wake();
}

static void finish_transfers(void)
{
	uint32_t i, kept = 0, ended = 0;
	struct waiting done[SOURCE_SLOTS];

	for (i = 0; i < waiting_count; i++) {
		if (waiting[i].ended)
			done[ended++] = waiting[i];
		else
			waiting[kept++] = waiting[i];
	}
	waiting_count = kept;
	/* The calls may submit more. */
	for (i = 0; i < ended; i++)
		calls->transfer_done(done[i].model->device, done[i].transfer);
}

static void finish_operations(void)
{
	bool suspended;
	uint32_t i;

	for (i = 0; i < USBIF_PORT_MAX; i++) {
		if (!models[i].operation_due || models[i].held)
			continue;
		models[i].operation_due = false;
		/* The call may begin the next one. */
		suspended = models[i].operation.kind == SOURCE_SUSPEND;
		calls->operation_done(models[i].device, models[i].operation_error);
		if (suspended && models[i].wake_next) {
			models[i].wake_next = false;
			models[i].asleep = false;
			calls->device_woke(models[i].device);
		}
	}
}

static void model_handle_events(void)
{
	uint64_t count;
	ssize_t got = read(event, &count, sizeof(count));

	(void)got;
	finish_transfers();
	finish_operations();
}

void source_model_fini(void)
{
	uint32_t i;

	for (i = 0; i < USBIF_PORT_MAX; i++) {
		if (models[i].ops)
			models[i].ops->fini(&models[i]);
		if (models[i].device)
			memset(&models[i], 0, sizeof(models[i]));
	}
	waiting_count = 0;
	if (event >= 0)
		close(event);
	event = -1;
}

const struct source_ops source_model = {
	.init = model_init,
	.start = model_start,
	.handle_events = model_handle_events,
	.operate = model_operate,
	.submit = model_submit,
	.cancel = model_cancel,
};
