/**
 * What a user types: a prompt with Midjourney-like parameters inside ({@code a red sun --ar 16:9
 * --seed 7}). {@link dev.tintype.gateway.prompt.PromptParser} splits it into the text for the model
 * and the values of the parameters. Everything here is pure: no I/O, no clock, and no exception but
 * {@link dev.tintype.gateway.problem.GatewayException.PromptException}.
 */
package dev.tintype.gateway.prompt;
