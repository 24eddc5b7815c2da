/* output.h: standard output's end: whether all that a command printed has arrived. Main thread only. */
#pragma once

/*
 * Flushes standard output. status is what the command comes to, error the -errno of a write that failed
 * before, or 0. Returns status when all went well; 128 + SIGPIPE, without a word, when the reader has gone
 * (as a program that the signal ends); else says what is wrong and returns EXIT_NO, or status when that is no
 * success either.
 */
int output_end(int status, int error);
