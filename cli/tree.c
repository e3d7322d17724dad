// SPDX-License-Identifier: MIT
/*
 * A port behind a hub has the hub's name and one number more: 1-2.3 lies behind 1-2. A hub of USB 3
 * has two names, and each port behind it has one of either, or one. A port that is not there now
 * has no name; it lies right behind its controller, which its place begins with.
 *
 * Cells are made of ASCII, with a control character where a line is to be drawn. So a cell's bytes
 * are the columns that it takes, and what a device calls itself draws nothing.
 */
#include "tree.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "text.h"

#define CELL_MAX 640
#define PREFIX_MAX 64 /* there are at most seven ports one behind the other */
#define NOBODY SIZE_MAX

enum column {
	COLUMN_PORT,
	COLUMN_PLACE,
	COLUMN_DEVICE,
	COLUMN_SPEED,
	COLUMN_GUEST,
	COLUMN_STATE,
	COLUMNS,
};

static const char *const titles[COLUMNS] = {"PORT", "PLACE", "DEVICE", "SPEED", "GUEST", "STATE"};

/* What a line is drawn with. */
enum stroke {
	STROKE_BRANCH = 1,
	STROKE_LAST,
	STROKE_DOWN,
	STROKE_ACROSS,
	STROKES,
};

static const char *const ascii[STROKES] = {NULL, "|", "`", "|", "-"};
static const char *const boxes[STROKES] = {NULL, "\u251c", "\u2514", "\u2502", "\u2500"};

struct node {
	struct json_object *port;
	size_t parent; /* NOBODY: its controller */
	bool last;     /* nothing with the same parent comes after it */
	bool is_parent;
	char prefix[PREFIX_MAX]; /* in front of its name */
	char below[PREFIX_MAX];  /* in front of what stands below it and belongs to it */
};

struct tree {
	struct node *nodes;
	size_t count;
	size_t width[COLUMNS]; /* 0: it is not shown */
	const char *const *strokes;
};

static struct json_object *names_of(struct json_object *port)
{
	struct json_object *names;

	return json_object_object_get_ex(port, "names", &names) &&
			       json_object_is_type(names, json_type_array)
		       ? names
		       : NULL;
}

static const char *name_at(struct json_object *names, size_t i)
{
	const char *name = json_object_get_string(json_object_array_get_idx(names, i));

	return name ? name : "";
}

static bool has_name(struct json_object *port, const char *name, size_t length)
{
	struct json_object *names = names_of(port);

	for (size_t i = 0; names && i < json_object_array_length(names); i++)
		if (strncmp(name_at(names, i), name, length) == 0 &&
		    name_at(names, i)[length] == '\0')
			return true;
	return false;
}

/* Whether inner lies behind a hub in outer; right behind it, or at any depth. */
static bool is_behind(struct json_object *inner, struct json_object *outer, bool right)
{
	struct json_object *names = names_of(inner);

	for (size_t i = 0; names && i < json_object_array_length(names); i++) {
		const char *name = name_at(names, i), *dot = strrchr(name, '.');

		for (; dot; dot = right ? NULL : memrchr(name, '.', (size_t)(dot - name)))
			if (has_name(outer, name, (size_t)(dot - name)))
				return true;
	}
	return false;
}

/* The part of its place that names the host controller. */
static size_t controller_length(struct json_object *port)
{
	return strcspn(text_member(port, "place"), "/");
}

static bool same_controller(struct json_object *a, struct json_object *b)
{
	size_t length = controller_length(a);

	return length == controller_length(b) &&
	       strncmp(text_member(a, "place"), text_member(b, "place"), length) == 0;
}

