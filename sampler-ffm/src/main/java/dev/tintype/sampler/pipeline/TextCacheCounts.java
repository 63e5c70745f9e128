package dev.tintype.sampler.pipeline;

/**
 * How often an encoded text was known, since the pipeline was loaded.
 *
 * @param hits texts that were known
 * @param misses texts that had to be encoded
 */
public record TextCacheCounts(long hits, long misses) {}
