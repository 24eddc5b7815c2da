/*
 * bus-unit.h: what the service manager on the bus is about to do with our unit: org.freedesktop.systemd1(5).
 *
 * Owns nothing. Unlike all else of the bus it waits for its answer, though not long.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* Whether the unit that this process belongs to has a job to stop it, and not to restart it. Waits for wait
 * microseconds at most; whatever is not known by then, or goes wrong, is false. */
bool bus_unit_stops(sd_bus *connection, uint64_t wait);
