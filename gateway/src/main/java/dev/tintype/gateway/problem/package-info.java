/**
 * What can go wrong at the HTTP door, said once. {@link
 * dev.tintype.gateway.problem.GatewayException} is the sealed list of refusals, each with a stable
 * code and a status. {@link dev.tintype.gateway.problem.Problem} is how a refusal looks on the wire
 * (RFC 9457).
 */
package dev.tintype.gateway.problem;
