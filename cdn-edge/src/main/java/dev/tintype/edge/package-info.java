/**
 * The edge: turns signed image URLs into small, cached variants of content-addressed originals.
 * This package holds what a node gives it: a configuration that validates itself, and a source of
 * originals. It knows neither jobs nor tensors.
 */
package dev.tintype.edge;
