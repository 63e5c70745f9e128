package dev.tintype.sampler.pipeline;

import static dev.tintype.sampler.nn.Tensors.consume;

import dev.tintype.sampler.device.Shape;
import dev.tintype.sampler.device.Tensor;
import dev.tintype.sampler.nn.TextStates;
import dev.tintype.sampler.ops.Ops;
import dev.tintype.sampler.ops.StepCoefficients;
import dev.tintype.sampler.schedule.SchedulePlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One step of a batch of samples: the UNet, guidance, and each sample's own scheduler. */
final class Denoiser implements AutoCloseable {
  private final Ops ops;
  private final RecordedUNet unet;
  private final int samplesPerCall;

  /** The joined text of the last batch of several, which usually is the next batch too. */
  private List<Sample> textOf = List.of();

  private Optional<Conditioning> joinedText = Optional.empty();

  /** The end of the last call of the UNet, where nobody has waited for that. */
  private Optional<Ops.Mark> underWay = Optional.empty();

  Denoiser(Ops ops, RecordedUNet unet, int samplesPerCall) {
    this.ops = ops;
    this.unet = unet;
    this.samplesPerCall = samplesPerCall;
  }

  /** What can go through the UNet together. */
  private record Kind(Shape item, boolean guided) {}

  /** A sample's next latent, computed but not yet its own. */
  private record Move(Sample sample, Ops.Stepped stepped, double milliseconds) {}

  /**
   * All or none of the call: a sample moves only when every other one could, so that a caller can
   * try again with fewer, or one by one to find the guilty one. What waits meanwhile are latents, a
   * thousandth of the activations.
   *
   * @param ahead return when the call before is done, so that the device goes on while the host
   *     prepares the next one. The last step of a sample is waited for all the same: what comes
   *     after it has its own time
   */
  void step(List<Sample> batch, boolean ahead) {
    boolean waits = !ahead || batch.stream().anyMatch(Denoiser::endsNow);
    Map<Kind, List<Sample>> groups = new LinkedHashMap<>();
    for (Sample sample : batch) {
      Kind kind = new Kind(sample.item(), sample.recipe().guided());
      groups.computeIfAbsent(kind, k -> new ArrayList<>()).add(sample);
    }
    List<Move> moves = new ArrayList<>();
    try {
      for (List<Sample> group : groups.values()) {
        for (int from = 0; from < group.size(); from += samplesPerCall) {
          int to = Math.min(from + samplesPerCall, group.size());
          moves.addAll(stepTogether(List.copyOf(group.subList(from, to)), waits));
        }
      }
    } catch (RuntimeException e) {
      moves.forEach(move -> move.stepped().close());
      throw e;
    }
    moves.forEach(move -> move.sample().advance(move.stepped(), move.milliseconds()));
  }

