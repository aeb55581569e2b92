/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a laptop's firmware says of its Thunderbolt ports, for slots 4 and 5 of
 * the virtual machine: external facing and hot-pluggable in D3. The kernel then
 * marks all that is plugged there removable, by its own code.
 *
 * S20 and S28 are QEMU's own names of slot 4 and 5, function 0: the properties
 * must hang on those, a second device with their _ADR would be ignored.
 */
DefinitionBlock ("", "SSDT", 2, "EGPU", "TBPORTS", 0x00000001)
{
	External (\_SB.PCI0.S20, DeviceObj)
	External (\_SB.PCI0.S28, DeviceObj)

	Scope (\_SB.PCI0.S20)
	{
		Name (_DSD, Package ()
		{
			ToUUID ("6211e2c0-58a3-4af3-90e1-927a4e0c55a4"),
			Package () { Package (2) { "HotPlugSupportInD3", 1 } },
			ToUUID ("efcc06cc-73ac-4bc3-bff0-76143807c389"),
			Package ()
			{
				Package (2) { "ExternalFacingPort", 1 },
				Package (2) { "UID", 0 },
			},
		})
	}

	Scope (\_SB.PCI0.S28)
	{
		Name (_DSD, Package ()
		{
			ToUUID ("6211e2c0-58a3-4af3-90e1-927a4e0c55a4"),
			Package () { Package (2) { "HotPlugSupportInD3", 1 } },
			ToUUID ("efcc06cc-73ac-4bc3-bff0-76143807c389"),
			Package ()
			{
				Package (2) { "ExternalFacingPort", 1 },
				Package (2) { "UID", 1 },
			},
		})
	}
}
