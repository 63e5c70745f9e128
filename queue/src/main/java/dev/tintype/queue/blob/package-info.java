/**
 * Where pictures lie: bytes under the SHA-256 of themselves. Putting the same bytes twice changes
 * nothing, and a name never changes its bytes, so that everything above may cache for ever. The
 * port has a directory for one machine now, and S3 for fleets later.
 */
package dev.tintype.queue.blob;
