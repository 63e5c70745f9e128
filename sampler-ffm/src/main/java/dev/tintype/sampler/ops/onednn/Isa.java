package dev.tintype.sampler.ops.onednn;

import dev.tintype.sampler.bindings.dnnl.Dnnl;

/** The instruction set that oneDNN found on this processor. */
record Isa(int value) {

  static Isa current() {
    return new Isa(Dnnl.dnnl_get_effective_cpu_isa());
  }

  boolean bf16() {
    return contains(Dnnl.dnnl_cpu_isa_avx512_core_bf16());
  }

  /** Matrix units for bf16; without them oneDNN computes fp32 tensors in fp32, allowed or not. */
  boolean bf16Matrices() {
    return contains(Dnnl.dnnl_cpu_isa_avx512_core_amx());
  }

  /** Instruction sets are bit masks; later ones contain earlier ones. */
  private boolean contains(int other) {
    return (value & other) == other;
  }

  String text() {
    if (bf16Matrices()) {
      return "AVX-512 with AMX";
    }
    if (bf16()) {
      return "AVX-512 with bf16";
    }
    if (contains(Dnnl.dnnl_cpu_isa_avx512_core())) {
      return "AVX-512";
    }
    return contains(Dnnl.dnnl_cpu_isa_avx2()) ? "AVX2" : "SSE 4.1";
  }
}
