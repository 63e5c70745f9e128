/**
 * The building blocks of the networks, named as diffusers names them and reading their weights by
 * the keys of published checkpoints. A module holds prepared weights and has one {@code forward};
 * it owns no activations, and the weights belong to the {@link dev.tintype.sampler.nn.Parameters}
 * of the model. Images are [batch, height, width, channels], sequences [batch, tokens, channels].
 */
package dev.tintype.sampler.nn;
