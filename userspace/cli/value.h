/* SPDX-License-Identifier: MIT */
/*
 * Keys and values of the kmap command: how they are read from arguments, files
 * and pipes, and how they are printed.
 */
#ifndef KMAP_CLI_VALUE_H
#define KMAP_CLI_VALUE_H

#include "bytes.h"
#include "cli.h"

/*
 * Append the key that the command line names: the contents of --key-file, or
 * else the next operand, which is consumed.  An operand "-" stands for standard
 * input, unless a -- stands before the operands.  Contents of files and of
 * standard input are taken as they are.
 */
enum cli_status cli_take_key(struct cli *cli, struct bytes *key);

/* The same for the value: --value-file or the next operand. */
enum cli_status cli_take_value(struct cli *cli, struct bytes *value);

/* The same for the value to compare with: --equal, which was given. */
enum cli_status cli_take_equal(const struct cli *cli, struct bytes *old);

/* The same for the prefix: --prefix, which was given. */
enum cli_status cli_take_prefix(const struct cli *cli, struct bytes *prefix);

/* Refuse operands that are left over. */
enum cli_status cli_no_operands(const struct cli *cli);

/* Open a file or pipe by name, "-" for standard input: its descriptor or -1. */
int cli_open_input(struct cli *cli, const char *name);

/*
 * Print a value in the form that --output names; by default escaped on a
 * terminal, so that it can do no harm there.  A newline follows all forms but the
 * raw one.  What FORM_NUMBER prints must be a number.
 */
void cli_print_value(const struct cli *cli, const void *data, size_t len);

/* The 8 bytes at data as a number, in the byte order of the machine. */
int64_t cli_number(const void *data);

/* Was the value that a walk found, with values, stored as a number? */
bool cli_is_number(const struct kmap_pair *pair);

/*
 * Print bytes as a JSON value: a string if they are UTF-8, else an object
 * {"base64": "..."}.  The two cannot be mistaken for each other, and the bytes
 * can be restored exactly from either.
 */
void cli_print_json(FILE *out, const void *data, size_t len);

#endif /* KMAP_CLI_VALUE_H */
