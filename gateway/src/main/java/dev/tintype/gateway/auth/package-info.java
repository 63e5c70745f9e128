/**
 * Who is asking, and how much they may ask. {@link dev.tintype.gateway.auth.Authenticator} turns a
 * bearer key into an account, {@link dev.tintype.gateway.auth.RateLimiter} keeps a user within a
 * rate. Keys are never logged and never kept, only their digests.
 */
package dev.tintype.gateway.auth;
