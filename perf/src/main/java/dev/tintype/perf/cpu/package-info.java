/**
 * The engine's side of the comparison with PyTorch on the CPU. A process that loads a model once
 * and runs one piece of work per line on its standard input, so that the two engines can take
 * turns. The other side, and the table, are in perf/cpu.
 */
package dev.tintype.perf.cpu;
