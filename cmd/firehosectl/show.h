/* show.h: answers of the daemon, for people. */
#ifndef FIREHOSED_CMD_SHOW_H
#define FIREHOSED_CMD_SHOW_H

#include <jansson.h>

void show_status(const json_t *status);

#endif
