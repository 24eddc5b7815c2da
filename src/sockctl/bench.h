/* bench.h: the verb "bench": puts a server under load, and measures. */
#pragma once

int bench_run(int argc, char **argv);
