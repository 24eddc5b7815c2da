#include "common/settings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings-check.h"
#include "common/settings-findings.h"
#include "common/settings-read.h"
#include "common/settings-text.h"

void settings_report_free(struct settings_report *report)
{
	for (size_t i = 0; i < report->n_lines; i++)
		free(report->lines[i]);
	free(report->lines);
	*report = (struct settings_report){ 0 };
}

struct file {
	char *path;
	struct settings_source source;
};

struct load {
	struct settings_findings findings;
	struct settings_draft draft;
	struct file **files; /* FILE, then its drop-ins */
	size_t n_files;
	bool may_lack_file;
};

static int load_init(struct load *load)
{
	*load = (struct load){ .draft.findings = &load->findings };
	load->draft.settings = calloc(1, sizeof(*load->draft.settings));
	return load->draft.settings ? settings_read_defaults(&load->draft) : -ENOMEM;
}

static void load_done(struct load *load)
{
	settings_free(load->draft.settings);
	settings_findings_free(&load->findings);
	for (size_t i = 0; i < load->n_files; i++) {
		free(load->files[i]->path);
		free(load->files[i]);
	}
	free(load->files);
}

/* Hands out the settings when nothing was found, else the report. */
static int load_finish(struct load *load, int error, struct settings **ret, struct settings_report *report)
{
	if (error == 0)
		settings_check(&load->draft);
	if (error == 0 && load->findings.n > 0)
		error = -EINVAL;
	if (settings_findings_report(&load->findings, report) < 0)
		error = -ENOMEM;
	if (error == 0)
		*ret = TAKE_PTR(load->draft.settings);
	return error;
}

static int add_file(struct load *load, const char *folder, const char *name)
{
	struct file **files = reallocarray(load->files, load->n_files + 1, sizeof(*files));
	_cleanup_(freep) struct file *file = malloc(sizeof(*file));

	if (files)
		load->files = files;
	if (!files || !file || asprintf(&file->path, "%s%s", folder, name) < 0)
		return -ENOMEM;
	file->source = (struct settings_source){ .name = file->path, .order = (unsigned)load->n_files };
	load->files[load->n_files++] = TAKE_PTR(file);
	return 0;
}

static int is_drop_in(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && strcmp(dot, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_drop_ins(struct load *load, const char *file)
{
	const char *slash = strrchr(file, '/');
	_cleanup_(freep) char *folder = NULL;
	struct dirent **entries;
	int n, r = 0;

	if (asprintf(&folder, "%.*sconf.d/", slash ? (int)(slash - file) + 1 : 0, file) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	n = scandir(folder, &entries, is_drop_in, by_name);
	if (n < 0 && errno != ENOENT) {
		const struct settings_source source = { .name = folder, .order = 1 };

		r = -errno;
		settings_found(&load->findings, &source, 0, NULL, "cannot be read: %s", strerror(-r));
	}
	if (n < 0)
		return r;
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = add_file(load, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int load_file(struct load *load, const struct file *file)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r;

	if (load->may_lack_file && file->source.order == 0 && access(file->path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = settings_text_read(&file->source, &load->findings, &text, &len);
	if (r == -ENOENT && file->source.order > 0)
		return -EINVAL; /* a link that leads nowhere */
	return r < 0 ? r : settings_read(&load->draft, &file->source, text, len);
}

/* Reads all files, whatever is wrong with one of them. Returns the first error. */
static int load_files(struct load *load, const char *file)
{
	int error = add_file(load, "", file);

	if (error < 0)
		return error;
	error = add_drop_ins(load, file);
	for (size_t i = 0; i < load->n_files && error != -ENOMEM; i++) {
		int r = load_file(load, load->files[i]);

		if (r < 0 && (error == 0 || r == -ENOMEM || r == -ENOENT))
			error = r;
	}
	return error;
}

int settings_load(const char *file, struct settings **ret, struct settings_report *report)
{
	_cleanup_(load_done) struct load load;
	int r = load_init(&load);

	if (r == 0 && file)
		r = load_files(&load, file);
	return load_finish(&load, r, ret, report);
}

int settings_load_default(const char *file, struct settings **ret, struct settings_report *report)
{
	_cleanup_(load_done) struct load load;
	int r = load_init(&load);

	load.may_lack_file = true;
	if (r == 0)
		r = load_files(&load, file);
	return load_finish(&load, r, ret, report);
}

int settings_parse(
	const char *text, size_t len, const char *name, struct settings **ret, struct settings_report *report)
{
	const struct settings_source source = { .name = name };
	_cleanup_(load_done) struct load load;
	int r = load_init(&load);

	if (r == 0)
		r = settings_read(&load.draft, &source, text, len);
	return load_finish(&load, r, ret, report);
}
