// SPDX-License-Identifier: MIT
#include "xvhcif_response.h"

#include "byte_order.h"
#include "error.h"

int xvhcif_status_decode(uint32_t status)
{
	switch (status) {
	case XVHCIF_STATUS_OK:
	case XVHCIF_STATUS_SHORT:
		return XVHC_OK;
	case XVHCIF_STATUS_NO_DEVICE:
		return XVHC_ENODEV;
	case XVHCIF_STATUS_INVALID:
		return XVHC_EINVAL;
	case XVHCIF_STATUS_STALL:
		return XVHC_ESTALL;
	case XVHCIF_STATUS_BABBLE:
		return XVHC_EBABBLE;
	case XVHCIF_STATUS_CANCELLED:
		return XVHC_ECANCEL;
	case XVHCIF_STATUS_LIMIT:
		return XVHC_ELIMIT;
	default:
		return XVHC_EIO;
	}
}

int xvhcif_response_decode(const struct xvhcif_response *wire, uint32_t slots,
			   struct response *response)
{
	response->id = le16(wire->id);
	response->error = xvhcif_status_decode(le32(wire->status));
	response->actual = le32(wire->actual);
	response->start_frame = le32(wire->start_frame);
	return response->id < slots ? XVHC_OK : XVHC_EPROTO;
}

int xvhcif_packet_decode(const struct xvhcif_packet *wire, uint32_t length, struct response *packet)
{
	packet->id = 0;
	packet->error = xvhcif_status_decode(le32(wire->status));
	packet->actual = le32(wire->actual);
	packet->start_frame = 0;
	return packet->actual <= length ? XVHC_OK : XVHC_EPROTO;
}

int xvhcif_event_decode(const struct xvhcif_event *wire, uint8_t ports, struct port_event *event)
{
	event->id = le16(wire->id);
	event->port = wire->port;
	event->event = wire->event;
	event->speed = wire->speed;
	event->device = le64(wire->device);
	if (event->id >= XVHCIF_EVENT_SLOTS || event->port == 0 || event->port > ports ||
	    event->event > XVHCIF_EVENT_OVERCURRENT)
		return XVHC_EPROTO;
	if (event->event == XVHCIF_EVENT_CONNECT &&
	    (event->speed == XVHCIF_SPEED_NONE || event->speed > XVHCIF_SPEED_SUPER_PLUS))
		return XVHC_EPROTO;
	return XVHC_OK;
}
