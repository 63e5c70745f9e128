/**
 * From a recipe to a picture: a diffusers folder loaded on a device, and samples that move one
 * denoising step at a time, alone or in batches. A sample's picture depends on its recipe and the
 * model alone, never on what shared its batch. Start at {@link
 * dev.tintype.sampler.pipeline.DiffusionPipeline}.
 */
package dev.tintype.sampler.pipeline;
