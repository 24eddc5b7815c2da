/* figures.h: numbers as people read them. Pure; any thread. They return text. */
#pragma once

#include <stdint.h>

#define FIGURES_TEXT_MAX 32

/* "1,623,402" */
const char *figures_count(uint64_t count, char text[static FIGURES_TEXT_MAX]);

/* A time in three digits: "812 ns", "22.4 us", "3.71 ms", "12.0 s", "1,234 s"; "0" for 0. */
const char *figures_time(uint64_t nsec, char text[static FIGURES_TEXT_MAX]);

/* A round time, in as few digits as it needs: "20 us", "1.5 ms". */
const char *figures_round_time(uint64_t nsec, char text[static FIGURES_TEXT_MAX]);

/* A part of a whole: "33.1 %", "100 %", "<0.1 %", "0 %". */
const char *figures_share(uint64_t part, uint64_t whole, char text[static FIGURES_TEXT_MAX]);
