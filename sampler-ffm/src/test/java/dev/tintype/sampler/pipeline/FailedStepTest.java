package dev.tintype.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tintype.sampler.device.Device;
import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.DeviceOptions;
import dev.tintype.sampler.device.Devices;
import dev.tintype.sampler.ops.Ops;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A step that fails anywhere moves nobody. The batch has two kinds, one of which takes two calls of
 * the network, so that most failures come after others have been computed.
 */
class FailedStepTest {
  private static final Path MODEL = Path.of("src/test/golden/models/sd-tiny");
  private static final int SAMPLES_PER_CALL = 2;
  private static final int STEPS = 2;

  /** Failures per step, spread evenly over its calls. */
  private static final int FAILURES = 12;

  private static final List<Recipe> BATCH =
      List.of(
          recipe("a house", 64, 5, "euler_a", 12),
          recipe("a red sun", 64, 7.5, "ddim", 11),
          recipe("a lake", 96, 1, "dpmpp_2m", 13),
          recipe("the moon", 96, 1, "ddim", 14),
          recipe("a red tree", 64, 2, "dpmpp_2m_karras", 11));

  private static Recipe recipe(
      String prompt, int width, double guidance, String scheduler, long seed) {
    return new Recipe(
        prompt,
        "snow",
        width,
        64,
        STEPS,
        guidance,
        0,
        0,
        Optional.of(scheduler),
        seed,
        0,
        Optional.empty(),
        Optional.empty());
  }

  /** A real device, one of whose verbs throws at the call that the test names. */
  private static final class FailingDevice implements Device {
    private final Device device;
    private final Ops ops;
    private int calls;
    private int failAt;

    FailingDevice(Device device) {
      this.device = device;
      this.ops =
          (Ops)
              Proxy.newProxyInstance(
                  Ops.class.getClassLoader(),
                  new Class<?>[] {Ops.class},
                  (proxy, verb, arguments) -> {
                    if (++calls == failAt) {
                      throw new DeviceException(DeviceException.FAILED, "call " + calls);
                    }
                    try {
                      return verb.invoke(device.ops(), arguments);
                    } catch (InvocationTargetException e) {
                      throw e.getCause();
                    }
                  });
    }

    /** From now on; 0 never fails. */
    void failAt(int call) {
      calls = 0;
      failAt = call;
    }

    int calls() {
      return calls;
    }

    @Override
    public String name() {
      return device.name();
    }

    @Override
    public String description() {
      return device.description();
    }

    @Override
    public Ops ops() {
      return ops;
    }

    @Override
    public int samplesPerCall() {
      return SAMPLES_PER_CALL;
    }

    @Override
    public long bytesHeld() {
      return device.bytesHeld();
    }

    @Override
    public void close() {
      device.close();
    }
  }

  private static List<SampleState> states(DiffusionPipeline pipeline, List<Sample> samples) {
    return samples.stream().map(pipeline::save).toList();
  }

  private static List<Sample> admit(DiffusionPipeline pipeline) {
    return new ArrayList<>(BATCH.stream().map(pipeline::admit).toList());
  }

  private static void assertSame(List<SampleState> found, List<SampleState> expected, String when) {
    assertThat(found).as(when).usingRecursiveComparison().isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu"})
  void movesNobodyAndGoesOnAsIfItHadNotHappened(String deviceName) {
    try (FailingDevice device =
            new FailingDevice(Devices.open(deviceName, DeviceOptions.defaults()));
        DiffusionPipeline pipeline =
            DiffusionPipeline.load(MODEL, device, LoadOptions.defaults())) {
      List<Sample> spared = admit(pipeline);
      List<Sample> struck = admit(pipeline);
      try {
        for (int step = 0; step < STEPS; step++) {
          device.failAt(0);
          pipeline.step(spared);
          int calls = device.calls();
          assertThat(calls).isGreaterThan(FAILURES);
          List<SampleState> before = states(pipeline, struck);
          for (int failure = 1; failure <= FAILURES; failure++) {
            int at = Math.ceilDiv(calls * failure, FAILURES);
            device.failAt(at);
            assertThatThrownBy(() -> pipeline.step(struck)).hasMessageContaining("call " + at);
            device.failAt(0);
            assertSame(states(pipeline, struck), before, "step " + step + ", call " + at);
          }
          pipeline.step(struck);
          assertSame(states(pipeline, struck), states(pipeline, spared), "after step " + step);
        }
        for (int i = 0; i < BATCH.size(); i++) {
          assertThat(struck.get(i).done()).isTrue();
          assertThat(pipeline.decode(struck.get(i)).rgb())
              .as("picture %d", i)
              .isEqualTo(pipeline.decode(spared.get(i)).rgb());
        }
      } finally {
        spared.forEach(Sample::close);
        struck.forEach(Sample::close);
      }
    }
  }
}
