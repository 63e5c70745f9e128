/**
 * The edge beside its peers, in one run on one machine: a cached variant against nginx, an encode
 * against sharp, a thousand clients for one cold variant. {@link dev.tintype.perf.edge.EdgeBench}
 * is the command; perf/edge/README.md tells what was tried and what it gave.
 */
package dev.tintype.perf.edge;