  private List<Move> stepTogether(List<Sample> samples, boolean waits) {
    long start = System.nanoTime();
    int count = samples.size();
    List<Ops.Stepped> stepped = new ArrayList<>();
    try (Tensor prediction = predict(samples)) {
      for (int i = 0; i < count; i++) {
        stepped.add(step(samples.get(i), prediction, i, count));
      }
      if (waits) {
        ops.synchronize();
        forgetMark();
      } else {
        waitForTheOneBefore();
      }
    } catch (RuntimeException e) {
      stepped.forEach(Ops.Stepped::close);
      throw e;
    }
    double share = (System.nanoTime() - start) / 1e6 / count;
    List<Move> moves = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      moves.add(new Move(samples.get(i), stepped.get(i), share));
    }
    return moves;
  }

  private static boolean endsNow(Sample sample) {
    return sample.nextStep() == sample.plan().steps() - 1;
  }

  private void waitForTheOneBefore() {
    Ops.Mark now = ops.mark();
    try {
      underWay.ifPresent(Ops.Mark::await);
      forgetMark();
    } catch (RuntimeException e) {
      now.close();
      throw e;
    }
    underWay = Optional.of(now);
  }

  private void forgetMark() {
    Optional<Ops.Mark> mark = underWay;
    underWay = Optional.empty();
    mark.ifPresent(Ops.Mark::close);
  }

  /** Waits for a call that nobody has waited for. */
  void settle() {
    if (underWay.isPresent()) {
      ops.synchronize();
      forgetMark();
    }
  }

  /** [rows of the text, h, w, c]: uncond of all samples, then text of all. */
  private Tensor predict(List<Sample> samples) {
    Conditioning text = text(samples);
    try (Tensor input = input(samples);
        Tensor time = time(samples, text.rows() / samples.size())) {
      return unet.forward(input, time, text.states());
    }
  }

  /** The embedded timesteps, a row for each of the text's. */
  private Tensor time(List<Sample> samples, int rowsEach) {
    List<Tensor> rows = new ArrayList<>();
    for (int row = 0; row < rowsEach; row++) {
      for (Sample sample : samples) {
        rows.add(sample.times().row(sample.nextStep(), row));
      }
    }
    return ops.concatBatch(rows);
  }

  private Tensor input(List<Sample> samples) {
    List<Tensor> parts = new ArrayList<>();
    try {
      for (Sample sample : samples) {
        parts.add(input(sample));
      }
      return parts.size() == 1 ? parts.removeFirst() : ops.concatBatch(parts);
    } finally {
      parts.forEach(Tensor::close);
    }
  }

  private Tensor input(Sample sample) {
    double factor = sample.plan().modelInputScale(sample.nextStep());
    Tensor scaled = ops.scale(sample.latents(), (float) factor);
    if (sample.inpaint().isPresent()
        && sample.inpaint().get() instanceof InpaintInputs.Channels channels) {
      return consume(scaled, s -> channels.join(ops, s));
    }
    return scaled;
  }

  /** The text of one sample is its own; that of several is joined once for as long as they stay. */
  private Conditioning text(List<Sample> samples) {
    if (samples.size() == 1) {
      return samples.getFirst().conditioning();
    }
    if (!textOf.equals(samples)) {
      forgetText();
      joinedText = Optional.of(join(samples));
      textOf = samples;
    }
    return joinedText.orElseThrow();
  }

  private void forgetText() {
    joinedText.ifPresent(Conditioning::close);
    joinedText = Optional.empty();
    textOf = List.of();
  }

  private Conditioning join(List<Sample> samples) {
    int rowsEach = samples.getFirst().conditioning().rows();
    List<TextStates> states = new ArrayList<>();
    List<Tensor> pooled = new ArrayList<>();
    List<double[]> timeIds = new ArrayList<>();
    for (int row = 0; row < rowsEach; row++) {
      for (Sample sample : samples) {
        Conditioning own = sample.conditioning();
        states.add(own.states().slice(row, row + 1));
        timeIds.add(own.timeIds()[row]);
        int r = row;
        own.pooled().ifPresent(p -> pooled.add(p.slice(r, r + 1)));
      }
    }
    TextStates joined = TextStates.concat(ops, states);
    try {
      return new Conditioning(
          joined,
          pooled.isEmpty() ? Optional.empty() : Optional.of(ops.concatBatch(pooled)),
          timeIds.toArray(double[][]::new));
    } catch (RuntimeException e) {
      joined.close();
      throw e;
    }
  }

  /**
   * @param prediction of all {@code count} samples without a prompt, then of all with theirs; once
   *     where there is no guidance
   */
  private Ops.Stepped step(Sample sample, Tensor prediction, int place, int count) {
    int index = sample.nextStep();
    SchedulePlan plan = sample.plan();
    StepCoefficients coefficients = plan.coefficients(index);
    Optional<Tensor> history =
        coefficients.usesHistory() ? sample.predictedOriginal() : Optional.empty();
    Optional<Tensor> noise =
        coefficients.usesNoise()
            ? Optional.of(sample.noise().step(index, sample.item()))
            : Optional.empty();
    try {
      Tensor first = prediction.slice(place, place + 1L);
      Ops.Stepped stepped =
          sample.recipe().guided()
              ? ops.guidedStep(
                  sample.latents(),
                  guided(
                      sample.recipe(), first, prediction.slice(count + place, count + place + 1L)),
                  history,
                  noise,
                  coefficients)
              : ops.step(sample.latents(), first, history, noise, coefficients);
      return sample.inpaint().isPresent()
              && sample.inpaint().get() instanceof InpaintInputs.Blend blend
          ? blended(blend, stepped, plan, index)
          : stepped;
    } finally {
      noise.ifPresent(Tensor::close);
    }
  }

  private static Ops.Guided guided(Recipe recipe, Tensor uncond, Tensor text) {
    return new Ops.Guided(
        uncond, text, (float) recipe.guidanceScale(), (float) recipe.guidanceRescale());
  }

  private Ops.Stepped blended(
      InpaintInputs.Blend blend, Ops.Stepped stepped, SchedulePlan plan, int index) {
    try {
      boolean last = index == plan.steps() - 1;
      Optional<SchedulePlan.AddNoise> level =
          last ? Optional.empty() : Optional.of(plan.addNoise(index + 1));
      Tensor mixed = blend.apply(ops, stepped.previous(), level);
      stepped.previous().close();
      return new Ops.Stepped(mixed, stepped.predictedOriginal());
    } catch (RuntimeException e) {
      stepped.close();
      throw e;
    }
  }

  @Override
  public void close() {
    forgetText();
    forgetMark();
  }
}
