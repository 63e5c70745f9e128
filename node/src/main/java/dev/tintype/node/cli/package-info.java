/**
 * The command line: each command is one class, and each talks to the platform as any client does,
 * over HTTP. Results go to standard output, progress and errors to standard error. Every error is
 * one paragraph with a code, and every command has --help with examples and --json for machines.
 */
package dev.tintype.node.cli;
