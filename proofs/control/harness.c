// SPDX-License-Identifier: MIT
/* Setup packets of eight arbitrary bytes, in any request. */
#include <control.h>

#include "arbitrary.h"

void harness(void)
{
	struct transfer_request request;
	struct control_setup setup;
	uint8_t bytes[8];
	enum control_kind kind;

	arbitrary_bytes(bytes, sizeof(bytes));
	arbitrary_bytes(&request, sizeof(request));
	request.in = arbitrary_bool();
	request.short_not_ok = arbitrary_bool();
	control_parse(bytes, &setup);
	kind = control_classify(&setup);
	/*@ check CONTROL_PASS <= kind <= CONTROL_REFUSE; */
	(void)!control_check(&setup, &request);
	request.length = 64;
	if (control_check(&setup, &request) == XVHC_OK) {
		/*@ check setup.length <= 64; */
	}
}
