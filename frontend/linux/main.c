// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/usb.h>
#include <xen/xen.h>

#include "xvhc.h"

bool xvhc_trusted = true;
module_param_named(trusted, xvhc_trusted, bool, 0444);
MODULE_PARM_DESC(trusted,
		 "Is the backend trusted not to look at data of other transfers? (default: true)");

unsigned int xvhc_wire_max = 2;
module_param_named(wire, xvhc_wire_max, uint, 0444);
MODULE_PARM_DESC(wire, "Highest version of the wire to speak, 1 or 2 (default: 2)");

unsigned int xvhc_pool_mib = 4;
module_param_named(pool, xvhc_pool_mib, uint, 0444);
MODULE_PARM_DESC(pool,
		 "MiB for data of a controller that the backend maps, 2 to 16 or 0 (default: 4)");

static int __init xvhc_init(void)
{
	int rc;

	if (!xen_domain() || usb_disabled())
		return -ENODEV;
	rc = pools_start();
	if (rc)
		return rc;
	rc = frontend_register();
	if (rc)
		pools_stop();
	return rc;
}
module_init(xvhc_init);

static void __exit xvhc_exit(void)
{
	frontend_unregister();
	pools_stop();
}
module_exit(xvhc_exit);

MODULE_DESCRIPTION("Xen Virtual Host Controller");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen:vusb");
