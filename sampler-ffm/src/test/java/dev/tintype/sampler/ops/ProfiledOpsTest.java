package dev.tintype.sampler.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.ops.reference.ReferenceDevice;
import dev.tintype.sampler.weights.HostTensor;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProfiledOpsTest {

  /** Also where the device has it from two others. */
  @Test
  void gatedProductsAreAVerbOfTheirOwn() {
    ProfiledOps ops = new ProfiledOps(new ReferenceDevice().ops());
    HostTensor weight = HostTensor.of("weight", new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2);
    try (Tensor x = ops.upload(new float[6], Shape.of(3, 2));
        var weights = ops.prepareLinear(weight, Optional.empty())) {
      ops.reset();
      ops.linearGeglu(x, weights).close();
    }
    assertThat(ops.report()).contains("1 calls  linearGeglu [3, 2] to 2\n").hasLineCount(2);
  }
}
