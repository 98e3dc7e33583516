#include "base/options_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/error.h"
#include "base/text.h"

struct option_file {
	yaml_document_t document;
};

struct reading {
	const struct option_file_handler *handler;
	yaml_document_t *document;
};

static void wrong(const struct option_file_handler *handler, unsigned line, const char *format, ...)
	KR_PRINTF(3, 4);
static void wrong(const struct option_file_handler *handler, unsigned line, const char *format, ...)
{
	char bytes[KR_ERROR_TEXT_SIZE];
	struct kr_text text;
	va_list list;
	kr_assert(handler->on_wrong != NULL);
	kr_text_init(&text, bytes, sizeof(bytes));
	va_start(list, format);
	kr_text_format_list(&text, format, list);
	va_end(list);
	handler->on_wrong(handler->context, line, bytes);
}

static unsigned line_of(const yaml_node_t *node)
{
	kr_assert(node != NULL);
	return (unsigned)node->start_mark.line + 1;
}

/* The text of a scalar; NULL if it is none, or none that a C string holds. "" for a null. */
static const char *scalar_text(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;
	if (node->type != YAML_SCALAR_NODE || strlen(text) != node->data.scalar.length)
		return NULL;
	bool is_plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	kr_assert(text != NULL);
	return is_plain && (strcmp(text, "~") == 0 || strcmp(text, "null") == 0) ? "" : text;
}

static void give(const struct reading *reading, const char *key, const yaml_node_t *node,
	unsigned line, uint32_t item)
{
	const struct option_file_handler *handler = reading->handler;
	const char *text = scalar_text(node);
	kr_assert(key != NULL);
	if (text != NULL)
		handler->on_value(handler->context, line, key, text, item);
	else
		wrong(handler, line, "%s takes a value or a list of values: this is neither", key);
}

static void read_pair(const struct reading *reading, const yaml_node_pair_t *pair)
{
	yaml_node_t *key_node = yaml_document_get_node(reading->document, pair->key);
	yaml_node_t *node = yaml_document_get_node(reading->document, pair->value);
	const char *key = scalar_text(key_node);
	kr_assert(node != NULL);
	if (key == NULL || *key == 0) {
		wrong(reading->handler, line_of(key_node), "the name of an option is meant here");
		return;
	}
	if (node->type != YAML_SEQUENCE_NODE) {
		give(reading, key, node, line_of(key_node), 0);
		return;
	}
	const yaml_node_item_t *start = node->data.sequence.items.start;
	uint32_t count = (uint32_t)(node->data.sequence.items.top - start);
	if (count == 0)
		reading->handler->on_value(
			reading->handler->context, line_of(key_node), key, "", 0);
	for (uint32_t i = 0; i < count; i++) {
		yaml_node_t *item = yaml_document_get_node(reading->document, start[i]);
		give(reading, key, item, line_of(item), i);
	}
}

static void read_document(yaml_document_t *document, const struct option_file_handler *handler)
{
	const struct reading reading = {.handler = handler, .document = document};
	yaml_node_t *root = yaml_document_get_root_node(document);
	kr_assert(handler->on_value != NULL);
	if (root == NULL)
		return; /* an empty file says nothing */
	if (root->type != YAML_MAPPING_NODE) {
		wrong(handler, line_of(root), "lines of the form `name: value` are meant here");
		return;
	}
	for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
		pair < root->data.mapping.pairs.top; pair++)
		read_pair(&reading, pair);
}

/* One document and nothing behind it. */
static void parse(
	yaml_parser_t *parser, struct option_file *file, const struct option_file_handler *handler)
{
	yaml_document_t next;
	if (yaml_parser_load(parser, &file->document)) {
		read_document(&file->document, handler);
		if (yaml_document_get_root_node(&file->document) == NULL)
			return;
		if (yaml_parser_load(parser, &next)) {
			yaml_node_t *root = yaml_document_get_root_node(&next);
			if (root != NULL)
				wrong(handler, line_of(root),
					"a second document begins here: put "
					"everything into one");
			yaml_document_delete(&next);
			return;
		}
	}
	/* Where it can only be memory libyaml may set no error at all. */
	if (parser->error == YAML_MEMORY_ERROR || parser->error == YAML_NO_ERROR) {
		wrong(handler, 0, "cannot be read: there is no memory");
		return;
	}
	wrong(handler,
		(unsigned)(parser->error == YAML_READER_ERROR ? 0 : parser->problem_mark.line + 1),
		"this is no YAML: %s%s%s", parser->problem == NULL ? "" : parser->problem,
		parser->context == NULL ? "" : " ", parser->context == NULL ? "" : parser->context);
}

/* The whole file, to be freed; NULL, and told, when it cannot be had. */
static char *load(const char *path, size_t size_max_bytes, size_t *ret_size_bytes,
	const struct option_file_handler *handler)
{
	struct stat state;
	char *bytes = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	kr_assert(size_max_bytes > 0);
	if (fd < 0 || fstat(fd, &state) < 0) {
		wrong(handler, 0, "cannot be read: %s",
			kr_error_sentence(kr_error_from_errno(errno)));
	} else if (!S_ISREG(state.st_mode)) {
		wrong(handler, 0, "cannot be read: it is no regular file");
	} else if ((size_t)state.st_size > size_max_bytes) {
		wrong(handler, 0, "cannot be read: it is larger than %zu bytes", size_max_bytes);
	} else {
		bytes = malloc((size_t)state.st_size + 1);
		ssize_t got = bytes == NULL ? -1 : read(fd, bytes, (size_t)state.st_size);
		if (got != state.st_size) {
			wrong(handler, 0, "cannot be read to its end");
			free(bytes);
			bytes = NULL;
		}
		*ret_size_bytes = (size_t)state.st_size;
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

struct option_file *option_file_read(
	const char *path, size_t size_max_bytes, const struct option_file_handler *handler)
{
	yaml_parser_t parser;
	size_t size_bytes = 0;
	char *bytes = load(path, size_max_bytes, &size_bytes, handler);
	if (bytes == NULL)
		return NULL;
	struct option_file *file = calloc(1, sizeof(*file));
	if (file == NULL || !yaml_parser_initialize(&parser)) {
		wrong(handler, 0, "cannot be read: there is no memory");
		free(file);
		free(bytes);
		return NULL;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size_bytes);
	parse(&parser, file, handler);
	yaml_parser_delete(&parser);
	free(bytes);
	return file;
}

struct option_file *option_file_free(struct option_file *file)
{
	if (file != NULL)
		yaml_document_delete(&file->document);
	free(file);
	return NULL;
}
