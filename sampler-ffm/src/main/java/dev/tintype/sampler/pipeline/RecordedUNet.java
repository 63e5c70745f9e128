package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.DeviceException;
import dev.tintype.sampler.device.Graph;
import dev.tintype.sampler.device.Recorder;
import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Spare;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.nn.TextStates;
import dev.tintype.sampler.ops.Ops;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The UNet of the step loop. On a device that records, a call is recorded when its shapes come for
 * the second time (the first time makes plans and memory), and replayed from then on: the inputs
 * are copied to the addresses of the recording. The results are the same, bit for bit. There is one
 * recording per number of samples and latent size; those not used for longest are given up, and all
 * of them when the device lacks memory for something else.
 */
final class RecordedUNet implements Spare, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RecordedUNet.class);

  /** Each holds its inputs and output, some MB; their scratch they share. */
  static final int RECORDINGS_MAX = 16;

  /** Attempts at a recording, before steps of that size are always launched. */
  private static final int FAILURES_MAX = 3;

  /** Everything of a call that decides its kernels. */
  private record Key(Shape sample, Shape time, long textRows, long textTokens) {}

  /** What is known of a key: seen once, recorded, or not to be recorded. */
  private static final class Slot {
    private boolean seen;
    private int failures;
    private Optional<Recording> recording = Optional.empty();
  }

  private final UNet2DConditionModel unet;
  private final Ops ops;
  private final Optional<Recorder> recorder;
  private final LinkedHashMap<Key, Slot> slots =
      new LinkedHashMap<>(RECORDINGS_MAX, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Slot> eldest) {
          if (size() <= RECORDINGS_MAX) {
            return false;
          }
          eldest.getValue().recording.ifPresent(Recording::close);
          return true;
        }
      };

  RecordedUNet(UNet2DConditionModel unet, Ops ops, Optional<Recorder> recorder) {
    this.unet = unet;
    this.ops = ops;
    this.recorder = recorder;
    recorder.ifPresent(device -> device.addSpare(this));
  }

  /**
   * As {@link UNet2DConditionModel#forward}. The result is good until the next call; it must be
   * closed before.
   */
  Tensor forward(Tensor sample, Tensor time, TextStates text) {
    if (recorder.isEmpty()) {
      return unet.forward(sample, time, text);
    }
    Key key = new Key(sample.shape(), time.shape(), text.rows(), text.tokens());
    Slot slot = slots.computeIfAbsent(key, k -> new Slot());
    if (slot.recording.isPresent() && slot.recording.get().isStale()) {
      // Launched once, so that the device has again what a recording needs.
      slot.recording.get().close();
      slot.recording = Optional.empty();
      slot.seen = false;
    }
    if (slot.recording.isEmpty() && slot.seen && slot.failures < FAILURES_MAX) {
      record(slot, key, sample, time, text);
    }
    slot.seen = true;
    return slot.recording.isPresent()
        ? slot.recording.get().replay(sample, time, text)
        : unet.forward(sample, time, text);
  }

  private void record(Slot slot, Key key, Tensor sample, Tensor time, TextStates text) {
    try {
      slot.recording = Optional.of(new Recording(recorder.orElseThrow(), sample, time, text));
    } catch (DeviceException e) {
      if (e.isSticky()) {
        throw e;
      }
      slot.failures++;
      LOG.warn(
          "steps of {} are launched one by one{}: {}",
          key,
          slot.failures < FAILURES_MAX ? " this time" : "",
          e.getMessage());
    }
  }

  /** What the recordings hold beside the scratch that they share. */
  @Override
  public long bytes() {
    return slots.values().stream()
        .flatMap(slot -> slot.recording.stream())
        .filter(recording -> !recording.inUse)
        .mapToLong(Recording::bytes)
        .sum();
  }

  /** All but the one whose result somebody reads. */
  @Override
  public void giveUp() {
    for (Slot slot : slots.values()) {
      if (slot.recording.isPresent() && !slot.recording.get().inUse) {
        slot.recording.get().close();
        slot.recording = Optional.empty();
        slot.seen = false;
      }
    }
  }

  @Override
  public void close() {
    recorder.ifPresent(device -> device.removeSpare(this));
    slots.values().forEach(slot -> slot.recording.ifPresent(Recording::close));
    slots.clear();
  }

  /** One recorded call and the tensors at its addresses. */
  private final class Recording implements AutoCloseable {
    private final Tensor sample;
    private final Tensor time;
    private final TextStates text;
    private final Tensor result;
    private final Graph graph;
    private final BiConsumer<Tensor, Tensor> copies;

    /** Whose contents {@link #text} has; text stays the same for many steps. */
    private TextStates textOf;

    /** Between a replay and the end of its result. */
    private boolean inUse;

    Recording(Recorder recorder, Tensor sample, Tensor time, TextStates text) {
      this.copies = recorder::copy;
      Tensor[] made = new Tensor[3];
      TextStates[] madeText = new TextStates[1];
      try {
        made[0] = ops.concatBatch(List.of(sample));
        made[1] = ops.concatBatch(List.of(time));
        madeText[0] = text.copy(ops);
        graph = recorder.record(() -> made[2] = unet.forward(made[0], made[1], madeText[0]));
      } catch (RuntimeException e) {
        for (Tensor tensor : made) {
          Optional.ofNullable(tensor).ifPresent(Tensor::close);
        }
        Optional.ofNullable(madeText[0]).ifPresent(TextStates::close);
        throw e;
      }
      this.sample = made[0];
      this.time = made[1];
      this.result = made[2];
      this.text = madeText[0];
      this.textOf = text;
    }

    boolean isStale() {
      return graph.isStale();
    }

    Tensor replay(Tensor newSample, Tensor newTime, TextStates newText) {
      copies.accept(newSample, sample);
      copies.accept(newTime, time);
      if (textOf != newText) {
        textOf = null;
        text.overwrite(newText, copies);
        textOf = newText;
      }
      graph.replay();
      inUse = true;
      return Tensor.owning(result.shape(), result.dtype(), result.data(), () -> inUse = false);
    }

    long bytes() {
      return sample.bytes() + time.bytes() + result.bytes() + text.bytes();
    }

    @Override
    public void close() {
      graph.close();
      sample.close();
      time.close();
      text.close();
      result.close();
    }
  }
}
