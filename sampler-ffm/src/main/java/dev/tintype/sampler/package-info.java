/**
 * The inference engine: Stable Diffusion in Java over the CPU's and the GPU's own libraries,
 * through the FFM API. Read it bottom up: device, ops, weights, nn, model, schedule, pipeline. It
 * knows nothing of jobs, users or HTTP.
 */
package dev.tintype.sampler;
