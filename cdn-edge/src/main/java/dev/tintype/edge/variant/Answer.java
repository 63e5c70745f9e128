package dev.tintype.edge.variant;

import java.util.concurrent.CompletableFuture;

/**
 * A variant, now or soon.
 *
 * @param served the variant; fails with an EdgeException. Shared: complete or cancel it never
 * @param collapsed whether this request joined an encode that another request had begun
 */
public record Answer(CompletableFuture<Served> served, boolean collapsed) {}
