package dev.tintype.sampler.device;

import dev.tintype.sampler.ops.Ops;
import java.util.Optional;

/**
 * A place where pictures are computed: the reference (plain Java), the CPU (oneDNN) or a CUDA GPU.
 * A device owns its memory and its {@link Ops}; it is used by one thread at a time.
 */
public interface Device extends AutoCloseable {
  /** Short stable name: {@code reference}, {@code cpu}, {@code cuda:0}. */
  String name();

  /** One line for people: processor or card, instruction set, library versions, threads. */
  String description();

  /**
   * What decides the bits of a result beside its inputs: devices whose texts are equal compute the
   * same.
   */
  default String arithmetic() {
    return description();
  }

  /** The numeric verbs on this device; closed with the device. */
  Ops ops();

  /**
   * How many samples of a batch go through the network in one call. 1 where batching gains nothing:
   * then a sample's arithmetic does not depend on its neighbours, bit for bit.
   */
  int samplesPerCall();

  /** Present where repeating recorded work is faster than handing it over again. */
  default Optional<Recorder> recorder() {
    return Optional.empty();
  }

  /** Most bytes that may be held at one time, weights and workspace. */
  default long bytesMax() {
    return Long.MAX_VALUE;
  }

  /** Bytes of device memory held now: weights and workspace. */
  long bytesHeld();

  /** Bytes that more weights and tensors may take: what is held and unused is given back first. */
  default long bytesFree() {
    return bytesMax() - bytesHeld();
  }

  @Override
  void close();
}
