// Every kernel of Tintype in one translation unit: one fatbin, each instantiated once.
#include "attention.cuh"
#include "attention_mma.cuh"
#include "elementwise.cuh"
#include "gemm.cuh"
#include "gemm_mma.cuh"
#include "layout.cuh"
#include "norm.cuh"
#include "sampling.cuh"
