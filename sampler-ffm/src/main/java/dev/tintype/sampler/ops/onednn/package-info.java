/**
 * The verbs on the CPU: oneDNN through the FFM API for matrix work, the Vector API for what oneDNN
 * does slowly in NHWC (norms, gates, upsampling). Weights are reordered once at load, primitives
 * are cached by shape, activations live in a workspace that recycles blocks. Samples of a batch are
 * computed one by one, so that a sample's bits do not depend on its neighbours.
 */
package dev.tintype.sampler.ops.onednn;
