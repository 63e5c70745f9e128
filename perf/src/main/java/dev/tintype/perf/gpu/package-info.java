/**
 * What perf/gpu/run measures in Java on a GPU: golden cases, networks on random weights, and their
 * results against those of diffusers. Needs the engine alone, so that it fits on a bare machine.
 * Results are JSON files that perf/gpu/report.py puts together.
 */
package dev.tintype.perf.gpu;
