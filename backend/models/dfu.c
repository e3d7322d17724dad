// SPDX-License-Identifier: MIT
/*
 * A device that loads firmware (DFU 1.1): its interface 1, in DFU mode. Interface 0 is something
 * else, whose requests have the same numbers.
 */
#include "model.h"

#include <string.h>

/* clang-format off */
static const uint8_t descriptors[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x02, 0, 0, 0, 64,
	0x09, 0x12, 0x05, 0x00, 0x34, 0x12, 1, 2, 0, 1,
	9, DESCRIPTOR_CONFIGURATION, 36, 0, 2, 1, 0, 0x80, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 0, 0xff, 0, 0, 0,
	9, DESCRIPTOR_INTERFACE, 1, 0, 0, 0xfe, 1, 2, 0,
	9, 0x21, 0x0f, 0xff, 0, 0x00, 0x10, 0x10, 0x01,
};
/* clang-format on */

static int dfu_reset(struct model *model)
{
	memset(&model->u.dfu, 0, sizeof(model->u.dfu));
	return XVHC_OK;
}

static void dfu_fini(struct model *model)
{
	(void)model;
}

static int dfu_control(struct model *model, const struct control_setup *setup, uint8_t *data,
		       uint32_t *actual)
{
	switch (setup->request_type << 8 | setup->request) {
	case 0x2100: /* DETACH */
	case 0x2101: /* DNLOAD */
	case 0x2000:
	case 0x2001:
		if ((setup->index & 0xff) == 1)
			model->u.dfu.downloads++;
		return XVHC_OK;
	case 0xa103: /* GETSTATUS; here: how many downloads there were */
		if (setup->length < 1)
			return XVHC_ESTALL;
		data[0] = model->u.dfu.downloads;
		*actual = 1;
		return XVHC_OK;
	default:
		return XVHC_ESTALL;
	}
}

static int dfu_transfer(struct model *model, struct source_transfer *transfer)
{
	(void)model;
	(void)transfer;
	return XVHC_ESTALL;
}

const struct model_ops model_dfu = {
	.descriptors = descriptors,
	.descriptors_length = sizeof(descriptors),
	.product = "firmware loader",
	.reset = dfu_reset,
	.fini = dfu_fini,
	.control = dfu_control,
	.transfer = dfu_transfer,
};
