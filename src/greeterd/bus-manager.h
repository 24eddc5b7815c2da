/* bus-manager.h: the interface org.greeterd1.Manager: its properties and methods, as org.greeterd1(5)
 * documents them. */
#pragma once

#include "greeterd/bus-state.h"

/* Its userdata is the struct bus. */
extern const sd_bus_vtable bus_manager_vtable[];

/* Tells all properties that announce their changes. */
int bus_manager_changed(struct bus *bus);
