/*
 * place.h: puts a drop-in where systemd finds it, whole or not at all.
 *
 * Owns nothing; one thread for one folder.
 */
#pragma once

/*
 * Writes text to the drop-in of dropin.h below folder, the normal-dir of systemd.generator(7), which must be
 * there. Errors of mkdir(2), mkostemp(3), write(2), rename(2), after which the drop-in is what it was.
 */
int place_dropin(const char *folder, const char *text);
