/**
 * What operators watch, in the text format of Prometheus (version 0.0.4). Written here rather than
 * by a library: it is four kinds of lines.
 */
package dev.tintype.gateway.metrics;
