/**
 * What the step loop needs of an inference engine: admit, step, decode. {@link
 * dev.tintype.worker.engine.PipelineEngine} is the one over our own pipelines; the tests of the
 * loop bring a small one of their own. All methods are called by the loop's thread alone, as
 * devices demand.
 */
package dev.tintype.worker.engine;
