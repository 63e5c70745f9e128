/**
 * Golden vectors: runs what diffusers computed on any device and says how far apart the results
 * are. A folder holds models and cases (see {@link dev.tintype.sampler.golden.GoldenRunner}); every
 * case gives one row, also a broken one. The tolerances are the case's own, for fp32.
 */
package dev.tintype.sampler.golden;
