/**
 * The durable queue beside the bare statements that it is made of, in one run against one
 * PostgreSQL with fsync on. {@link dev.tintype.perf.queue.QueueBench} is the command;
 * perf/queue/README.md tells what is measured and what it gave.
 */
package dev.tintype.perf.queue;
