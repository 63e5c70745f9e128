package dev.tintype.sampler.pipeline;

import java.util.Optional;

/**
 * What is needed to go on with a sample later or elsewhere, byte-equal on the same kind of device:
 * see {@link DiffusionPipeline#save} and {@link DiffusionPipeline#resume}.
 *
 * @param stepsDone steps done
 * @param latents [h, w, c]
 * @param predictedOriginal of the last step, for multistep solvers; empty before the first
 */
public record SampleState(int stepsDone, float[] latents, Optional<float[]> predictedOriginal) {}