size_t tree_filter(struct json_object *ports, const char *name)
{
	size_t count = json_object_array_length(ports), length = strlen(name), kept = 0;
	struct json_object *chosen = NULL, *port;
	bool *keep = calloc(count + 1, sizeof(*keep));

	for (size_t i = 0; keep && i < count && !chosen; i++) {
		port = json_object_array_get_idx(ports, i);
		if (has_name(port, name, length) || strcmp(text_member(port, "place"), name) == 0)
			chosen = port;
	}
	for (size_t i = 0; keep && i < count; i++) {
		port = json_object_array_get_idx(ports, i);
		keep[i] = port == chosen || (chosen && is_behind(port, chosen, false)) ||
			  strcmp(text_member(port, "guest"), name) == 0;
		kept += keep[i];
	}
	for (size_t i = count; keep && i > 0; i--)
		if (!keep[i - 1])
			json_object_array_del_idx(ports, i - 1, 1);
	free(keep);
	return kept;
}

static void nodes_link(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct node *node = &tree->nodes[i];

		node->parent = NOBODY;
		for (size_t j = 0; j < tree->count && node->parent == NOBODY; j++)
			if (j != i && is_behind(node->port, tree->nodes[j].port, true))
				node->parent = j;
		if (node->parent != NOBODY)
			tree->nodes[node->parent].is_parent = true;
	}
	for (size_t i = 0; i < tree->count; i++) {
		struct node *node = &tree->nodes[i];

		node->last = true;
		for (size_t j = i + 1; j < tree->count && node->last; j++)
			node->last = tree->nodes[j].parent != node->parent ||
				     !same_controller(node->port, tree->nodes[j].port);
	}
}

static void cell_write(const struct node *node, enum column column, char cell[CELL_MAX])
{
	struct json_object *device = NULL;
	const char *by =
		strcmp(text_member(node->port, "given-by"), "device") == 0 ? ", by identity" : "";

	cell[0] = '\0';
	json_object_object_get_ex(node->port, "device", &device);
	switch (column) {
	case COLUMN_PORT:
		text_names(node->port, cell, CELL_MAX);
		break;
	case COLUMN_PLACE:
		snprintf(cell, CELL_MAX, "%s", text_member(node->port, "place"));
		break;
	case COLUMN_SPEED:
		snprintf(cell, CELL_MAX, "%s", text_member(device, "speed"));
		break;
	case COLUMN_DEVICE:
		text_device(device, cell, CELL_MAX);
		break;
	case COLUMN_GUEST:
		snprintf(cell, CELL_MAX, "%s", text_member(node->port, "guest"));
		break;
	case COLUMN_STATE:
		snprintf(cell, CELL_MAX, "%s%s", text_member(node->port, "state"), by);
		break;
	case COLUMNS:
		break;
	}
	text_clean(cell);
	if (cell[0] == '\0')
		snprintf(cell, CELL_MAX, "-");
}

/* The place of a port that is there; one that is not has no other name. */
static void port_cell_write(const struct node *node, char cell[CELL_MAX])
{
	char name[CELL_MAX];

	cell_write(node, COLUMN_PORT, name);
	if (strcmp(name, "-") == 0)
		cell_write(node, COLUMN_PLACE, name);
	snprintf(cell, CELL_MAX, "%s%.500s", node->prefix, name);
}

static void prefixes_write(struct tree *tree, size_t i)
{
	struct node *node = &tree->nodes[i];
	const char *above = node->parent == NOBODY ? "" : tree->nodes[node->parent].below;

	snprintf(node->prefix, sizeof(node->prefix), "%.56s%c%c%c ", above,
		 node->last ? STROKE_LAST : STROKE_BRANCH, STROKE_ACROSS, STROKE_ACROSS);
	snprintf(node->below, sizeof(node->below), "%.56s%c   ", above,
		 node->last ? ' ' : STROKE_DOWN);
}

/* Does it for each port of this parent and controller, and for those behind it. */
static void walk(struct tree *tree, size_t parent, size_t first,
		 void (*visit)(struct tree *tree, size_t i))
{
	for (size_t i = 0; i < tree->count; i++) {
		if (tree->nodes[i].parent != parent ||
		    !same_controller(tree->nodes[i].port, tree->nodes[first].port))
			continue;
		visit(tree, i);
		walk(tree, i, first, visit);
	}
}

