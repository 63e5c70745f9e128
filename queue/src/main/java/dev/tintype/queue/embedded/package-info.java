/**
 * A real PostgreSQL server of our own, for those who run Tintype alone: its binaries come with the
 * program, its data lie in the data folder. It writes through to the disk, listens only on the
 * loopback with a generated password, and survives a kill of itself or of this process. Where it
 * cannot start it says why and what to do.
 */
package dev.tintype.queue.embedded;
