// SPDX-License-Identifier: GPL-2.0
#include "stress.h"

void checkpoint(struct model *model)
{
	(void)model;
}