static void widths_raise(struct tree *tree, size_t i)
{
	char cell[CELL_MAX];

	for (int column = 0; column < COLUMNS; column++) {
		size_t length;

		if (tree->width[column] == 0)
			continue;
		if (column == COLUMN_PORT)
			port_cell_write(&tree->nodes[i], cell);
		else
			cell_write(&tree->nodes[i], (enum column)column, cell);
		length = strlen(cell);
		tree->width[column] = length > tree->width[column] ? length : tree->width[column];
	}
}

/* Prints a cell, and blanks up to the column's width. */
static void cell_print(const struct tree *tree, const char *cell, size_t width)
{
	size_t length = strlen(cell);

	for (const char *at = cell; *at; at++) {
		if (*at > 0 && *at < STROKES)
			fputs(tree->strokes[(int)*at], stdout);
		else
			putchar(*at);
	}
	printf("%*s", length < width ? (int)(width - length) : 0, "");
}

static void reason_print(const struct tree *tree, const struct node *node)
{
	const char *reason = text_member(node->port, "reason");
	const char *topic = text_member(node->port, "see");
	char cell[CELL_MAX];

	if (reason[0] == '\0')
		return;
	snprintf(cell, sizeof(cell), "%s%c", node->below, node->is_parent ? STROKE_DOWN : ' ');
	cell_print(tree, cell, tree->width[COLUMN_PORT] + 2);
	snprintf(cell, sizeof(cell), "%.560s", reason);
	text_clean(cell);
	printf("%s%s", colour_start(stdout, COLOUR_WARNING), cell);
	if (topic[0] != '\0') {
		snprintf(cell, sizeof(cell), "%.32s", topic);
		text_clean(cell);
		printf(": see xvhc help %s", cell);
	}
	printf("%s\n", colour_end(stdout));
}

static void line_print(struct tree *tree, size_t i)
{
	const struct node *node = &tree->nodes[i];
	char cell[CELL_MAX];

	for (int column = 0; column < COLUMNS; column++) {
		if (tree->width[column] == 0)
			continue;
		if (column == COLUMN_PORT)
			port_cell_write(node, cell);
		else
			cell_write(node, (enum column)column, cell);
		if (column == COLUMN_STATE)
			printf("%s\n", cell);
		else
			cell_print(tree, cell, tree->width[column] + 2);
	}
	reason_print(tree, node);
}

/* Whether this one is the first of its controller. */
static bool begins_controller(const struct tree *tree, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (same_controller(tree->nodes[i].port, tree->nodes[j].port))
			return false;
	return true;
}

static void controllers_walk(struct tree *tree, bool name,
			     void (*visit)(struct tree *tree, size_t i))
{
	char cell[CELL_MAX];

	for (size_t i = 0; i < tree->count; i++) {
		if (!begins_controller(tree, i))
			continue;
		if (name) {
			snprintf(cell, sizeof(cell), "%.*s",
				 (int)(controller_length(tree->nodes[i].port) % CELL_MAX),
				 text_member(tree->nodes[i].port, "place"));
			text_clean(cell);
			puts(cell);
		}
		walk(tree, NOBODY, i, visit);
	}
}

void tree_print(struct json_object *ports, bool places)
{
	struct tree tree = {.count = json_object_array_length(ports), .strokes = ascii};

	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		tree.strokes = boxes;
	tree.nodes = calloc(tree.count + 1, sizeof(*tree.nodes));
	if (!tree.nodes)
		return;
	for (size_t i = 0; i < tree.count; i++)
		tree.nodes[i].port = json_object_array_get_idx(ports, i);
	nodes_link(&tree);
	for (int column = 0; column < COLUMNS; column++)
		tree.width[column] = column == COLUMN_PLACE && !places ? 0 : strlen(titles[column]);
	controllers_walk(&tree, false, prefixes_write);
	controllers_walk(&tree, false, widths_raise);
	fputs(colour_start(stdout, COLOUR_STRONG), stdout);
	for (int column = 0; column < COLUMN_STATE; column++)
		if (tree.width[column])
			cell_print(&tree, titles[column], tree.width[column] + 2);
	printf("%s%s\n", titles[COLUMN_STATE], colour_end(stdout));
	controllers_walk(&tree, true, line_print);
	free(tree.nodes);
}
