package dev.tintype.sampler.schedule;

/** How the timesteps of a run are chosen among those of training (Lin et al. 2023, table 2). */
enum TimestepSpacing {
  LINSPACE,
  LEADING,
  TRAILING;

  /**
   * Whole timesteps, descending, as DDIM and DDPM take them: numpy's linspace, arange and round
   * (half to even).
   *
   * @param train number of training timesteps
   */
  double[] timesteps(int train, int steps, int offset) {
    double[] timesteps =
        switch (this) {
          case LINSPACE -> linspaceDescending(train, steps);
          case LEADING -> leading(train, steps, offset);
          case TRAILING -> trailing(train, train, steps);
        };
    if (this == LINSPACE) {
      for (int i = 0; i < steps; i++) {
        timesteps[i] = Math.rint(timesteps[i]);
      }
    }
    return timesteps;
  }

  /** As the Euler schedulers take them: fractional with {@link #LINSPACE}, rounded to fp32. */
  double[] fractionalTimesteps(int train, int steps, int offset) {
    double[] timesteps =
        this == LINSPACE ? linspaceDescending(train, steps) : timesteps(train, steps, offset);
    for (int i = 0; i < steps; i++) {
      timesteps[i] = (float) timesteps[i];
    }
    return timesteps;
  }

  private static double[] linspaceDescending(int train, int steps) {
    double[] timesteps = new double[steps];
    double stride = steps == 1 ? 0 : (train - 1.0) / (steps - 1);
    for (int i = 0; i < steps; i++) {
      int ascending = steps - 1 - i;
      timesteps[i] = ascending == steps - 1 && steps > 1 ? train - 1 : ascending * stride;
    }
    return timesteps;
  }

  static double[] leading(int train, int steps, int offset) {
    double[] timesteps = new double[steps];
    int ratio = train / steps;
    for (int i = 0; i < steps; i++) {
      timesteps[i] = (long) (steps - 1 - i) * ratio + offset;
    }
    return timesteps;
  }

  /** numpy's arange(last, 0, -train / steps), rounded, minus 1; cut to {@code steps} values. */
  static double[] trailing(int last, int train, int steps) {
    double[] timesteps = new double[steps];
    double ratio = (double) train / steps;
    for (int i = 0; i < steps; i++) {
      timesteps[i] = Math.rint(last - i * ratio) - 1;
    }
    return timesteps;
  }
}
