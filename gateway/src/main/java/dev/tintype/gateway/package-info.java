/**
 * The HTTP door of Tintype: keys, limits, validation, the job API, event streams and the studio
 * page. {@link dev.tintype.gateway.Gateway} mounts it on a router that somebody else owns; {@link
 * dev.tintype.gateway.GatewayConfig} has its limits, {@link dev.tintype.gateway.GatewayParts} what
 * it stands on. It knows jobs and pictures by name only, never a tensor.
 */
package dev.tintype.gateway;
