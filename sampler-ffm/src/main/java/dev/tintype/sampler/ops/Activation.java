package dev.tintype.sampler.ops;

/** Pointwise functions, as the published models define them. */
public enum Activation {
  NONE,
  /** x * sigmoid(x); diffusers calls it silu or swish. */
  SILU,
  /** x * Phi(x) with the exact error function; not the tanh approximation. */
  GELU,
  /** x * sigmoid(1.702 x), the text encoder of CLIP ViT-L. */
  QUICK_GELU,
  RELU,
  /** max(x, 0.2 x), the upscaler's. */
  LEAKY_RELU_02,
}
