package dev.tintype.sampler.ops.onednn;

import static dev.tintype.sampler.ops.onednn.Engine.check;

import dev.tintype.sampler.bindings.dnnl.Dnnl;
import dev.tintype.sampler.ops.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Attributes of one primitive under construction: scratchpad from our workspace, deterministic
 * results, arithmetic of the device, and the operations applied to the result before it is written.
 */
final class Attributes implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment attributes;
  private final MemorySegment postOps;
  private int count;

  Attributes(Engine engine) {
    this(engine.bf16());
  }

  /** For primitives that only move values. */
  static Attributes exact() {
    return new Attributes(false);
  }

  private Attributes(boolean bf16) {
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    check(Dnnl.dnnl_primitive_attr_create(out), "primitive_attr_create");
    attributes = out.get(ValueLayout.ADDRESS, 0);
    check(Dnnl.dnnl_post_ops_create(out), "post_ops_create");
    postOps = out.get(ValueLayout.ADDRESS, 0);
    check(
        Dnnl.dnnl_primitive_attr_set_scratchpad_mode(attributes, Dnnl.dnnl_scratchpad_mode_user()),
        "attr_set_scratchpad_mode");
    check(Dnnl.dnnl_primitive_attr_set_deterministic(attributes, 1), "attr_set_deterministic");
    if (bf16) {
      check(
          Dnnl.dnnl_primitive_attr_set_fpmath_mode(attributes, Dnnl.dnnl_fpmath_mode_bf16()),
          "attr_set_fpmath_mode");
    }
  }

  Attributes activation(Activation activation) {
    switch (activation) {
      case NONE -> {}
      case SILU -> eltwise(Dnnl.dnnl_eltwise_swish(), 1, 0);
      case QUICK_GELU -> eltwise(Dnnl.dnnl_eltwise_swish(), 1.702f, 0);
      case GELU -> eltwise(Dnnl.dnnl_eltwise_gelu_erf(), 0, 0);
      case RELU -> eltwise(Dnnl.dnnl_eltwise_relu(), 0, 0);
      case LEAKY_RELU_02 -> eltwise(Dnnl.dnnl_eltwise_relu(), 0.2f, 0);
    }
    return this;
  }

  Attributes scale(float factor) {
    if (factor != 1) {
      eltwise(Dnnl.dnnl_eltwise_linear(), factor, 0);
    }
    return this;
  }

  /** Adds a tensor; returns the argument number under which it is given at execution. */
  int add(MemorySegment descriptor) {
    check(
        Dnnl.dnnl_post_ops_append_binary(postOps, Dnnl.dnnl_binary_add(), descriptor),
        "post_ops_append_binary");
    return (Dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE() * (++count)) | Dnnl.DNNL_ARG_SRC_1();
  }

  private void eltwise(int algorithm, float alpha, float beta) {
    check(
        Dnnl.dnnl_post_ops_append_eltwise(postOps, algorithm, alpha, beta),
        "post_ops_append_eltwise");
    count++;
  }

  /** The finished attributes; valid until close. */
  MemorySegment handle() {
    check(
        Dnnl.dnnl_primitive_attr_set_post_ops(attributes, postOps), "primitive_attr_set_post_ops");
    return attributes;
  }

  @Override
  public void close() {
    Dnnl.dnnl_post_ops_destroy(postOps);
    Dnnl.dnnl_primitive_attr_destroy(attributes);
    arena.close();
  }
}
