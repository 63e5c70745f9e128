package dev.tintype.queue.relay;

import dev.tintype.queue.job.JobSpec;

/**
 * Estimates what a job will take of a GPU. Only ratios matter to fairness, so the unit may be off
 * by a constant.
 */
public interface CostModel {
  /** Estimated GPU-ms, at least 1. */
  long estimateMs(JobSpec spec);

  /**
   * Steps x pixels x pictures: at {@code nsPerPixelStep} ns each, doubled where guidance needs two
   * passes of the network. 23 ns is SD1.5 at 512 x 512, 6 ms per guided step.
   */
  static CostModel linear(double nsPerPixelStep) {
    return spec -> {
      double passes = spec.guidanceScale() > 1 ? 2 : 1;
      double steps =
          spec.kind() == JobSpec.Kind.TEXT_TO_IMAGE
              ? spec.steps()
              : Math.ceil(spec.steps() * spec.strength());
      double nanos =
          nsPerPixelStep
              / 2
              * passes
              * Math.max(1, steps)
              * spec.width()
              * spec.height()
              * spec.images();
      return Math.max(1, Math.round(nanos / 1e6));
    };
  }
}
