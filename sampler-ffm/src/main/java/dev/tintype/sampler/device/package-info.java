/**
 * Where tensors live: devices, element types, shapes, and the workspace that hands out memory.
 * Memory is released explicitly, by owner (model, run, call); nothing waits for the garbage
 * collector. The arithmetic on tensors is in {@code dev.tintype.sampler.ops}.
 */
package dev.tintype.sampler.device;
