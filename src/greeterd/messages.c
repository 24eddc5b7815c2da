#include "greeterd/messages.h"

#include <syslog.h>

static const struct message_info table[MESSAGES] = {
	[MESSAGE_GREETING] = { "6cef08eef4ec4f53bdb476279be1cd8c", LOG_INFO },
	[MESSAGE_SUMMARY] = { "d288979e2b5a4d29853717a91dbfe21c", LOG_INFO },
	[MESSAGE_DISCONNECT] = { "ff09d5699cfc4b3cbb2ee894983c016f", LOG_INFO },
	[MESSAGE_REFUSAL] = { "4fd785a2b67a4d64bed2aa5b4111afa9", LOG_NOTICE },
	[MESSAGE_BUSY] = { "2e86186ed6dd43e6a50e4676f485555c", LOG_WARNING },
	[MESSAGE_LISTENING] = { "23f4a49d17d9417c873ed9005f3dd9b1", LOG_INFO },
	[MESSAGE_STOPPING] = { "6404d7f869d044b68fc3b862be14f0dc", LOG_INFO },
	[MESSAGE_SETTINGS] = { "ecbf9d85fe4446d2b54fcb1caf0e1507", LOG_ERR },
	[MESSAGE_RELOAD] = { "f7d32fc0fb4d4a58918bbb3f2407943a", LOG_NOTICE },
	[MESSAGE_RESTART] = { "02d0aa7447684d048fba8a6a709e93d6", LOG_INFO },
	[MESSAGE_IDLE] = { "71d904414dcc423981f541939c6a5caa", LOG_INFO },
	[MESSAGE_MISMATCH] = { "27a10dac9d24434fae2601c7ca231456", LOG_WARNING },
	[MESSAGE_MISSING] = { "6cd8425cda4b4546a520b3184fef14c4", LOG_WARNING },
	[MESSAGE_RETURNED] = { "3ae80377615d4c4faee15e837ca49136", LOG_NOTICE },
	[MESSAGE_STATE] = { "12419ca3b9c0448abf08fe0d94c0bd4e", LOG_INFO },
	[MESSAGE_PROBLEM] = { "86a7f60a9e1347a991f1d393e51a8fae", LOG_WARNING },
	[MESSAGE_DETAIL] = { "abfbb65042824a01b1a5fc289b68ccf0", LOG_DEBUG },
};

const struct message_info *message_info(enum message message)
{
	return &table[message];
}
