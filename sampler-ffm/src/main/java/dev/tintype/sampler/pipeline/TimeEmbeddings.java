package dev.tintype.sampler.pipeline;

import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.model.UNet2DConditionModel;
import dev.tintype.sampler.model.UNet2DConditionModel.AddedConditions;
import dev.tintype.sampler.nn.Tensors;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.schedule.SchedulePlan;
import java.util.Optional;

/**
 * The embedded timesteps of all steps of one sample, with all projections of them, computed at once
 * when it is admitted: a step then takes its rows, some tens of KB. They depend on the sample
 * alone, whatever it is batched with.
 */
final class TimeEmbeddings implements AutoCloseable {
  private final Tensor table;
  private final int firstStep;
  private final int rows;

  private TimeEmbeddings(Tensor table, int firstStep, int rows) {
    this.table = table;
    this.firstStep = firstStep;
    this.rows = rows;
  }

  static TimeEmbeddings of(
      Ops ops, UNet2DConditionModel unet, SchedulePlan plan, int firstStep, Conditioning text) {
    boolean added = unet.config().addition().isPresent();
    // With SDXL's pooled text in it, the embedding differs between the rows of the text.
    int rows = added ? text.rows() : 1;
    int steps = plan.steps() - firstStep;
    double[] timesteps = new double[steps * rows];
    double[][] timeIds = new double[steps * rows][];
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] = plan.timestep(firstStep + i / rows);
      timeIds[i] = text.timeIds()[i % rows];
    }
    if (!added) {
      return new TimeEmbeddings(unet.embedTime(timesteps, Optional.empty()), firstStep, rows);
    }
    try (Tensor pooled = Tensors.repeat(ops, text.pooled().orElseThrow(), (long) steps * rows)) {
      Optional<AddedConditions> conditions = Optional.of(new AddedConditions(pooled, timeIds));
      return new TimeEmbeddings(unet.embedTime(timesteps, conditions), firstStep, rows);
    }
  }

  /** [1, channels] for that step of the plan and row of the text, as a view. */
  Tensor row(int step, int textRow) {
    long row = (long) (step - firstStep) * rows + textRow % rows;
    return table.slice(row, row + 1);
  }

  @Override
  public void close() {
    table.close();
  }
}
