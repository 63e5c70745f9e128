/**
 * Frees the bytes of pictures that nothing names any more, and moves old ones to colder storage.
 * The rows of the database are the references; a blob goes when it has none and has not been put
 * for a grace time. Bounded per turn, resumable, safe beside writers and beside other sweeps.
 */
package dev.tintype.queue.sweep;
