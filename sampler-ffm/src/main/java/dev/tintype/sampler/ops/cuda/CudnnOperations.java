package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.bindings.cudnn.Cudnn;
import dev.tintype.sampler.device.DType;
import dev.tintype.sampler.ops.Conv2dGeometry;
import java.util.ArrayList;
import java.util.List;

/**
 * The operations of a convolution's graph, finalised: the convolution, then one addition per fused
 * operand. What passes between them is fp32 and never in memory. Needs no GPU.
 */
final class CudnnOperations {
  /** Ids of the tensors between operations. */
  private static final long BETWEEN = 1000;

  private final List<CudnnDescriptor> owned;
  private final int type;

  /**
   * @param owned takes the descriptors, to be closed in reverse order
   */
  CudnnOperations(List<CudnnDescriptor> owned, DType dtype) {
    this.owned = owned;
    this.type = type(dtype);
  }

  static int type(DType dtype) {
    return switch (dtype) {
      case F32 -> Cudnn.CUDNN_DATA_FLOAT();
      case F16 -> Cudnn.CUDNN_DATA_HALF();
      case BF16 -> Cudnn.CUDNN_DATA_BFLOAT16();
      case F64, I64, I32, U8 -> throw new IllegalArgumentException("no convolutions of " + dtype);
    };
  }

  CudnnDescriptor[] build(Convolution.Problem p, CudnnFusion fusion) {
    List<CudnnDescriptor> operations = new ArrayList<>();
    List<CudnnDescriptor> addends = addends(p, fusion);
    CudnnDescriptor current = result(p, 0, addends.size());
    operations.add(convolution(p, current));
    for (int i = 0; i < addends.size(); i++) {
      CudnnDescriptor next = result(p, i + 1, addends.size());
      operations.add(addition(current, addends.get(i), next));
      current = next;
    }
    return operations.toArray(new CudnnDescriptor[0]);
  }

  private CudnnDescriptor own(int kind, String what) {
    CudnnDescriptor descriptor = new CudnnDescriptor(kind, what);
    owned.add(descriptor);
    return descriptor;
  }

  /** [n, c, h, w] extents over NHWC memory. */
  private CudnnDescriptor tensor(
      String what, long id, int elements, boolean virtual, long n, long c, long h, long w) {
    return own(Cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR(), what)
        .choice(Cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE(), Cudnn.CUDNN_TYPE_DATA_TYPE(), elements)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS(), n, c, h, w)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_STRIDES(), c * h * w, 1, c * w, c)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID(), id)
        .numbers(Cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT(), 16)
        .flag(Cudnn.CUDNN_ATTR_TENSOR_IS_VIRTUAL(), virtual)
        .finish();
  }

  /** What operation {@code index} of {@code last} gives: y at the end, before that passed on. */
  private CudnnDescriptor result(Convolution.Problem p, int index, int last) {
    boolean end = index == last;
    return tensor(
        end ? "y" : "between",
        end ? CudnnFusion.Y : BETWEEN + index,
        end ? type : Cudnn.CUDNN_DATA_FLOAT(),
        !end,
        p.samples(),
        p.outChannels(),
        p.outHeight(),
        p.outWidth());
  }

  /** The residual first: cuDNN 9.24 plans that order, and has no plan for the other. */
  private List<CudnnDescriptor> addends(Convolution.Problem p, CudnnFusion fusion) {
    List<CudnnDescriptor> addends = new ArrayList<>();
    int channels = p.outChannels();
    if (fusion.residual()) {
      addends.add(
          tensor(
              "residual",
              CudnnFusion.RESIDUAL,
              type,
              false,
              p.samples(),
              channels,
              p.outHeight(),
              p.outWidth()));
    }
    if (fusion.bias()) {
      addends.add(tensor("bias", CudnnFusion.BIAS, type, false, 1, channels, 1, 1));
    }
    return addends;
  }

  private CudnnDescriptor convolution(Convolution.Problem p, CudnnDescriptor result) {
    Conv2dGeometry g = p.geometry();
    CudnnDescriptor x =
        tensor("x", CudnnFusion.X, type, false, p.samples(), p.inChannels(), p.height(), p.width());
    CudnnDescriptor w =
        tensor(
            "w",
            CudnnFusion.W,
            type,
            false,
            p.outChannels(),
            p.inChannels(),
            g.kernelHeight(),
            g.kernelWidth());
    CudnnDescriptor geometry =
        own(Cudnn.CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR(), "convolution")
            .choice(
                Cudnn.CUDNN_ATTR_CONVOLUTION_COMP_TYPE(),
                Cudnn.CUDNN_TYPE_DATA_TYPE(),
                Cudnn.CUDNN_DATA_FLOAT())
            .choice(
                Cudnn.CUDNN_ATTR_CONVOLUTION_CONV_MODE(),
                Cudnn.CUDNN_TYPE_CONVOLUTION_MODE(),
                Cudnn.CUDNN_CROSS_CORRELATION())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS(), 2)
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS(), g.padTop(), g.padLeft())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_POST_PADDINGS(), g.padBottom(), g.padRight())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES(), g.stride(), g.stride())
            .numbers(Cudnn.CUDNN_ATTR_CONVOLUTION_DILATIONS(), 1, 1)
            .finish();
    return own(Cudnn.CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR(), "forward")
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X(), x)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W(), w)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y(), result)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC(), geometry)
        .real(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA(), 1)
        .real(Cudnn.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA(), 0)
        .finish();
  }

  private CudnnDescriptor addition(CudnnDescriptor a, CudnnDescriptor b, CudnnDescriptor sum) {
    CudnnDescriptor add =
        own(Cudnn.CUDNN_BACKEND_POINTWISE_DESCRIPTOR(), "addition")
            .choice(
                Cudnn.CUDNN_ATTR_POINTWISE_MODE(),
                Cudnn.CUDNN_TYPE_POINTWISE_MODE(),
                Cudnn.CUDNN_POINTWISE_ADD())
            .choice(
                Cudnn.CUDNN_ATTR_POINTWISE_MATH_PREC(),
                Cudnn.CUDNN_TYPE_DATA_TYPE(),
                Cudnn.CUDNN_DATA_FLOAT())
            .finish();
    return own(Cudnn.CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR(), "add")
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR(), add)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_XDESC(), a)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_BDESC(), b)
        .descriptors(Cudnn.CUDNN_ATTR_OPERATION_POINTWISE_YDESC(), sum)
        .finish();
  }
}
