/* SPDX-License-Identifier: MIT */
/*
 * XenStore. Paths are absolute, or relative to the guest's own directory. One request at a time;
 * each waits for its reply. A transaction of 0 is none.
 */
#ifndef BARE_STORE_H
#define BARE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_VALUE_MAX 256u
#define STORE_NOT_A_NUMBER 0xffffffffu

/* Finds XenStore's ring. xen_init() has been called. */
void store_init(void);

/* Reads a node into value, as text. False where there is none, or it is too long. */
bool store_read(const char *path, char value[STORE_VALUE_MAX]);

/* A node's number, or STORE_NOT_A_NUMBER. */
uint32_t store_read_number(const char *path);

/* The name of the first node in a directory. False where it is empty. */
bool store_first(const char *path, char name[STORE_VALUE_MAX]);

bool store_write(uint32_t transaction, const char *path, const char *value);
bool store_write_number(uint32_t transaction, const char *path, uint32_t number);

/* Writes values one behind the other, without waiting for replies between them: at most 10. */
void store_write_many(const char *path, const char *const values[], uint32_t count);

bool store_remove(const char *path);

/* Returns the transaction, or 0. */
uint32_t store_begin(void);

/* Ends a transaction. False where somebody else got in its way: try again. */
bool store_commit(uint32_t transaction);

#endif
