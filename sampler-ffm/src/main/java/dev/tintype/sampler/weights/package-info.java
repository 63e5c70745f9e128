/**
 * Checkpoints as diffusers and transformers write them: safetensors files, single or sharded,
 * mapped into memory. Files are untrusted: header length, offsets and shapes are checked before
 * anything is mapped, and every error names file, key, expected and found.
 */
package dev.tintype.sampler.weights;
