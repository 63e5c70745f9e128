/**
 * Where variants come from: memory, then disk, then one encode however many ask. The encode pool,
 * its queue and every cache are bounded. A variant is named by a hash of the original, the resolved
 * operations and the encoder's version.
 */
package dev.tintype.edge.variant;
