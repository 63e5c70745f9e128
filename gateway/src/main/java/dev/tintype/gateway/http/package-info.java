/**
 * The plumbing between Vert.x and the handlers: reading bodies under a limit, strict JSON, replies,
 * problems. Handlers return a {@link dev.tintype.gateway.http.Reply} or throw a {@link
 * dev.tintype.gateway.problem.GatewayException}; {@link dev.tintype.gateway.http.Endpoint} turns
 * either into an answer. Blocking calls leave the event loop through {@link
 * dev.tintype.gateway.http.BlockingCalls}.
 */
package dev.tintype.gateway.http;
