package dev.tintype.edge.variant;

/**
 * What a request is answered with that may be answered in more than one way.
 *
 * @param key which variant it is
 * @param served the picture
 * @param collapsed whether this request joined an encode that another request had begun
 * @param temporary whether a better variant is made meanwhile: not to be kept for long
 */
public record Chosen(VariantKey key, Served served, boolean collapsed, boolean temporary) {}
