/**
 * The truth about jobs, users and keys: the {@link dev.tintype.queue.store.JobStore} port and its
 * PostgreSQL implementation. Every write of a worker carries its fence, every change of state is a
 * compare-and-set, and a submission returns only after its commit is on the disk. The same room
 * holds the embedded PostgreSQL server and the live fan-out of events.
 */
package dev.tintype.queue.store;
