package dev.tintype.sampler.ops.cuda;

import dev.tintype.sampler.device.DeviceException;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a library offers beside our own kernels and is allowed to fail at: a plan that it cannot
 * build or run on this card costs speed, never a picture. Each kind is told of once.
 */
final class OptionalWays {
  private static final Logger LOG = LoggerFactory.getLogger(OptionalWays.class);

  /** Kinds that were told of; there are fewer in the code. */
  private static final int TOLD_MAX = 64;

  private final Set<String> told = new HashSet<>();

  /**
   * Goes on without it.
   *
   * @param kind what failed, the same for all shapes
   * @throws DeviceException the failure itself, where the device is gone
   */
  void passOver(String kind, String what, DeviceException failure) {
    if (failure.isSticky()) {
      throw failure;
    }
    if (told.size() < TOLD_MAX && told.add(kind)) {
      LOG.warn("{} cannot be used for {}, others are: {}", kind, what, failure.getMessage());
    } else {
      LOG.debug("{} cannot be used for {}: {}", kind, what, failure.getMessage());
    }
  }
}
