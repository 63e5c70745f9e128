/**
 * What a job is and how it moves: the domain, the durable store, the fair relay, the transports.
 * This package holds only what all of its rooms share: the module's errors. Nothing here knows
 * HTTP, tensors or pictures.
 */
package dev.tintype.queue;
