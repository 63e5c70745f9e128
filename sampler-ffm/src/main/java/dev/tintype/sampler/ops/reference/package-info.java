/**
 * The oracle: every verb in plain Java with double accumulation, written to be read and checked
 * against the definition, not to be fast. The other implementations are compared with it. Tensors
 * are float arrays on the Java heap.
 */
package dev.tintype.sampler.ops.reference;
