// SPDX-License-Identifier: MIT
#include "usbif_response.h"

#include "error.h"

int usbif_status_decode(int32_t status)
{
	switch (status) {
	case USBIF_STATUS_OK:
		return XVHC_OK;
	case USBIF_STATUS_NODEV:
		return XVHC_ENODEV;
	case USBIF_STATUS_INVAL:
		return XVHC_EINVAL;
	case USBIF_STATUS_STALL:
		return XVHC_ESTALL;
	case USBIF_STATUS_BABBLE:
		return XVHC_EBABBLE;
	case USBIF_STATUS_SHUTDOWN:
		return XVHC_ECANCEL;
	default:
		return XVHC_EIO;
	}
}

int usbif_response_check(const struct usbif_urb_response *response, uint32_t length)
{
	if (response->id >= USBIF_URB_RING_SLOTS)
		return XVHC_EPROTO;
	if (response->actual_length < 0 || (uint32_t)response->actual_length > length)
		return XVHC_EPROTO;
	return XVHC_OK;
}

int usbif_packet_check(const struct usbif_isoc_packet *packet, uint32_t length)
{
	if (packet->actual_length > length)
		return XVHC_EPROTO;
	return XVHC_OK;
}

int usbif_event_check(const struct usbif_conn_response *event, uint8_t ports, uint8_t speed_max)
{
	if (event->id >= USBIF_CONN_RING_SLOTS)
		return XVHC_EPROTO;
	if (event->portnum == 0 || event->portnum > ports)
		return XVHC_EPROTO;
	if (event->speed > speed_max)
		return XVHC_EPROTO;
	return XVHC_OK;
}
