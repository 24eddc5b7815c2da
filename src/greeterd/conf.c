#include "greeterd/conf.h"

#include "greeterd/lastgood.h"

int conf_load(const char *file, struct settings **ret, struct settings_report *report)
{
	return file ? settings_load(file, ret, report)
		    : settings_load_default(GREETERD_CONFIG_FILE, ret, report);
}

int conf_load_for_start(const char *file, const char *state_dir, struct settings **ret, bool *ret_last_good,
	struct settings_report *report)
{
	int r = conf_load(file, ret, report);

	*ret_last_good = r < 0 && state_dir && lastgood_load(state_dir, ret) == 0;
	return *ret_last_good ? 0 : r;
}
