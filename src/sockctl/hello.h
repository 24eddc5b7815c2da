/* hello.h: the verb "hello": greets, as one client or as many. */
#pragma once

int hello_run(int argc, char **argv);
