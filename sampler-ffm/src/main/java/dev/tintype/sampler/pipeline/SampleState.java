package dev.tintype.sampler.pipeline;

import java.util.Optional;

/**
 * What is needed to go on with a sample later or elsewhere, byte-equal on the same kind of device:
 * see {@link DiffusionPipeline#save} and {@link DiffusionPipeline#resume}.
 *
 * @param stepsDone steps done
 * @param latents [h, w, c]
 * @param predictedOriginal of the last step, [h, w, c], where the next step of a multistep solver
 *     reads it; else empty. Fresh noise needs nothing: it is drawn by seed and step
 */
public record SampleState(int stepsDone, float[] latents, Optional<float[]> predictedOriginal) {}
